"""When a session starts: recover the files of one that was killed, and migrate older ones."""

from __future__ import annotations

from pathlib import Path

from edgevoice.places import expanded


def recover(record: str | None, trace: Path | None, recordings: str) -> str:
    """Recover unfinished files where this session will write; returns a notice, or "".

    `record` is the file of recorded replies, `recordings` the folder of recorded turns.
    """
    found: list[Path] = []
    if record and record != "-":
        from edgevoice.wav import recover as recover_wav

        found += recover_wav(record)
    if trace is not None:
        from edgevoice.trace import recover as recover_trace

        found += filter(None, [recover_trace(trace)])
    if recordings:
        from edgevoice.recordings.folder import RecordingsFolder

        found += RecordingsFolder(expanded(recordings)).recover()
    if not found:
        return ""
    names = ", ".join(map(str, found))
    return (
        f"an earlier session was killed; what it had written is in {names}: delete what you do "
        "not need"
    )


def migrate(recordings: str) -> str:
    """Bring the recorded turns in the folder `recordings` to today's format; a notice, or ""."""
    if not recordings:
        return ""
    from edgevoice.recordings.folder import RecordingsFolder

    count = RecordingsFolder(expanded(recordings)).migrate()
    return f"recorded turns brought to today's format: {count}" if count else ""

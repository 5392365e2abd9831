"""What a session that was killed has left: found, saved and named when the next one starts."""

from __future__ import annotations

from pathlib import Path

from edgevoice.places import expanded


def saved(record: str | None, trace: Path | None, keep: str) -> str:
    """Save what is left where this session is about to write; tells what it was, or nothing.

    `record` is the file that the reply is recorded to, `keep` the folder of kept turns.
    """
    found: list[Path] = []
    if record and record != "-":
        from edgevoice.wav import recover

        found += recover(record)
    if trace is not None:
        from edgevoice.trace import recover as recover_trace

        found += filter(None, [recover_trace(trace)])
    if keep:
        from edgevoice.recordings.folder import RecordingsFolder

        found += RecordingsFolder(expanded(keep)).recover()
    if not found:
        return ""
    names = ", ".join(map(str, found))
    return (
        f"a session was killed before its files were complete; what it had written is in {names}: "
        "delete what you do not need"
    )

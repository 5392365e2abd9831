"""The recording of a session: there where it was ready, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from edgevoice.bus import Bus
from edgevoice.events import Event, Notice, Ready
from edgevoice.recording import Recording
from edgevoice.testing.virtual import VirtualClock


def closed(path: Path, ready: bool) -> list[str]:
    """The notices of a session that recorded a second of silence to `path`."""
    bus = Bus(VirtualClock())
    events: list[Event] = []
    bus.subscribe(events.append)
    recording = Recording(bus, str(path), 48_000)
    if ready:
        bus.emit(Ready())
    recording.write(np.zeros(48_000, dtype=np.float32))
    recording.close()
    return [event.text for event in events if isinstance(event, Notice)]


def test_a_session_that_was_ready_is_recorded(tmp_path: Path) -> None:
    """What was played is in the file, also where that was nothing."""
    assert closed(tmp_path / "reply.wav", True) == []
    assert soundfile.info(tmp_path / "reply.wav").frames == 48_000


def test_a_session_that_ended_while_loading_claims_no_recording(tmp_path: Path) -> None:
    """No silent file; one that was there before is as it was, and a notice names it."""
    path = tmp_path / "reply.wav"
    path.write_bytes(b"an earlier one")
    (notice,) = closed(path, False)
    assert str(path) in notice
    assert path.read_bytes() == b"an earlier one"
    assert list(tmp_path.iterdir()) == [path]

"""Files that are written: whole, to their own place, and private where they hold what was said."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice import files
from edgevoice.trace import Recorder, TraceFile
from edgevoice.wav import WavWriter

pytestmark = pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")

EVENT = ev.Notice(text="said")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A file that others may read."""
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    return path


def write_trace(path: Path) -> None:
    trace = TraceFile(path)
    assert mode(path) == 0o600, "private from the first byte on"
    trace(EVENT)
    trace.close()


def save_events(path: Path) -> None:
    recorder = Recorder()
    recorder(EVENT)
    recorder.save(path)


def record(path: Path) -> None:
    with WavWriter(path, 48_000, private=True) as file:
        file.write(np.zeros(100, np.float32))


@pytest.mark.parametrize("write", [write_trace, save_events, record])
@pytest.mark.parametrize("there", [True, False])
def test_what_was_said_is_for_its_owner_alone(place: Path, write: object, there: bool) -> None:
    """Traces, saved events and recordings are 0600, also where a file was there before."""
    if not there:
        place.unlink()
    write(place)  # type: ignore[operator]
    assert place.stat().st_size > 10
    assert mode(place) == 0o600


def test_other_files_have_the_usual_rights(place: Path) -> None:
    """Results are for others to read."""
    usual = place.with_name("usual")
    usual.touch()
    files.replace(place, ["new"])
    assert place.read_text() == "new"
    assert mode(place) == mode(usual)
    assert sorted(each.name for each in place.parent.iterdir()) == ["file", "usual"]


def test_a_link_in_the_way_of_a_temporary_file_is_not_followed(place: Path) -> None:
    """What others have put there under the names of this process stays as it is."""
    victim = place.with_name("victim")
    victim.write_text("mine")
    for ending in (os.getpid(), f"{os.getpid()}.part", "part", "tmp", "new"):
        place.with_name(f".{place.name}.{ending}").symlink_to(victim)
    files.replace(place, ["new"])
    files.replace_bytes(place, [b"newer"], private=True)
    assert victim.read_text() == "mine"
    assert place.read_text() == "newer"
    assert not place.is_symlink()


def test_a_failure_leaves_what_was_there_and_nothing_else(place: Path) -> None:
    """A writer that breaks in the middle leaves neither half a file nor a temporary one."""

    def broken() -> object:
        yield "half"
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        files.replace(place, broken())  # type: ignore[arg-type]
    assert [each.name for each in place.parent.iterdir()] == ["file"]
    assert place.read_text() == "old"

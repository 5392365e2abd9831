"""A microphone and a speaker made of software, with the real PortAudio in front of them.

PortAudio reads its environment when it is loaded, so what is tested runs in a process of its own,
with `sound_env` as its environment.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.processes import PATIENCE, until

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from null_sinks import NullSinks, NullSinksError  # noqa: E402

BUFFERED = 0.5
"""Seconds of sound that may be on the way from a program to a recording of what it plays."""

Recording = Callable[[Path], AbstractContextManager[None]]


@pytest.fixture(scope="session")
def null_sinks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NullSinks]:
    """A private sound server: `play` speaks into the microphone, `record` hears the speaker."""
    # Not below pytest's own folder: a socket's path may have at most 107 characters.
    import tempfile

    with tempfile.TemporaryDirectory(prefix="ev-sound-") as folder:
        sinks = NullSinks(Path(folder, "server"))
        try:
            sinks.start()
        except NullSinksError as error:
            pytest.fail(f"the device tests need a sound server: {error}", pytrace=False)
        yield sinks
        sinks.stop()


@pytest.fixture
def sound_env(null_sinks: NullSinks) -> dict[str, str]:
    """The environment of a process that has the null sinks as its only devices."""
    return {**os.environ, **null_sinks.env(), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def recording(null_sinks: NullSinks) -> Recording:
    """`with recording(path):` writes what the speaker plays meanwhile, 16 kHz mono, to `path`."""

    @contextmanager
    def record(wav: Path) -> Iterator[None]:
        recorder = null_sinks.record(wav)
        try:
            yield
            finish(recorder, wav, 2 * 16_000)
        finally:
            recorder.kill()
            recorder.wait()

    return record


def finish(recorder: subprocess.Popen[bytes], wav: Path, rate: int) -> None:
    """End a recording of `rate` bytes a second once all that was played before is in it."""

    def size() -> int:
        return wav.stat().st_size if wav.exists() else 0

    enough = size() + round(BUFFERED * rate)
    until(lambda: size() >= enough or recorder.poll() is not None)
    recorder.send_signal(signal.SIGINT)
    assert recorder.wait(PATIENCE) == 0

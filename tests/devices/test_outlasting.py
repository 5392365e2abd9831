"""Real PortAudio, a real sound server, and devices that go in the middle of something."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from null_sinks import NullSinks

from tests.conftest import ROOT
from tests.processes import PATIENCE, running, until

pytestmark = pytest.mark.devices

PROGRAM = Path(__file__).with_name("outlasting.py")


class Program:
    """outlasting.py in a process of its own, whose lines can be waited for in turn."""

    def __init__(self, sinks: NullSinks, *settings: str) -> None:
        self._open = ExitStack()
        self._errors = self._open.enter_context(tempfile.TemporaryFile("w+"))  # noqa: SIM115
        program = running(
            [sys.executable, PROGRAM, *settings],
            cwd=ROOT,
            env={**os.environ, **sinks.env(), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self.process = self._open.enter_context(program)
        self.lines: list[str] = []
        self._read = 0
        self._arrived = threading.Condition()
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def __enter__(self) -> Program:
        try:
            self.expect("ready")
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """End it as a user would: nothing must have been written over the user's screen."""
        with self._open:
            self.tell("end")
            code = self.process.wait(PATIENCE)
            self._reader.join()
            self._errors.seek(0)
            assert (code, self._errors.read()) == (0, "")

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._arrived:
                self.lines.append(line.rstrip())
                self._arrived.notify_all()

    def expect(self, *begins: str) -> float:
        """Wait for lines that begin so, one after the other; when the last one was written."""
        at = 0.0
        for begin in begins:
            with self._arrived:
                there = self._arrived.wait_for(lambda b=begin: self._find(b) >= 0, PATIENCE)  # type: ignore[misc]
                assert there, (begin, self.lines)
                self._read = self._find(begin) + 1
            at = float(self.lines[self._read - 1].rpartition(" at ")[2])
        return at

    def _find(self, begin: str) -> int:
        found = (n for n in range(self._read, len(self.lines)) if self.lines[n].startswith(begin))
        return next(found, -1)

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


@pytest.fixture
def sinks() -> Iterator[NullSinks]:
    """A sound server of the test's own."""
    with tempfile.TemporaryDirectory(prefix="ev-sound-") as folder:
        sinks = NullSinks(Path(folder, "server"))
        sinks.start()
        yield sinks
        sinks.stop()


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Half a second of 440 Hz."""
    samples = 16_000 * np.sin(2 * np.pi * 440 * np.arange(8_000) / 16_000)
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return tmp_path / "tone.wav"


def hears(program: Program, sinks: NullSinks, tone: Path) -> None:
    """What is played into the microphone arrives, once and only once the microphone is there."""
    assert sinks.play(tone).wait(PATIENCE) == 0
    program.expect("tone", "quiet")


def state(sinks: NullSinks, sink: str) -> str:
    """RUNNING, IDLE or SUSPENDED."""
    lines = [line.split() for line in sinks.pactl("list", "short", "sinks").splitlines()]
    return next(words[-1] for words in lines if words[1] == sink)


def streams(sinks: NullSinks, streams: str, devices: str) -> list[str]:
    """The names of the devices that have streams."""
    lines = sinks.pactl("list", "short", devices).splitlines()
    names = {line.split()[0]: line.split()[1] for line in lines}
    used = sinks.pactl("list", "short", streams).splitlines()
    return [names.get(line.split()[1], "") for line in used]


def back(program: Program, kind: str, since: float) -> None:
    found = program.expect(f"found {kind}")
    print(f"{kind} found {found - since:.2f} s after it was there again")


def test_a_sound_server_that_is_killed_and_restarted(sinks: NullSinks, tone: Path) -> None:
    """Both devices are lost and found again, and what is said then is heard."""
    with Program(sinks) as program:
        hears(program, sinks, tone)
        sinks.kill()
        program.expect("lost output")
        sinks.start()
        back(program, "output", time.monotonic())
        assert any(line.startswith("found input") for line in program.lines)
        hears(program, sinks, tone)
        program.tell("0.5")
        program.expect("played")


def test_both_devices_unplugged_in_the_middle_of_a_reply(sinks: NullSinks, tone: Path) -> None:
    """The rest of the reply is played when they are there again."""
    with Program(sinks) as program:
        program.tell("2")
        sinks.wait_for_sound()
        sinks.unplug("microphone")
        sinks.unplug("speaker")
        program.expect("lost output")
        sinks.plug_in("speaker")
        sinks.plug_in("microphone")
        back(program, "output", time.monotonic())
        program.expect("played 88200")
        assert any(line.startswith("found input") for line in program.lines)
        hears(program, sinks, tone)


def test_devices_that_come_back_at_another_rate(sinks: NullSinks, tone: Path) -> None:
    """The reply's samples go on being counted as before, and none is lost."""
    with Program(sinks) as program:
        program.tell("2")
        sinks.wait_for_sound()
        sinks.unplug("microphone")
        sinks.unplug("speaker")
        program.expect("lost output")
        sinks.plug_in("speaker", 22_050)
        sinks.plug_in("microphone", 16_000)
        program.expect("played 88200")
        hears(program, sinks, tone)


def test_a_microphone_that_is_unplugged_alone(sinks: NullSinks, tone: Path) -> None:
    """Whether the server moves the stream or ends it: when it is there again, it is listened to."""
    with Program(sinks) as program:
        hears(program, sinks, tone)
        sinks.unplug("microphone")
        sinks.plug_in("microphone")
        until(lambda: "microphone.monitor" in streams(sinks, "source-outputs", "sources"))
        hears(program, sinks, tone)


def test_another_default_is_followed(sinks: NullSinks, tone: Path) -> None:
    """Behind a sound server, streams go to where the user sends them, and nothing is lost."""
    with Program(sinks) as program:
        for name in ("headset", "other"):
            sinks.pactl("load-module", "module-null-sink", f"sink_name={name}", "norewinds=1")
        sinks.pactl("set-default-sink", "headset")
        sinks.pactl("set-default-source", "other.monitor")
        until(lambda: "headset" in streams(sinks, "sink-inputs", "sinks"))
        until(lambda: "other.monitor" in streams(sinks, "source-outputs", "sources"))
        assert sinks.play(tone, "other").wait(PATIENCE) == 0
        program.expect("tone", "quiet")
        program.tell("0.5")
        program.expect("played")
        assert not any(line.startswith("lost") for line in program.lines)


def test_the_speaker_is_kept_from_being_suspended(sinks: NullSinks) -> None:
    """A sink that nobody plays to falls asleep; the one that a session has open does not."""
    with Program(sinks):
        sinks.pactl("load-module", "module-suspend-on-idle", "timeout=1")
        sinks.pactl("load-module", "module-null-sink", "sink_name=unused")
        until(lambda: state(sinks, "unused") == "SUSPENDED")
        assert state(sinks, "speaker") == "RUNNING"


def test_callbacks_that_stop_are_noticed_and_their_coming_back_too(
    sinks: NullSinks, tone: Path
) -> None:
    """The stream is open and well, as far as PortAudio knows, but nothing comes any more."""
    with Program(sinks) as program:
        hears(program, sinks, tone)
        sinks.pactl("suspend-sink", "microphone", "1")
        program.expect("lost input")
        sinks.pactl("suspend-sink", "microphone", "0")
        back(program, "input", time.monotonic())
        hears(program, sinks, tone)


def test_a_session_may_begin_without_devices_and_wait_for_them(
    sinks: NullSinks, tone: Path
) -> None:
    """A kiosk that boots faster than its sound server."""
    sinks.kill()
    with Program(sinks, "audio.wait=true") as program:
        program.expect("lost output")
        sinks.start()
        program.expect("found output")
        hears(program, sinks, tone)
        program.tell("0.5")
        program.expect("played 24000")


def test_a_reply_that_loses_its_speaker_for_long_is_given_up(sinks: NullSinks) -> None:
    """The speaker says how much was heard, and plays the next thing when it is there again."""
    with Program(sinks) as program:
        program.tell("5")
        sinks.wait_for_sound()
        sinks.kill()
        program.expect("given up")
        heard = int(next(line for line in program.lines if line.startswith("given up")).split()[2])
        assert 0 <= heard < 5 * 44_100
        sinks.start()
        program.expect("found output")
        program.tell("0.5")
        program.expect(f"played {heard + 22_050}")


CHOOSE = """
from edgevoice.devices.listing import listed, listed_now
from edgevoice.devices.streams import relist_devices
names = lambda devices: "default" in [d.name for d in devices]
print(names(listed_now()), flush=True)
input()
print(names(listed()), names(listed_now()), flush=True)
relist_devices()
print(names(listed()), names(listed_now()), flush=True)
"""


def test_what_was_plugged_in_since_the_beginning_can_be_chosen(sinks: NullSinks) -> None:
    """It is in the list that is shown, though PortAudio does not know it before it lists anew."""
    sinks.kill()
    with running(
        [sys.executable, "-c", CHOOSE],
        cwd=ROOT,
        env={**os.environ, **sinks.env(), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "False\n"
        sinks.start()
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "False True\n"
        assert process.stdout.readline() == "True True\n"

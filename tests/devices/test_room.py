"""The room rig on real PortAudio devices: the microphone hears the speaker, and who else speaks."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.processes import PATIENCE

pytestmark = pytest.mark.devices

PROGRAM = '''
import json
import sys
import numpy as np
from edgevoice.audio import CAPTURE_RATE
from edgevoice.bench.scenarios.room_response import Acoustics
from edgevoice.bench.scenarios.loopback import found, measured
from edgevoice.bench.scenarios.room import LoopbackRoom
from edgevoice.clock import SystemClock
from edgevoice.devices.portaudio import Loudspeaker, Microphone
from edgevoice.player import Player

UNBROKEN = ("delay", "late", "moved", "dry")

clock = SystemClock()
told = {}


def usual(room, take):
    """The median of three readings, each taken while the room's sound was carried without a break:
    a machine that is busy with something else may break it, which the room tells."""
    readings = []
    for _ in range(20):
        before, taken, after = room.state(), take(), room.state()
        if all(getattr(before, name) == getattr(after, name) for name in UNBROKEN):
            readings.append(taken)
        if len(readings) == 3:
            return np.median(readings, axis=0).tolist()
    sys.exit("the machine was too busy to carry sound for a second: nothing could be measured")


with LoopbackRoom(clock) as room:
    microphone, speaker = Microphone(clock), Player(clock, Loudspeaker(clock))
    told["deaf"] = measured(clock, microphone, speaker) is None

    def looped():
        loop = measured(clock, microphone, speaker)
        # Where sound comes too late again and again, the room gives it more time, and says so.
        return loop.delay, loop.level, room.state().delay

    for delay, level in ((0.08, -12.0), (0.25, -30.0)):
        room.acoustics(Acoustics(delay=delay, level=level, tail=0.2))
        told[f"{delay:g}"] = usual(room, looped)
    room.acoustics(None)
    voice = np.random.default_rng(5).standard_normal(CAPTURE_RATE).astype(np.float32) / 10
    noise = np.random.default_rng(6).standard_normal(speaker.rate).astype(np.float32) / 10

    def spoken():
        wanted = clock.now() + 0.5
        number = room.say(voice, at=wanted, level=-6.0)
        frames = []
        while clock.now() < wanted + 1.5:
            frames.append(microphone.read())
        heard = np.concatenate([frame.samples for frame in frames])
        at, sure, gain = found(voice, heard)
        arrived = microphone.time_of(frames[0].index) + at / CAPTURE_RATE
        return arrived - wanted, room.begun(number) - wanted, gain

    def answered():
        room.record(30)
        first = speaker.time_of(speaker.write(noise))
        clock.sleep(1.0)
        tape = room.recorded()
        loud = np.flatnonzero(np.abs(tape.samples) > 0.02)
        return tape.time_of(int(loud[0])) - first

    told["spoken"] = usual(room, spoken)
    told["answered"] = usual(room, answered)
    microphone.close()
    speaker.close()
try:
    LoopbackRoom(clock, hears="no such device")
except Exception as error:
    told["error"] = str(error)
print(json.dumps(told))
'''


def test_the_microphone_hears_speaker_and_voices_as_the_room_is_told(
    sound_env: dict[str, str],
) -> None:
    """Delay, level and moments as asked for, as far as the devices know their own; and a room
    without its devices is an error that names them."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=sound_env,
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["deaf"]
    (near, loud, sooner), (far, soft, later) = told["0.08"], told["0.25"]
    assert far - near == pytest.approx(later - sooner, abs=0.03)
    assert near == pytest.approx(sooner, abs=0.04)
    assert 0.08 <= sooner < later == 0.25
    assert loud - soft == pytest.approx(18.0, abs=4.0)
    arrived, begun, gain = told["spoken"]
    assert begun == pytest.approx(0.0, abs=0.001)
    assert arrived == pytest.approx(0.0, abs=0.04)
    assert gain == pytest.approx(0.5, abs=0.2)
    assert told["answered"] == pytest.approx(0.0, abs=0.04)
    assert "no such device" in told["error"]

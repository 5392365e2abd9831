"""The room rig on real PortAudio devices: the microphone hears the speaker, and who else speaks."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.devices

PROGRAM = """
import json
import numpy as np
from edgevoice.audio import EAR_RATE
from edgevoice.bench.turns.acoustics import Acoustics
from edgevoice.bench.turns.loop import found, measured
from edgevoice.bench.turns.room import Room
from edgevoice.clock import SystemClock
from edgevoice.devices.portaudio import Loudspeaker, Microphone

clock = SystemClock()
told = {}
with Room(clock) as room:
    microphone, speaker = Microphone(clock), Loudspeaker(clock)
    told["deaf"] = measured(clock, microphone, speaker) is None
    for delay, level in ((0.08, -12.0), (0.25, -30.0)):
        room.acoustics(Acoustics(delay=delay, level=level, tail=0.2))
        loop = measured(clock, microphone, speaker)
        told[f"{delay:g}"] = [loop.delay, loop.level]
    room.acoustics(None)
    room.record(30)
    voice = np.random.default_rng(5).standard_normal(EAR_RATE).astype(np.float32) / 10
    wanted = clock.now() + 0.5
    number = room.say(voice, at=wanted, level=-6.0)
    frames = []
    while clock.now() < wanted + 1.5:
        frames.append(microphone.read())
    heard = np.concatenate([frame.samples for frame in frames])
    at, sure, gain = found(voice, heard)
    arrived = microphone.time_of(frames[0].index) + at / EAR_RATE
    told["voice"] = [arrived - wanted, room.begun(number) - wanted, gain]
    later = room.say(voice, after=0.7)
    noise = np.random.default_rng(6).standard_normal(speaker.rate).astype(np.float32) / 10
    first = speaker.write(noise)
    told["after"] = room.wait_for(later) - speaker.time_of(first)
    recording = room.recorded()
    loud = np.flatnonzero(np.abs(recording.microphone.samples) > 0.02)
    told["tape"] = recording.microphone.time_of(int(loud[0])) - wanted
    loud = np.flatnonzero(np.abs(recording.speaker.samples) > 0.02)
    told["speaker"] = recording.speaker.time_of(int(loud[0])) - speaker.time_of(first)
    microphone.close()
    speaker.close()
try:
    Room(clock, hears="no such device")
except Exception as error:
    told["error"] = str(error)
print(json.dumps(told))
"""


def test_the_microphone_hears_speaker_and_voices_as_the_room_is_told(
    sound_env: dict[str, str],
) -> None:
    """Delay, level and moments as asked for, as far as the devices know their own; and a room
    without its devices is an error that names them."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=sound_env,
        stdout=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["deaf"]
    (near, loud), (far, soft) = told["0.08"], told["0.25"]
    assert far - near == pytest.approx(0.17, abs=0.03)
    assert near == pytest.approx(0.08, abs=0.04)
    assert loud - soft == pytest.approx(18.0, abs=4.0)
    arrived, begun, gain = told["voice"]
    assert begun == pytest.approx(0.0, abs=0.001)
    assert arrived == pytest.approx(0.0, abs=0.04)
    assert gain == pytest.approx(0.5, abs=0.2)
    assert told["after"] == pytest.approx(0.7, abs=0.04)
    assert told["tape"] == pytest.approx(0.0, abs=0.005)
    assert told["speaker"] == pytest.approx(0.0, abs=0.04)
    assert "no such device" in told["error"]

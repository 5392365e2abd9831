"""A speaker that runs dry is told from one that is fed in time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.processes import PATIENCE

pytestmark = pytest.mark.devices

SPEAK = """
import json, time
import numpy as np
from edgevoice.clock import SystemClock
from edgevoice.devices.portaudio import Loudspeaker
from edgevoice.player import Player
clock = SystemClock()
speaker = Player(clock, Loudspeaker(clock))
tone = np.sin(np.arange(speaker.rate // 4) / 20).astype(np.float32) / 4
answers = []
def say(part):
    number = speaker.write(part)
    answers.append(speaker.silent_before(number))
    return number + len(part)
say(tone)
for start in range(0, len(tone), 1000):
    say(tone[start : start + 1000])
fed = answers[1:]
end = say(tone[:999])
while speaker.samples_played() < end:
    time.sleep(0.01)
time.sleep(0.2)
say(tone[:500])
late = answers[-1]
say(tone)
print(json.dumps([fed, late, answers[-1]]))
speaker.close()
"""


def test_silence_before_a_sample_is_known(sound_env: dict[str, str]) -> None:
    """Sound that follows in time has none before it; after the speaker has run dry there is."""
    told = subprocess.run(
        [sys.executable, "-c", SPEAK],
        env=sound_env,
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
        check=True,
    ).stdout
    fed, late, after = json.loads(told)
    assert fed
    assert not any(fed)
    assert late
    assert not after

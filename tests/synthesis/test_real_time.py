"""How long a voice works for a second of speech."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from edgevoice.audio import Audio
from edgevoice.protocols import Cancelled
from edgevoice.synthesis.real_time import real_time_factor


class Working:
    """A voice that takes each number of seconds in turn for two seconds of sound."""

    rate = 100

    def __init__(self, *work: float) -> None:
        self.time = 0.0
        self.work = list(work)

    def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
        self.time += self.work.pop(0)
        for _ in range(2):
            yield Audio(np.zeros(100, dtype=np.float32), self.rate)

    def now(self) -> float:
        return self.time


@pytest.mark.parametrize(("work", "factor"), [((0.2,), 0.1), ((3.0, 1.6), 0.8), ((3.0, 5.0), 1.5)])
def test_a_slow_voice_is_measured_twice(work: tuple[float, ...], factor: float) -> None:
    """The faster run counts, for the first one of a voice may take twice as long."""
    voice = Working(*work)
    assert real_time_factor(voice, voice.now) == pytest.approx(factor)
    assert voice.work == []


def test_a_voice_without_sound_is_not_slow() -> None:
    """There is nothing to measure."""

    class Silent(Working):
        def synthesize(self, text: str, cancelled: Cancelled) -> Iterator[Audio]:
            yield from ()

    voice = Silent()
    assert real_time_factor(voice, voice.now) == 0.0

"""The echo path from the speaker into the microphone: its delay and its level.

Measured during playback by generalized cross-correlation of the played and the captured audio of
the last seconds, weighted by their smoothed coherence (SCOT: Knapp and Carter, "The generalized
correlation method for estimation of time delay", IEEE ASSP 24, 1976).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import CAPTURE_RATE, Samples, dbfs

MEASUREMENT_SAMPLES = 16_384
"""Samples in one measurement, about a second: several times the longest delay."""

MEASUREMENT_HOP = MEASUREMENT_SAMPLES // 2
"""Samples between two measurements."""

EARLIER_WEIGHT = 0.87
"""Weight of the earlier measurements in each new one: about 7 of them count, four seconds."""

BAND = (200.0, 6000.0)
"""Compared frequencies in Hz: small speakers play them, and voices have energy there."""

EARLIEST, LATEST = -0.2, 0.5
"""Searched delays in seconds; the devices' times may be wrong by that much."""

LOUD_DBFS = -50.0
"""Least level of the played audio for a measurement."""

CLEAR = 16.0
"""Least height of an echo's peak, in standard deviations of the rest. Recorded voices beside a
reply reach 13.9 by chance, babble 11.1, an echo of -45 dB in a quiet room 27."""

LEAST_MEASUREMENTS = 2
"""Least number of measurements before a result. In the second one, replies in 144 simulated rooms
had peaks of at least 16.5, and 96 recorded voices beside an inaudible reply at most 15.2."""

SETTLED_MEASUREMENTS = 3
"""Least number of measurements before delay and level are reported."""

UNHEARD_MEASUREMENTS = 4
"""Measurements without the echo after which it counts as gone: about two seconds of speech. If
there never was an echo, the first one is enough."""

FAINTEST = -50.0
"""Weakest echo that matters, in dB relative to the played audio. In a silent room a speech detector
takes an echo of -48 dB for speech, but none of -54. Two voices there look like an echo of -52."""

OTHERS = 6.0
"""dB above a known echo from which the microphone picks up something else as well."""

AUDIBLE_DB = 2.0
"""dB above the noise level of the room from which an echo is audible. A canceller does not find a
weaker echo, and removes the user's voice instead. In 168 simulated rooms 1.5 left at worst 4 of 53
voiced frames, 2 left 23. With 4, an echo remained that a speech detector takes for a voice."""

RECENT = 125
"""Frames of levels that this is decided from: four seconds."""

LOUD_FRAMES = 10
"""Least loud frames for that, a third of a second."""

SOFT = 10.0
"""Percentile of the captured level during loud frames that counts as the echo's level: in the
louder ones the user may be speaking as well."""

ARRIVING = 12
"""Frames, 0.4 s, in which played audio may still arrive as an echo."""

DELAYS = tuple(range(13))
"""Possible delays of an unknown echo in frames, up to 0.4 s."""


@dataclass(frozen=True, slots=True)
class Echo:
    """An echo: `delay` in seconds after the played audio, `level` in dB relative to it."""

    delay: float
    level: float


class EchoPath:
    """Follows the path from one speaker into one microphone."""

    def __init__(self) -> None:
        self.echo: Echo | None = None
        """The newest measurement; None while unknown, or if there is no echo."""
        self.unheard = False
        """Whether enough audio was played recently to know that there is no echo."""
        self._played = np.zeros(MEASUREMENT_SAMPLES, dtype=np.float32)
        self._captured = np.zeros(MEASUREMENT_SAMPLES, dtype=np.float32)
        self._levels: deque[tuple[float, float]] = deque(maxlen=RECENT)
        """Levels of the played and the captured frames, in dBFS."""
        self._new = 0
        self._shape = np.hanning(MEASUREMENT_SAMPLES).astype(np.float32)
        frequencies = np.fft.rfftfreq(2 * MEASUREMENT_SAMPLES, 1 / CAPTURE_RATE)
        self._band = (frequencies >= BAND[0]) & (frequencies <= BAND[1])
        self.forget()

    def forget(self) -> None:
        """Start again, for example after a change of devices."""
        self._measurements = self._in_vain = 0
        self._levels.clear()
        self._cross: NDArray[np.complexfloating[Any, Any]]
        self._cross = np.zeros(MEASUREMENT_SAMPLES + 1, dtype=np.complex64)
        self._power_played = np.zeros(MEASUREMENT_SAMPLES + 1, dtype=np.float32)
        self._power_captured = np.zeros(MEASUREMENT_SAMPLES + 1, dtype=np.float32)
        self.echo, self.unheard = None, False

    @property
    def settled(self) -> bool:
        """Whether delay and level are reliable."""
        return self._measurements >= SETTLED_MEASUREMENTS

    @property
    def loudest(self) -> float:
        """Highest possible level of the echo now, in dBFS; infinite if unknown."""
        if self.echo is None or not self.settled:
            return np.inf
        return self.echo.level + max(
            played for played, _ in islice(reversed(self._levels), ARRIVING)
        )

    def push(self, played: Samples, captured: Samples, silence: float) -> bool:
        """Take a played and a captured frame, float32 [n]; true after a measurement.

        An echo below the noise level `silence`, in dBFS, does not matter.
        """
        size = len(played)
        self._levels.append((dbfs(played), dbfs(captured)))
        self._played = np.concatenate([self._played[size:], played])
        self._captured = np.concatenate([self._captured[size:], captured])
        self._new += size
        if self._new < MEASUREMENT_HOP:
            return False
        self._new = 0
        if dbfs(self._played) < LOUD_DBFS:
            return False
        self._measure(silence + AUDIBLE_DB)
        return True

    def _comes_back(self) -> float:
        """Captured level in dBFS during loud played frames, at the delay with the highest level;
        infinite if there are too few frames."""
        played, captured = np.array(self._levels).T
        return max(
            _with_loud(played[: max(0, len(played) - late)], captured[late:]) for late in DELAYS
        )

    def _measure(self, audible: float) -> None:
        """Measure once; an echo below `audible` dBFS counts as none."""
        # Zero-padded to twice the length, so that the correlation is not circular.
        played = np.fft.rfft(self._played * self._shape, 2 * MEASUREMENT_SAMPLES)
        captured = np.fft.rfft(self._captured * self._shape, 2 * MEASUREMENT_SAMPLES)
        self._cross = EARLIER_WEIGHT * self._cross + np.conj(played) * captured
        self._power_played = EARLIER_WEIGHT * self._power_played + np.abs(played) ** 2
        self._power_captured = EARLIER_WEIGHT * self._power_captured + np.abs(captured) ** 2
        self._measurements += 1
        if self._comes_back() < audible:
            self.echo, self.unheard = None, True
            return
        if self._measurements < LEAST_MEASUREMENTS:
            return
        weight = np.sqrt(self._power_played * self._power_captured) + 1e-12
        likeness = np.fft.irfft(np.where(self._band, self._cross / weight, 0.0))
        likeness = np.roll(likeness, -int(EARLIEST * CAPTURE_RATE))
        likeness = likeness[: int((LATEST - EARLIEST) * CAPTURE_RATE)]
        size = np.abs(likeness)
        peak = int(np.argmax(size))
        # An echo is a peak and the reverberation after it; the rest is chance.
        clear = size[peak] / (_middle(size) / 0.6745 + 1e-12)
        if clear >= CLEAR and (level := self._level(peak)) >= FAINTEST:
            self._in_vain, self.unheard = 0, False
            self.echo = Echo(EARLIEST + peak / CAPTURE_RATE, level)
            return
        if self.echo and dbfs(self._captured) > dbfs(self._played) + self.echo.level + OTHERS:
            # The user speaks over it, which does not mean that it is gone.
            return
        self._in_vain += 1
        if self._in_vain >= UNHEARD_MEASUREMENTS or self.echo is None:
            self.echo, self.unheard = None, True

    def _level(self, peak: int) -> float:
        """Energy of the impulse response from the start of the echo, in dB."""
        answer = np.fft.irfft(np.where(self._band, self._cross / (self._power_played + 1e-9), 0.0))
        answer = np.roll(answer, -int(EARLIEST * CAPTURE_RATE))
        # The longer the delay, the less of the echo is in the same window.
        apart = abs(peak + int(EARLIEST * CAPTURE_RATE))
        common = float(np.dot(self._shape[apart:], self._shape[: MEASUREMENT_SAMPLES - apart]))
        common /= float(np.dot(self._shape, self._shape))
        share = (BAND[1] - BAND[0]) / (CAPTURE_RATE / 2) * common**2
        early, late = peak - int(0.005 * CAPTURE_RATE), peak + int(0.2 * CAPTURE_RATE)
        chance = _middle(answer**2) / 0.455
        energy = float(np.sum(answer[max(0, early) : late] ** 2 - chance))
        return 10.0 * float(np.log10(max(energy, 1e-6) / share))


def _with_loud(played: NDArray[np.floating[Any]], captured: NDArray[np.floating[Any]]) -> float:
    """Captured level in the frames in which the played audio is loud, in dBFS."""
    if not len(played):
        return np.inf
    mean = 10.0 * np.log10(np.mean(10.0 ** (played / 10.0)) + 1e-12)
    loud = captured[played >= max(LOUD_DBFS, mean)]
    return float(np.percentile(loud, SOFT)) if len(loud) >= LOUD_FRAMES else np.inf


def _middle(values: NDArray[np.floating[Any]]) -> float:
    """The median; numpy's own imports masked arrays, which takes a third of a second."""
    half = len(values) // 2
    return float(np.partition(values, half)[half])

"""The way from the speaker back into the microphone: how long it takes, and how much comes back.

Measured while something plays, by generalized cross-correlation of what was played with what was
heard, weighted by their smoothed coherence (SCOT: Knapp and Carter, "The generalized correlation
method for estimation of time delay", IEEE ASSP 24, 1976), over the last seconds of sound.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import EAR_RATE, Samples, dbfs

WINDOW = 16_384
"""Samples in one look, about a second: several times the longest delay."""

HOP = WINDOW // 2
"""Samples between two looks."""

KEPT = 0.87
"""The weight of what was known before in each look: about 7 of them count, four seconds."""

BAND = (200.0, 6000.0)
"""Frequencies in Hz that are compared: what small speakers play and voices hold."""

EARLIEST, LATEST = -0.2, 0.5
"""Delays in seconds that are looked for; devices may tell their time wrong by that much."""

LOUD_DBFS = -50.0
"""A look in which less was played tells nothing."""

CLEAR = 16.0
"""How far the peak must stand out, in standard deviations of the rest, to be an echo. Recorded
voices beside a reply reach 13.9 by chance, babble 11.1; an echo of -45 dB in a quiet room 27."""

LEAST_MEASUREMENTS = 2
"""Looks before anything is known. In the second, replies in 144 simulated rooms stood out by 16.5
at least, and 96 recorded voices beside a reply that was not heard by 15.2 at most."""

SETTLED_MEASUREMENTS = 3
"""Looks before its delay and level are reported."""

UNHEARD_MEASUREMENTS = 4
"""Looks without a known echo after which it is gone: about two seconds of speech. Where none was
ever found, the first is enough."""

FAINTEST = -50.0
"""dB of what was played under which nothing that comes back matters: in a room without any sound
of its own a speech detector still takes an echo of -48 for speech, and none of -54. Two voices in
such a room look like an echo of -52."""

OTHERS = 6.0
"""dB above a known echo from which something else is heard as well."""

AUDIBLE = 2.0
"""dB above the stillest that it was before, from which an echo can be heard. A canceller whose
reference comes back more softly does not find it, and takes the user's voice out instead: with 1.5,
4 of 53 voiced frames were left at worst in 168 simulated rooms; with 2, 23 in the loudest of them.
With 4, an echo was left that a speech detector takes for a voice."""

RECENT = 125
"""Frames from which that is known: four seconds."""

LOUD_FRAMES = 10
"""Loud frames, a third of a second of them, before it is."""

SOFT = 10.0
"""Percent of what is heard with loud frames that says what comes back: in the rest of it somebody
may speak as well."""

ARRIVING = 12
"""Frames, 0.4 s, in which what was played may still be on its way."""

DELAYS = tuple(range(13))
"""Delays in frames at which an echo may be that is not found yet, up to 0.4 s."""


@dataclass(frozen=True, slots=True)
class Echo:
    """What comes back is `delay` seconds later than what was played, and at `level` dB of it."""

    delay: float
    level: float


class EchoPath:
    """Follows the way from one speaker into one microphone."""

    def __init__(self) -> None:
        self.echo: Echo | None = None
        """What was measured last; None while nothing is known, or nothing comes back."""
        self.unheard = False
        """Whether enough was played, of late, to know that nothing comes back."""
        self._played = np.zeros(WINDOW, dtype=np.float32)
        self._heard = np.zeros(WINDOW, dtype=np.float32)
        self._levels: deque[tuple[float, float]] = deque(maxlen=RECENT)
        """What was played and what was heard meanwhile, in dBFS, frame by frame."""
        self._new = 0
        self._shape = np.hanning(WINDOW).astype(np.float32)
        frequencies = np.fft.rfftfreq(2 * WINDOW, 1 / EAR_RATE)
        self._band = (frequencies >= BAND[0]) & (frequencies <= BAND[1])
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a change of devices."""
        self._measurements = self._in_vain = 0
        self._levels.clear()
        self._cross: NDArray[np.complexfloating[Any, Any]]
        self._cross = np.zeros(WINDOW + 1, dtype=np.complex64)
        self._power_played = np.zeros(WINDOW + 1, dtype=np.float32)
        self._power_heard = np.zeros(WINDOW + 1, dtype=np.float32)
        self.echo, self.unheard = None, False

    @property
    def settled(self) -> bool:
        """Whether enough was compared for the figures, too, to be right."""
        return self._measurements >= SETTLED_MEASUREMENTS

    @property
    def loudest(self) -> float:
        """The most in dBFS that can come back by now; infinite where that is not known."""
        if self.echo is None or not self.settled:
            return np.inf
        return self.echo.level + max(
            played for played, _ in islice(reversed(self._levels), ARRIVING)
        )

    def push(self, played: Samples, heard: Samples, silence: float) -> bool:
        """Take a frame, float32 [n], that was played and one that was heard at the same time; true
        after a new look. What is not heard above `silence`, in dBFS, is no echo that matters."""
        size = len(played)
        self._levels.append((dbfs(played), dbfs(heard)))
        self._played = np.concatenate([self._played[size:], played])
        self._heard = np.concatenate([self._heard[size:], heard])
        self._new += size
        if self._new < HOP:
            return False
        self._new = 0
        if dbfs(self._played) < LOUD_DBFS:
            return False
        self._measure(silence + AUDIBLE)
        return True

    def _comes_back(self) -> float:
        """The level in dBFS of what is heard with what was loud, at the delay at which that is the
        most; infinite where it was too little to know."""
        played, heard = np.array(self._levels).T
        return max(
            _with_loud(played[: max(0, len(played) - late)], heard[late:]) for late in DELAYS
        )

    def _measure(self, audible: float) -> None:
        """Compare; an echo of less than `audible` dBFS is none."""
        # Twice as long as the sound, so that what is late does not come round to what is early.
        played = np.fft.rfft(self._played * self._shape, 2 * WINDOW)
        heard = np.fft.rfft(self._heard * self._shape, 2 * WINDOW)
        self._cross = KEPT * self._cross + np.conj(played) * heard
        self._power_played = KEPT * self._power_played + np.abs(played) ** 2
        self._power_heard = KEPT * self._power_heard + np.abs(heard) ** 2
        self._measurements += 1
        if self._comes_back() < audible:
            self.echo, self.unheard = None, True
            return
        if self._measurements < LEAST_MEASUREMENTS:
            return
        weight = np.sqrt(self._power_played * self._power_heard) + 1e-12
        likeness = np.fft.irfft(np.where(self._band, self._cross / weight, 0.0))
        likeness = np.roll(likeness, -int(EARLIEST * EAR_RATE))
        likeness = likeness[: int((LATEST - EARLIEST) * EAR_RATE)]
        size = np.abs(likeness)
        peak = int(np.argmax(size))
        # An echo is a peak and what follows it in the room; the rest is chance.
        clear = size[peak] / (_middle(size) / 0.6745 + 1e-12)
        if clear >= CLEAR and (level := self._level(peak)) >= FAINTEST:
            self._in_vain, self.unheard = 0, False
            self.echo = Echo(EARLIEST + peak / EAR_RATE, level)
            return
        if self.echo and dbfs(self._heard) > dbfs(self._played) + self.echo.level + OTHERS:
            # Somebody speaks over it: that is no sign that it is gone.
            return
        self._in_vain += 1
        if self._in_vain >= UNHEARD_MEASUREMENTS or self.echo is None:
            self.echo, self.unheard = None, True

    def _level(self, peak: int) -> float:
        """The energy of the room's answer to an impulse, from the echo's beginning on, in dB."""
        answer = np.fft.irfft(np.where(self._band, self._cross / (self._power_played + 1e-9), 0.0))
        answer = np.roll(answer, -int(EARLIEST * EAR_RATE))
        # The later it comes, the less of it is in the same window.
        apart = abs(peak + int(EARLIEST * EAR_RATE))
        common = float(np.dot(self._shape[apart:], self._shape[: WINDOW - apart]))
        common /= float(np.dot(self._shape, self._shape))
        share = (BAND[1] - BAND[0]) / (EAR_RATE / 2) * common**2
        early, late = peak - int(0.005 * EAR_RATE), peak + int(0.2 * EAR_RATE)
        chance = _middle(answer**2) / 0.455
        energy = float(np.sum(answer[max(0, early) : late] ** 2 - chance))
        return 10.0 * float(np.log10(max(energy, 1e-6) / share))


def _with_loud(played: NDArray[np.floating[Any]], heard: NDArray[np.floating[Any]]) -> float:
    """The level of what is heard in the frames in which what was played is loud, all in dBFS."""
    if not len(played):
        return np.inf
    mean = 10.0 * np.log10(np.mean(10.0 ** (played / 10.0)) + 1e-12)
    loud = heard[played >= max(LOUD_DBFS, mean)]
    return float(np.percentile(loud, SOFT)) if len(loud) >= LOUD_FRAMES else np.inf


def _middle(values: NDArray[np.floating[Any]]) -> float:
    """The median; numpy's own imports a third of a second's worth of masked arrays."""
    half = len(values) // 2
    return float(np.partition(values, half)[half])

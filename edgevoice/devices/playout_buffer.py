"""The queue between a reply and a speaker's callback, which can duck, pause and drop sound at once.

The callback calls only `take`, which neither locks nor allocates samples. Other methods may be
called from any thread, `put` from one thread at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import Samples
from edgevoice.devices.ring import Ring, mono
from edgevoice.devices.volume import DUCK_RAMP, DUCKED_LEVEL, FADE_RAMP, Volume

MAX_REPLAY = 1.0
"""Seconds before a pause that can be played again after it."""

MAX_ANCHORS = 3
"""Silences for which sample times are remembered."""


class PlayoutBuffer:
    """A queue of float32 samples at `rate` Hz, numbered from 0; dropped samples have no number.

    Sample n is frame n + `_base` of the ring. The callback skips dropped frames and then sets
    `_base`; the writer uses the same value from `stop` on, as `_offset`. `ahead` is the seconds
    written at a time, and the most that wait. `ducked` is the volume factor of `duck`.
    """

    def __init__(self, rate: int, ahead: float, ducked: float = DUCKED_LEVEL) -> None:
        self._rate = rate
        self._ring = Ring(int((2 * ahead + MAX_REPLAY) * rate), 1)
        self._volume = Volume(rate, rate)
        self._ducked = ducked
        self._target = 1.0
        """The volume factor that `_volume` moves to."""
        self._held = False
        self._replay = 0
        """Frames to play again after `release`."""
        self._max_heard = 0
        """Samples heard before a replay; `samples_played` never returns less."""
        self._faded = 0
        """Frames played in the current fade-out."""
        self._dropped = (0, 0)
        """Frames before the first number are dropped; the second is `_base` from there on."""
        self._base = 0
        self._offset = 0
        self._anchors: tuple[tuple[int, int, float], ...] = ((0, 0, 0.0),)
        """For the last few silences, newest first: the first sample after it; a later sample and
        the session time at which that leaves the speaker."""
        self._after_silence = False
        """Whether silence was played since the last sample."""
        self._underrun_at: tuple[int, ...] = ()
        """The last few samples before which the queue was empty and silence was played."""

    @property
    def written(self) -> int:
        """The number of the sample that is written next."""
        return self._ring.written - self._offset

    @property
    def waiting(self) -> int:
        """Samples not yet taken."""
        return self._ring.waiting

    def put(self, samples: Samples) -> None:
        """Queue float32 [n]."""
        self._ring.put(mono(samples))

    def take(self, out: NDArray[np.float32], leaves: float) -> int:
        """Fill float32 [n, 1]; its first sample leaves the speaker at session time `leaves`.

        Returns the number of samples of sound; the rest is silence.
        """
        drop_before, base = self._dropped
        dropping = self._ring.taken < drop_before
        if not dropping:
            self._base = base
        if dropping or self._held:
            count = self._fade_out(out, leaves, drop_before, base)
        else:
            count = self._play(out, leaves)
        out[count:] = 0.0
        return count

    def _play(self, out: NDArray[np.float32], leaves: float) -> int:
        ring, volume = self._ring, self._volume
        if self._replay and volume.now == 0.0:
            self._max_heard = max(self._max_heard, ring.taken - self._base)
            ring.back(min(self._replay, ring.taken - self._dropped[0]))
        self._replay = self._faded = 0
        count = self._read(out, leaves)
        # From silence fade in fast; from ducked sound raise the volume slowly.
        seconds = FADE_RAMP if volume.now < self._ducked else DUCK_RAMP
        volume.apply(out[:count, 0], self._target, seconds)
        if count < len(out):
            volume.now = self._target
            self._after_silence = True
            position = ring.taken - self._base
            if position not in self._underrun_at[-1:]:
                self._underrun_at = (*self._underrun_at[-7:], position)
        return count

    def _fade_out(
        self, out: NDArray[np.float32], leaves: float, drop_before: int, base: int
    ) -> int:
        ring, volume = self._ring, self._volume
        dropped = ring.taken < drop_before
        fade_samples = min(len(out), volume.ramp_length(0.0, FADE_RAMP))
        count = self._read(
            out[: min(fade_samples, drop_before - ring.taken) if dropped else fade_samples], leaves
        )
        volume.apply(out[:count, 0], 0.0, FADE_RAMP)
        self._faded += count
        if count == len(out) and not (dropped and ring.taken == drop_before):
            return count
        volume.now = 0.0
        self._after_silence = True
        if dropped:
            self._base = base
            ring.skip(drop_before)
            volume.now = 0.0 if self._held else self._target
        else:
            # After a pause, the faded-out frames are played again.
            ring.back(self._faded)
        self._faded = 0
        return count

    def _read(self, out: NDArray[np.float32], leaves: float) -> int:
        if self._ring.waiting and len(out):
            # Only with sound: while idle, the last anchor gives the end of the last sound.
            number = self._ring.taken - self._base
            if self._after_silence:
                self._after_silence = False
                self._anchors = ((number, number, leaves), *self._anchors[:MAX_ANCHORS])
            else:
                self._anchors = ((self._anchors[0][0], number, leaves), *self._anchors[1:])
        return self._ring.take(out)

    def samples_played(self, now: float) -> int:
        """How many samples have left the speaker at session time `now`."""
        heard = self._handed_over()
        for since, number, time in self._anchors:
            by_then = number + int((now - time) * self._rate)
            if by_then >= since:
                return max(self._max_heard, min(heard, by_then))
            # The samples after that silence are still inside the device.
            heard = min(heard, since)
        return max(self._max_heard, 0)

    def _handed_over(self) -> int:
        """Samples taken by the device, without those dropped while fading out."""
        drop_before, base = self._dropped
        taken = self._ring.taken
        # Samples that fade out after `stop` do not count.
        return max(
            self._max_heard, drop_before - base if taken < drop_before else taken - self._base
        )

    def time_of(self, number: int) -> float:
        """Session time at which sample `number` leaves, or left, the speaker."""
        _, known, time = next((a for a in self._anchors if a[0] <= number), self._anchors[-1])
        return time + (number - known) / self._rate

    def stop(self) -> int:
        """Drop what waits; returns how many samples will have been heard.

        Samples already in the device are still played.
        """
        heard, written = self._handed_over(), self._ring.written
        self._offset = written - heard
        self._dropped = written, self._offset
        self._target = 1.0
        self._held = False
        return heard

    def duck(self, on: bool) -> None:
        """Lower the volume to the ducked level, or restore it."""
        self._target = self._ducked if on else 1.0

    def pause(self) -> int:
        """Pause; returns the number of the first sample that is held back."""
        self._replay = 0
        self._held = True
        return self._handed_over()

    def resume(self, replay: int = 0) -> None:
        """Continue after `pause`, playing the last `replay` samples again."""
        if self._held:
            self._replay = min(replay, int(MAX_REPLAY * self._rate))
            self._held = False

    def silent_before(self, number: int) -> bool:
        """Whether the queue was empty just before sample `number`."""
        return number in self._underrun_at

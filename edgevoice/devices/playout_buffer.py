"""What waits to be taken by a speaker's callback: quieter, held back, or dropped at a word.

The callback calls `take` and nothing else; it neither locks nor allocates samples. Everything else
may be called from any thread, `put` from one at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import Samples
from edgevoice.devices.ring import Ring, mono
from edgevoice.devices.volume import DUCK, DUCKED, FADE, Volume

AGAIN = 1.0
"""Seconds that can be heard again after a hold."""

SILENCES = 3
"""How many silences back the time of a sample is known."""


class PlayoutBuffer:
    """A queue of samples, float32 at `rate` Hz, numbered from 0 without those that were dropped.

    Frame n of its ring is sample n less `_base`. The callback is what passes over dropped frames,
    and it sets `_base` then; whoever writes has it, as `_offset`, from the stop on. `ahead` is how
    many seconds are written at once, or wait when more is.
    """

    def __init__(self, rate: int, ahead: float, ducked: float = DUCKED) -> None:
        self._rate = rate
        self._ring = Ring(int((2 * ahead + AGAIN) * rate), 1)
        self._volume = Volume(rate, rate)
        self._ducked = ducked
        self._level = 1.0
        """The volume that is wanted."""
        self._held = False
        self._again = 0
        """Frames to be heard again when it goes on."""
        self._reached = 0
        """How many samples had been taken before some of them were to be heard again."""
        self._faded = 0
        """Frames that are fading out."""
        self._cut = (0, 0)
        """Frames before this one are dropped, and `_base` from there on."""
        self._base = 0
        self._offset = 0
        self._anchors: tuple[tuple[int, int, float], ...] = ((0, 0, 0.0),)
        """First sample since a silence; a sample, and the session time at which it leaves or left
        the speaker. Of the last few silences, newest first."""
        self._broken = False
        """Silence has gone out since the last sample."""
        self._dry: tuple[int, ...] = ()
        """The last few samples before which there was nothing, and silence was let out."""

    @property
    def written(self) -> int:
        """The number of the sample that is written next."""
        return self._ring.written - self._offset

    @property
    def waiting(self) -> int:
        """Samples that have not been taken."""
        return self._ring.waiting

    def put(self, samples: Samples) -> None:
        """Add float32 [n] to what waits."""
        self._ring.put(mono(samples))

    def take(self, out: NDArray[np.float32], leaves: float) -> int:
        """Fill float32 [n, 1], of which the first leaves the speaker at session time `leaves`.

        Returns how many samples there were; behind them is silence.
        """
        cut, base = self._cut
        dropping = self._ring.taken < cut
        if not dropping:
            self._base = base
        if dropping or self._held:
            count = self._fall_silent(out, leaves, cut, base)
        else:
            count = self._go_on(out, leaves)
        out[count:] = 0.0
        return count

    def _go_on(self, out: NDArray[np.float32], leaves: float) -> int:
        ring, volume = self._ring, self._volume
        if self._again and volume.now == 0.0:
            self._reached = max(self._reached, ring.taken - self._base)
            ring.back(min(self._again, ring.taken - self._cut[0]))
        self._again = self._faded = 0
        count = self._pass(out, leaves)
        # Back from silence as quickly as it came, and gently from what was only quieter.
        seconds = FADE if volume.now < self._ducked else DUCK
        volume.apply(out[:count, 0], self._level, seconds)
        if count < len(out):
            volume.now = self._level
            self._broken = True
            dry = ring.taken - self._base
            if dry not in self._dry[-1:]:
                self._dry = (*self._dry[-7:], dry)
        return count

    def _fall_silent(self, out: NDArray[np.float32], leaves: float, cut: int, base: int) -> int:
        ring, volume = self._ring, self._volume
        dropped = ring.taken < cut
        room = min(len(out), volume.way(0.0, FADE))
        count = self._pass(out[: min(room, cut - ring.taken) if dropped else room], leaves)
        volume.apply(out[:count, 0], 0.0, FADE)
        self._faded += count
        if count == len(out) and not (dropped and ring.taken == cut):
            return count
        volume.now = 0.0
        self._broken = True
        if dropped:
            self._base = base
            ring.skip(cut)
            volume.now = 0.0 if self._held else self._level
        else:
            # What only faded out was not heard.
            ring.back(self._faded)
        self._faded = 0
        return count

    def _pass(self, out: NDArray[np.float32], leaves: float) -> int:
        if self._ring.waiting and len(out):
            # Only when there is sound: while idle, the last anchor tells when the last one ended.
            number = self._ring.taken - self._base
            if self._broken:
                self._broken = False
                self._anchors = ((number, number, leaves), *self._anchors[:SILENCES])
            else:
                self._anchors = ((self._anchors[0][0], number, leaves), *self._anchors[1:])
        return self._ring.take(out)

    def samples_played(self, now: float) -> int:
        """How many samples have left the speaker at session time `now`."""
        heard = self._handed_over()
        for since, number, time in self._anchors:
            by_then = number + int((now - time) * self._rate)
            if by_then >= since:
                return max(self._reached, min(heard, by_then))
            # What comes after that silence is still on its way through the device.
            heard = min(heard, since)
        return max(self._reached, 0)

    def _handed_over(self) -> int:
        """How many samples the device has taken, of those that count."""
        cut, base = self._cut
        taken = self._ring.taken
        # What fades out after a stop does not count.
        return max(self._reached, cut - base if taken < cut else taken - self._base)

    def time_of(self, number: int) -> float:
        """Session time at which sample `number` leaves, or left, the speaker."""
        _, known, time = next((a for a in self._anchors if a[0] <= number), self._anchors[-1])
        return time + (number - known) / self._rate

    def stop(self) -> int:
        """Drop what waits; returns how many samples will have been heard.

        What the device has taken already can no longer be kept from it.
        """
        heard, written = self._handed_over(), self._ring.written
        self._offset = written - heard
        self._cut = written, self._offset
        self._level = 1.0
        self._held = False
        return heard

    def duck(self, on: bool) -> None:
        """Be quieter, or as loud as before."""
        self._level = self._ducked if on else 1.0

    def pause(self) -> int:
        """Fall silent and keep what waits; returns the number of the first sample kept back."""
        self._again = 0
        self._held = True
        return self._handed_over()

    def resume(self, again: int = 0) -> None:
        """Continue after `pause`, with the last `again` samples once more."""
        if self._held:
            self._again = min(again, int(AGAIN * self._rate))
            self._held = False

    def silent_before(self, number: int) -> bool:
        """Whether there was nothing to be taken just before sample `number`."""
        return number in self._dry

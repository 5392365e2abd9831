"""The frames between a Player and a device's callback, which can be dropped or replaced at once.

The callback calls only `take`, which neither locks nor allocates samples. Other methods may be
called from any thread, `write` and `clear` from one thread at a time.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import Samples
from edgevoice.devices.ring import Ring, mono
from edgevoice.player import MAX_REPLAY, NOTHING, WRITE_AHEAD
from edgevoice.protocols import Position

LONGEST_FADE = 0.1
"""Seconds of the longest fade."""

MAX_LINES = 4
"""More than the callback can be behind."""

ORIGIN_WINDOW = 100
"""Callbacks over which the device's clock is matched to the session's: about a second."""


class _Line:
    """Frames in order, from frame `first` on.

    `fade` frames lead from the line before to this one. `replaced` frames take the place of frames
    of the line before; those that are taken meanwhile are left out.
    """

    def __init__(self, size: int, first: int, fade: int = 0) -> None:
        self.ring = Ring(size, 1)
        self.first = first
        self.fade = fade
        self.replaced = 0

    def next_after(self, number: int) -> int:
        """The next frame to be taken from here if it would be `number` in the line before."""
        left_out = max(0, min(number - self.first, self.replaced))
        return max(self.first + left_out, self.next)

    @property
    def next(self) -> int:
        """The next frame to be taken."""
        return self.first + self.ring.taken

    @property
    def end(self) -> int:
        """The frame that is written next."""
        return self.first + self.ring.written


def _frames(line: _Line, first: int, count: int) -> Samples:
    """float32 [count] or less: the frames of `line` from `first` on."""
    out = np.empty((count, 1), dtype=np.float32)
    return out[: line.ring.peek(out, first - line.first), 0]


def _faded_over(kept: Samples, instead: Samples, before: Samples) -> tuple[Samples, Samples]:
    """`kept` and `instead`, which follow each other without a click; `before` followed first."""
    if not len(instead):
        count = min(len(kept), len(before))
        kept[len(kept) - count :] *= np.arange(count, 0, -1, dtype=np.float32) / max(1, count + 1)
        return kept, instead
    count = min(len(instead), len(before))
    up = np.arange(1, count + 1, dtype=np.float32) / max(1, count)
    mixed = instead.copy()
    mixed[:count] = mixed[:count] * up + before[:count] * (1 - up)
    return kept, mixed


class PlayoutBuffer:
    """A queue of float32 frames at `rate` Hz, numbered from 0; silence has no number.

    `clear` begins a new line of frames, and the callback changes over to the newest line: it fades
    out the old one and fades in the new one, from where it is.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._size = int((2 * WRITE_AHEAD + MAX_REPLAY) * rate)
        self._newest = self._line = _Line(self._size, 0)
        """The line to change to, and the one that the callback takes from."""
        self._lines = deque([self._line], MAX_LINES)
        """The last lines, so that none is freed by the callback."""
        longest = int(LONGEST_FADE * rate)
        self._steps = np.arange(1, longest + 1, dtype=np.float32)
        self._up, self._down = (np.zeros(longest, dtype=np.float32) for _ in range(2))
        self._fall, self._spare = (np.zeros((longest, 1), dtype=np.float32) for _ in range(2))
        self._fade = self._faded = 0
        """Length of the last fade, and how much of it was played."""
        self._fading_in = False
        self._played = 0
        """Frames passed to the device, silence included."""
        self._anchor: tuple[int, int, int] | None = None
        """The first frame after the last silence; a later frame, and how many frames, silence
        included, came before that."""
        self._after_silence = True
        self._starved = -1
        self._origins = np.full(ORIGIN_WINDOW, np.inf)
        self._blocks = 0

    @property
    def waiting(self) -> int:
        """Frames not yet taken."""
        return self._newest.ring.waiting

    def write(self, samples: Samples) -> None:
        """Queue float32 [n]."""
        self._newest.ring.put(mono(samples))

    def clear(self, first: int, instead: Samples = NOTHING, fade: int = 0) -> int:
        """See AudioSink."""
        old, begin = self._newest, self._next()
        first = min(first, old.end)
        # Until they are replaced, the frames before `first` go on.
        kept = _frames(old, begin, max(0, first - begin))
        instead = instead[max(0, begin - first) :]
        fade = min(fade, len(self._steps))
        if kept.size:
            kept, instead = _faded_over(kept, instead, _frames(old, first, fade))
        line = _Line(self._size, begin, fade)
        line.ring.put(mono(kept))
        line.ring.put(mono(instead))
        line.replaced = line.ring.written
        self._newest = line
        self._lines.append(line)
        return max(begin, first)

    def _next(self) -> int:
        """The next frame to be taken."""
        line, newest = self._line, self._newest
        return line.next if newest is line else newest.next_after(line.next)

    def position(self, underruns: int = 0) -> Position:
        """See AudioSink."""
        anchor, taken = self._anchor, self._next()
        if anchor is None:
            return Position(taken, 0, 0, math.inf, self._starved, underruns)
        since, number, before = anchor
        time = float(self._origins.min()) + before / self._rate
        return Position(taken, since, number, time, self._starved, underruns)

    def interrupted(self) -> None:
        """Note that the device played silence of its own: only times from now on are valid.

        The callback calls it before `take`.
        """
        self._blocks = 0

    def take(self, out: NDArray[np.float32], leaves: float, wait: bool = False) -> int:
        """Fill float32 [n, 1]; its first frame leaves the speaker at session time `leaves`.

        With `wait` it is silent, and queued frames stay queued. Returns the number of frames until
        the end of the sound; the rest is silence.
        """
        # The session time of frame 0, by this block. A late callback can only make it later, so
        # `position` uses the earliest of the last second.
        origin = leaves - self._played / self._rate
        if self._blocks:
            self._origins[self._blocks % ORIGIN_WINDOW] = origin
        else:
            self._origins.fill(origin)
        self._blocks += 1
        if self._newest is not self._line:
            self._change_line(self._newest)
        line = self._line
        if not wait and line.ring.waiting:
            # Only with sound: while idle, the anchor tells when the last sound ended.
            number = line.next
            since = number if self._after_silence or not self._anchor else self._anchor[0]
            self._anchor = (since, number, self._played)
            self._after_silence = False
        count = 0 if wait else line.ring.take(out)
        if count < len(out):
            self._after_silence = True
            self._starved = line.next
            out[count:] = 0.0
        self._played += len(out)
        return max(count, self._mix(out))

    def _change_line(self, line: _Line) -> None:
        """Fade from what would come next to `line`."""
        coming = self._spare[: line.fade]
        before = self._line.ring.peek(coming, self._line.ring.taken)
        coming[before:] = 0.0
        faded = self._faded
        self._mix(coming)
        self._faded = faded
        up, down = self._up[: line.fade], self._down[: line.fade]
        np.multiply(self._steps[: line.fade], 1 / max(1, line.fade), out=up)
        np.subtract(1.0, up, out=down)
        coming[:, 0] *= down
        self._fall, self._spare = self._spare, self._fall
        self._fade, self._faded, self._fading_in = line.fade, 0, line.replaced > 0
        line.ring.skip(line.next_after(self._line.next) - line.first)
        self._line = line

    def _mix(self, out: NDArray[np.float32]) -> int:
        """Apply the rest of the fade to `out`; returns how many frames it reaches."""
        begin = self._faded
        count = min(self._fade - begin, len(out))
        if count <= 0:
            return 0
        if self._fading_in:
            out[:count, 0] *= self._up[begin : begin + count]
        out[:count] += self._fall[begin : begin + count]
        self._faded += count
        return count

"""What left a speaker in the last few seconds, by the time at which it did.

The device's callback writes it, without a lock and without memory of its own; any thread reads it.
What is read lies so far from where is being written that the two never meet.
"""

from __future__ import annotations

import numpy as np

from edgevoice.audio import Samples

KEPT = 3.0
"""Seconds that can be asked for."""

MARGIN = 1.0
"""Seconds more that the ring holds, so that nothing is read while it is being written over."""

ORIGINS = 100
"""Callbacks over which the device's clock is matched to ours: about a second."""


class PlayedHistory:
    """A ring of all that a device has taken, float32 at `rate` Hz, silence included."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._size = int((KEPT + MARGIN) * rate)
        self._data = np.zeros(self._size, dtype=np.float32)
        self._taken = 0
        self._origins = np.full(ORIGINS, np.inf)
        self._blocks = 0

    def put(self, block: Samples, leaves: float) -> None:
        """The device takes float32 [n], the first of which leaves it at session time `leaves`."""
        # The session time of frame 0, as this block tells it. A late callback only ever makes it
        # later, so the earliest of the last second is taken; older ones no longer hold once the
        # device let out silence of its own.
        self._origins[self._blocks % ORIGINS] = leaves - self._taken / self._rate
        self._blocks += 1
        at = self._taken % self._size
        first = min(len(block), self._size - at)
        self._data[at : at + first] = block[:first]
        self._data[: len(block) - first] = block[first:]
        self._taken += len(block)

    def interrupted(self) -> None:
        """The device let out silence of its own: what it tells of the time from now on holds."""
        self._origins.fill(np.inf)

    def at(self, time: float, count: int) -> Samples:
        """float32 [count] that left the speaker from session time `time` on; zeros where nothing
        did, or where it is not yet or no longer known."""
        found = np.zeros(count, dtype=np.float32)
        taken = self._taken
        if not taken:
            return found
        origin = float(self._origins.min())
        if origin == np.inf:
            return found
        begin = round((time - origin) * self._rate)
        first = max(begin, taken - int(KEPT * self._rate), 0)
        last = min(begin + count, taken)
        if first < last:
            places = np.arange(first, last) % self._size
            found[first - begin : last - begin] = self._data[places]
        return found

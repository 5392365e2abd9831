"""The last seconds of a speaker's output, by the time at which each sample left it.

The device's callback writes without locks or allocation; any thread reads. A reader stays
WRITE_MARGIN seconds away from the writer, so the two never meet.
"""

from __future__ import annotations

import numpy as np

from edgevoice.audio import Samples

HISTORY_SECONDS = 3.0
"""Seconds of output that can be read."""

WRITE_MARGIN = 1.0
"""Further seconds in the ring, so that no sample is read while it is overwritten."""

ORIGIN_WINDOW = 100
"""Callbacks over which the device's clock is matched to the session's: about a second."""


class PlayedHistory:
    """A ring of all samples passed to a device, float32 at `rate` Hz, silence included."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._size = int((HISTORY_SECONDS + WRITE_MARGIN) * rate)
        self._data = np.zeros(self._size, dtype=np.float32)
        self._played = 0
        self._origins = np.full(ORIGIN_WINDOW, np.inf)
        self._blocks = 0

    def put(self, block: Samples, leaves: float) -> None:
        """Add float32 [n]; its first sample leaves the device at session time `leaves`."""
        # The session time of sample 0, by this block. A late callback can only make it later, so
        # `at` uses the earliest of the last second. Older ones are wrong after an underrun.
        self._origins[self._blocks % ORIGIN_WINDOW] = leaves - self._played / self._rate
        self._blocks += 1
        at = self._played % self._size
        first = min(len(block), self._size - at)
        self._data[at : at + first] = block[:first]
        self._data[: len(block) - first] = block[first:]
        self._played += len(block)

    def interrupted(self) -> None:
        """Note an underrun: only the times of later blocks are valid."""
        self._origins.fill(np.inf)

    def at(self, time: float, count: int) -> Samples:
        """float32 [count] that left the speaker from session time `time` on.

        Zeros before the first sample, and where the output is not yet or no longer known.
        """
        found = np.zeros(count, dtype=np.float32)
        played = self._played
        if not played:
            return found
        origin = float(self._origins.min())
        if origin == np.inf:
            return found
        begin = round((time - origin) * self._rate)
        first = max(begin, played - int(HISTORY_SECONDS * self._rate), 0)
        last = min(begin + count, played)
        if first < last:
            positions = np.arange(first, last) % self._size
            found[first - begin : last - begin] = self._data[positions]
        return found

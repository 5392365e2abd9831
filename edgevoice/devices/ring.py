"""A ring of sound between a device's callback and the thread that serves it.

One side only writes, the other only reads, and each moves only its own counter, so neither needs a
lock: that is what makes it fit for a PortAudio callback. Counters only grow; the place in the ring
is their remainder.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import Samples


class Ring:
    """Preallocated float32 [size, channels]; `written` and `read` count frames since the start."""

    def __init__(self, size: int, channels: int) -> None:
        self.size = size
        self._data = np.zeros((size, channels), dtype=np.float32)
        self.written = 0
        self.taken = 0
        self.lost = 0
        """Frames that found no room."""

    @property
    def waiting(self) -> int:
        """Frames written and not yet taken."""
        return self.written - self.taken

    @property
    def room(self) -> int:
        """Frames that can be written now."""
        return self.size - self.waiting

    def put(self, block: NDArray[np.float32]) -> int:
        """Write float32 [n, channels]; returns how many of the n frames found room."""
        count = min(len(block), self.room)
        self.lost += len(block) - count
        at = self.written % self.size
        first = min(count, self.size - at)
        self._data[at : at + first] = block[:first]
        self._data[: count - first] = block[first:count]
        self.written += count
        return count

    def take(self, out: NDArray[np.float32]) -> int:
        """Fill float32 [n, channels] from its beginning; returns how many frames there were."""
        count = min(len(out), self.waiting)
        at = self.taken % self.size
        first = min(count, self.size - at)
        out[:first] = self._data[at : at + first]
        out[first:count] = self._data[: count - first]
        self.taken += count
        return count

    def skip(self, until: int) -> None:
        """Let the reader pass over everything written before frame `until`."""
        self.taken = max(self.taken, min(until, self.written))

    def back(self, count: int) -> None:
        """Let the reader go back over the last `count` frames, as far as they are still here."""
        self.taken -= max(0, min(count, self.taken, self.room))


def mono(samples: Samples) -> NDArray[np.float32]:
    """float32 [n] as [n, 1], without a copy."""
    return samples.reshape(-1, 1)

"""A ring buffer between a device's callback and the thread that serves it.

One side only writes, the other only reads, and each moves only its own counter. So no lock is
needed, and the ring is safe in a PortAudio callback. Counters only grow; the position in the ring
is counter modulo size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import Samples


class Ring:
    """Preallocated float32 [size, channels]; `written` and `taken` count frames since the start."""

    def __init__(self, size: int, channels: int) -> None:
        self.size = size
        self._data = np.zeros((size, channels), dtype=np.float32)
        self.written = 0
        self.taken = 0
        self.lost = 0
        """Frames that were dropped because the ring was full."""

    @property
    def waiting(self) -> int:
        """Frames written and not yet taken."""
        return self.written - self.taken

    @property
    def room(self) -> int:
        """Frames that can be written now."""
        return self.size - self.waiting

    def put(self, block: NDArray[np.float32]) -> int:
        """Write float32 [n, channels]; returns how many of the n frames were stored."""
        count = min(len(block), self.room)
        self.lost += len(block) - count
        at = self.written % self.size
        first = min(count, self.size - at)
        self._data[at : at + first] = block[:first]
        self._data[: count - first] = block[first:count]
        self.written += count
        return count

    def take(self, out: NDArray[np.float32]) -> int:
        """Fill float32 [n, channels] from its start; returns how many frames were available."""
        count = self.peek(out, self.taken)
        self.taken += count
        return count

    def peek(self, out: NDArray[np.float32], begin: int) -> int:
        """Like `take`, from frame `begin` on, which stays; for either side."""
        count = max(0, min(len(out), self.written - begin))
        at = begin % self.size
        first = min(count, self.size - at)
        out[:first] = self._data[at : at + first]
        out[first:count] = self._data[: count - first]
        return count

    def skip(self, until: int) -> None:
        """Skip everything written before frame `until`; called by the reader."""
        self.taken = max(self.taken, min(until, self.written))


def mono(samples: Samples) -> NDArray[np.float32]:
    """float32 [n] as [n, 1], without a copy."""
    return samples.reshape(-1, 1)

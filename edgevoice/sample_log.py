"""Samples by number, in the pieces in which they were written."""

from __future__ import annotations

from collections import deque

import numpy as np

from edgevoice.audio import Samples


class SampleLog:
    """The newest float32 samples of a stream: those from `first` to `end`."""

    def __init__(self) -> None:
        self._pieces: deque[Samples] = deque()
        self.first = self.end = 0

    def append(self, samples: Samples) -> None:
        """Add float32 [n]."""
        if len(samples):
            self._pieces.append(samples)
            self.end += len(samples)

    def between(self, first: int, end: int) -> Samples:
        """float32: the samples from `first` to `end`, as far as they are here."""
        found: list[Samples] = []
        at = self.end
        # From the end: mostly the newest are wanted.
        for piece in reversed(self._pieces):
            if at <= first:
                break
            at -= len(piece)
            if at < end:
                found.append(piece[max(0, first - at) : end - at])
        return np.concatenate([np.zeros(0, dtype=np.float32), *reversed(found)])

    def cut(self, end: int) -> None:
        """Drop the samples from `end` on."""
        while self._pieces and self.end - len(self._pieces[-1]) >= end:
            self.end -= len(self._pieces.pop())
        if self._pieces and self.end > end:
            piece = self._pieces.pop()
            self._pieces.append(piece[: len(piece) - (self.end - end)])
        self.end = end
        if not self._pieces:
            self.first = end

    def forget(self, first: int) -> None:
        """Drop the samples before `first`, in whole pieces."""
        while self._pieces and self.first + len(self._pieces[0]) <= first:
            self.first += len(self._pieces.popleft())

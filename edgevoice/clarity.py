"""Whether what goes on for so long gets anywhere: a hard limit for noise that is taken for speech.

Pure. Somebody who dictates is long, too, but every few seconds there are new words of theirs; out
of noise a recognizer makes none, or none that can be believed.
"""

from __future__ import annotations

from edgevoice.audio import EAR_RATE

LEAST_READINGS = 2
"""What was heard is read so often, at least, before it is given up: a slow recognizer's fault is
not the speaker's."""


class Clarity:
    """Follows one utterance after the other."""

    def __init__(self, seconds: float) -> None:
        """`seconds` without a new word are too long; 0: none are."""
        self._longest = int(seconds * EAR_RATE)
        self.begin(0)

    def begin(self, index: int) -> None:
        """An utterance begins at stream index `index`."""
        self._since = index
        self._most = 0
        self._read = 0
        self._newest = -1, 0, 0

    def is_doubtful(self, index: int) -> bool:
        """Whether it should be looked at by now, even where nobody looks as a rule."""
        return 0 < self._longest <= 2 * (index - self._since)

    def is_lost(self, index: int, turn: int, readings: int, words: int) -> bool:
        """Whether to give up at stream index `index`: turn `turn` of the utterance was read
        `readings` times so far, and `words` words of it are believed."""
        if (turn, readings, words) != self._newest:
            before = self._newest[1] if turn == self._newest[0] else 0
            self._newest = turn, readings, words
            self._read += readings - before
            if words > self._most:
                self._most, self._since, self._read = words, index, 0
        return 0 < self._longest <= index - self._since and self._read >= LEAST_READINGS

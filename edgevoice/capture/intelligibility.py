"""Whether what goes on for so long gets anywhere: a hard limit for noise that is taken for speech.

Pure. Somebody who dictates is long, too, but every few seconds there are new words of theirs; out
of noise a recognizer makes none, or none that can be believed.
"""

from __future__ import annotations

from edgevoice.audio import EAR_RATE
from edgevoice.words import same_words

LEAST_READINGS = 2
"""What was heard is read so often, at least, before it is given up: a slow recognizer's fault is
not the speaker's."""

SAME_READINGS = 4
"""Readings in a row that say the same, at least, to be taken for somebody's: of a crowd another
thing is read each time."""

LEFT = 0.5
"""The share of the limit after which what was understood before is all that there is: somebody who
has finished should not wait as long as somebody of whom no word was made out."""


class Intelligibility:
    """Follows one utterance after the other."""

    def __init__(self, seconds: float) -> None:
        """`seconds` without a new word are too long; 0: none are."""
        self._longest = int(seconds * EAR_RATE)
        self.begin(0)

    def begin(self, index: int) -> None:
        """An utterance begins at stream index `index`."""
        self.since = index
        """Stream index at which there was something new last."""
        self._most = 0
        self._read = 0
        self._newest = -1, 0, 0
        self._text = ""
        self._same = 0

    def is_doubtful(self, index: int) -> bool:
        """Whether it should be looked at by now, even where nobody looks as a rule."""
        return 0 < self._longest <= 2 * (index - self.since)

    def note(self, index: int, turn: int, readings: int, words: int, text: str) -> None:
        """At stream index `index`, turn `turn` of the utterance was read `readings` times so far,
        as `text` the last time, and `words` words of it are believed."""
        if (turn, readings, words) == self._newest:
            return
        before = self._newest[1] if turn == self._newest[0] else 0
        self._newest = turn, readings, words
        self._read += readings - before
        self._same = self._same + readings - before if same_words(text, self._text) else 0
        self._text = text
        if words > self._most:
            self._most, self.since, self._read = words, index, 0

    def is_lost(self, index: int) -> bool:
        """Whether to give up at stream index `index`."""
        return 0 < self._longest <= index - self.since and self._read >= LEAST_READINGS

    def is_left(self, index: int) -> bool:
        """Whether somebody was understood, and by stream index `index` nothing that came since."""
        late = 0 < LEFT * self._longest <= index - self.since
        return late and self._most > 0 and self._same >= SAME_READINGS

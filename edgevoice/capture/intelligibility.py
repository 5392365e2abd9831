"""A time limit for speech without new intelligible words, for example noise taken for speech.

Pure. Long dictation has new words every few seconds. Noise gives no words, or none that are
accepted.
"""

from __future__ import annotations

from edgevoice.audio import CAPTURE_RATE
from edgevoice.words import same_words

LEAST_TRANSCRIPTS = 2
"""Least number of transcripts before giving up, so that a slow recognizer gets its chance."""

SAME_TRANSCRIPTS = 4
"""Least number of equal transcripts in a row from one speaker: a crowd gives a new text each
time."""

LEFT = 0.5
"""Share of the limit after which the words understood so far are taken for the whole utterance."""


class Intelligibility:
    """Follows one utterance after the other."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is the longest time without a new word; 0: no limit."""
        self._longest = int(seconds * CAPTURE_RATE)
        self.begin(0)

    def begin(self, index: int) -> None:
        """An utterance begins at stream index `index`."""
        self.since = index
        """Stream index of the last new word."""
        self._most = 0
        self._read = 0
        self._newest = -1, 0, 0
        self._text = ""
        self._same = 0

    def is_doubtful(self, index: int) -> bool:
        """Whether to transcribe it now, even if interim transcripts are off."""
        return 0 < self._longest <= 2 * (index - self.since)

    def note(self, index: int, turn: int, transcripts: int, words: int, text: str) -> None:
        """Note the state at stream index `index`: turn `turn` has `transcripts` transcripts so far,
        the newest is `text`, and `words` of its words are accepted."""
        if (turn, transcripts, words) == self._newest:
            return
        before = self._newest[1] if turn == self._newest[0] else 0
        self._newest = turn, transcripts, words
        self._read += transcripts - before
        self._same = self._same + transcripts - before if same_words(text, self._text) else 0
        self._text = text
        if words > self._most:
            self._most, self.since, self._read = words, index, 0

    def is_lost(self, index: int) -> bool:
        """Whether to give up at stream index `index`: no new word for too long."""
        return 0 < self._longest <= index - self.since and self._read >= LEAST_TRANSCRIPTS

    def is_left(self, index: int) -> bool:
        """Whether words were understood, and none since then up to stream index `index`."""
        late = 0 < LEFT * self._longest <= index - self.since
        return late and self._most > 0 and self._same >= SAME_TRANSCRIPTS

"""When a clause is to be cut, so that it is heard soon and the next one is there in time.

Writing and speaking are measured in the same unit, characters of text: how many seconds it takes
to write one, to say one, and to begin to say one. Rates are of this machine, model and voice, as
they were most recently; before anything is measured they are those of a slow machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgevoice.agent.clauses import Break

WRITING, SAYING, BEGINNING = 0.036, 0.055, 0.012
"""Seconds a character to begin with: 0.15 s a token; speech; until speech begins, for each."""
PRIOR = 40.0
"""Characters that the rates to begin with count for."""
MEMORY = 120.0
"""Characters after which a measurement counts for a third of what it did."""
ASIDE = 0.03
"""Seconds until a clause is begun to be said that do not depend on its length."""
BREATH = 0.15
"""Seconds of a clause's sound that do not depend on its length."""

AT_ONCE = 0.001
"""Seconds in which no model makes a token."""

WORD = 6
"""Characters of a word with the space behind it."""
NEXT = 4 * WORD
"""Characters after which the clause after the first can be expected to be cut."""
AGAIN = 3 * WORD
"""Characters within which there is another chance to cut between two words."""
BREAK = 8 * WORD
"""Characters within which a natural break can be expected."""
SPARE = 1.3
"""How much longer than expected writing may take: the first clause is synthesized meanwhile."""
WORTH = 0.12
"""Seconds of waiting for a natural break from which on cutting between two words is worth it."""
FEWEST: dict[Break, int] = {"sentence": 1, "pause": 1, "comma": 1, "conjunction": 2, "word": 3}
"""Words that a clause must have to be cut at each kind of break, where time presses."""


class _Rate:
    """Seconds a character; what is new counts more than what is old."""

    def __init__(self, seconds: float) -> None:
        self.value = seconds
        self._seconds, self._chars = seconds * PRIOR, PRIOR

    def add(self, seconds: float, chars: int) -> None:
        kept = max(0.0, 1.0 - chars / MEMORY)
        self._seconds = kept * self._seconds + max(0.0, seconds)
        self._chars = kept * self._chars + chars
        self.value = self._seconds / self._chars


class SpeechRate:
    """The rates of one assistant. Lives as long as it does.

    `wrote` is called by who writes, `said` by who speaks; each may have a thread of its own.
    """

    def __init__(self) -> None:
        self._writing = _Rate(WRITING)
        self._saying = _Rate(SAYING)
        self._beginning = _Rate(BEGINNING)
        self.longer = 0.0
        """Seconds by which all that was said was longer than expected; negative if shorter."""

    @property
    def writing(self) -> float:
        """Seconds to write a character."""
        return self._writing.value

    @property
    def saying(self) -> float:
        """Seconds to say a character."""
        return self._saying.value

    def sound(self, chars: int) -> float:
        """Seconds of sound that a clause of `chars` characters is."""
        return BREATH + self._saying.value * chars

    def beginning(self, chars: int) -> float:
        """Seconds from the cut of a clause of `chars` characters to its first sound."""
        return ASIDE + self._beginning.value * chars

    def wrote(self, chars: int, seconds: float) -> None:
        """So many characters were written in so many seconds."""
        if chars > 0:
            self._writing.add(seconds, chars)

    def said(self, chars: int, until_first: float, sound: float) -> None:
        """A clause of `chars` characters became `sound` seconds of it, the first of which came
        `until_first` seconds after it was begun."""
        if chars > 0:
            self.longer += sound - self.sound(chars)
            self._beginning.add(until_first - ASIDE, chars)
            self._saying.add(sound - BREATH, chars)


class SpeechRates:
    """The rates of each language: its words are written by more tokens or fewer, and another voice
    says them. A language that is none of these has the rates of the first one."""

    def __init__(self, languages: Sequence[str]) -> None:
        self._of = {language: SpeechRate() for language in languages}
        self._main = self._of[languages[0]]

    def of(self, language: str) -> SpeechRate:
        """The rates of a language."""
        return self._of.get(language, self._main)


@dataclass(slots=True)
class CutPlan:
    """When to cut one reply. `end` is the time at which all that was cut will have been heard,
    `last` that of its newest token; in seconds on any clock, as given to it."""

    rate: SpeechRate
    last: float | None = None
    _end: float | None = None
    _longer: float = 0.0

    @property
    def end(self) -> float | None:
        """What was expected, corrected by how long the clauses became that were said since."""
        return None if self._end is None else self._end + self.rate.longer - self._longer

    def wrote(self, chars: int, now: float) -> None:
        """The next token of the reply is there, with so many characters."""
        if not chars:
            return
        # Tokens that had been made before come without any time between them, and tell nothing.
        if self.last is not None and now - self.last > AT_ONCE:
            self.rate.wrote(chars, now - self.last)
        self.last = now

    def may_begin(self, kind: Break, words: int, chars: int) -> bool:
        """Whether the first clause may be cut at this break, with so many words and characters.

        It must take longer to say than the second one takes to come, or there would be a gap after
        it; and a cut between two words must gain enough.
        """
        rate = self.rate.writing
        if words < FEWEST[kind] or (kind == "word" and rate * BREAK < WORTH):
            return False
        # A sentence ends in some silence of the voice's own.
        following = FEWEST["word"] * WORD if kind == "sentence" else NEXT
        coming = rate * following + self.rate.beginning(following)
        return self.rate.sound(chars) >= SPARE * coming

    def must_go_on(self, kind: Break, words: int, chars: int, now: float) -> bool:
        """Whether a later clause is to be cut here for what was cut before is nearly over.

        At a natural break what counts is when the next one comes: between words there may be none
        to cut at for a while, in a number say, which is also written slowly. Where writing is
        slower than speech, pieces would only make more gaps of one.
        """
        rate = self.rate.writing
        if self.end is None or words < FEWEST[kind] or rate >= self.rate.saying:
            return False
        ahead = AGAIN if kind == "word" else BREAK
        later = chars + ahead
        return now + rate * ahead + self.rate.beginning(later) * SPARE > self.end

    def cut(self, chars: int, now: float) -> None:
        """A clause of `chars` spoken characters was cut."""
        begins = now + self.rate.beginning(chars)
        self._end = max(begins, self.end or begins) + self.rate.sound(chars)
        self._longer = self.rate.longer

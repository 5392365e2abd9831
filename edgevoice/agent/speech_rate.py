"""Speech and generation rates, and the clause cuts that follow from them.

A clause is cut so that it is played soon, and the next one is ready in time. All rates are in
seconds per character of text: to generate it, to play it, and to begin to synthesize it. They are
measured on this machine, with this model and voice; the initial values are those of a slow machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgevoice.agent.clauses import Break

WRITING, SAYING, BEGINNING = 0.036, 0.055, 0.012
"""Initial seconds per character: to generate (0.15 s a token), to play, to begin synthesis."""
PRIOR = 40.0
"""Weight of the initial rates, in characters."""
MEMORY_CHARACTERS = 120.0
"""Characters after which the weight of a measurement falls to a third."""
ASIDE = 0.03
"""Constant part of the seconds until a clause's first audio."""
CLAUSE_BASE_SECONDS = 0.15
"""Constant part of the seconds of a clause's audio."""

LEAST_TOKEN_SECONDS = 0.001
"""Seconds that are too short for a model to generate a token."""

WORD = 6
"""Characters of a word and the space after it."""
NEXT = 4 * WORD
"""Expected characters of the second clause."""
WORD_CUT_DISTANCE = 3 * WORD
"""Expected characters to the next possible cut between two words."""
BREAK_DISTANCE = 8 * WORD
"""Expected characters to the next natural break."""
GENERATION_SAFETY = 1.3
"""Safety factor for the generation time: the first clause is synthesized meanwhile."""
WORTH = 0.12
"""Least seconds until a natural break that make a cut between two words worth it."""
FEWEST: dict[Break, int] = {"sentence": 1, "pause": 1, "comma": 1, "conjunction": 2, "word": 3}
"""Least words of a clause that must be cut early, by kind of break."""


class _Rate:
    """Seconds per character, with more weight on new measurements."""

    def __init__(self, seconds: float) -> None:
        self.value = seconds
        self._seconds, self._chars = seconds * PRIOR, PRIOR

    def add(self, seconds: float, chars: int) -> None:
        kept = max(0.0, 1.0 - chars / MEMORY_CHARACTERS)
        self._seconds = kept * self._seconds + max(0.0, seconds)
        self._chars = kept * self._chars + chars
        self.value = self._seconds / self._chars


class SpeechRate:
    """The rates of one voice in a session.

    The agent calls `wrote`, synthesis calls `said`; each may have its own thread.
    """

    def __init__(self) -> None:
        self._writing = _Rate(WRITING)
        self._saying = _Rate(SAYING)
        self._beginning = _Rate(BEGINNING)
        self.longer = 0.0
        """Seconds by which all clauses were longer than expected; negative if shorter."""

    @property
    def writing(self) -> float:
        """Seconds to generate a character."""
        return self._writing.value

    @property
    def saying(self) -> float:
        """Seconds to play a character."""
        return self._saying.value

    def sound(self, chars: int) -> float:
        """Expected seconds of audio for a clause of `chars` characters."""
        return CLAUSE_BASE_SECONDS + self._saying.value * chars

    def beginning(self, chars: int) -> float:
        """Expected seconds from the cut of a clause of `chars` characters to its first audio."""
        return ASIDE + self._beginning.value * chars

    def wrote(self, chars: int, seconds: float) -> None:
        """`chars` characters were generated in `seconds`."""
        if chars > 0:
            self._writing.add(seconds, chars)

    def said(self, chars: int, until_first: float, sound: float) -> None:
        """A clause of `chars` characters became `sound` seconds of audio; the first piece came
        after `until_first` seconds."""
        if chars > 0:
            self.longer += sound - self.sound(chars)
            self._beginning.add(until_first - ASIDE, chars)
            self._saying.add(sound - CLAUSE_BASE_SECONDS, chars)


class SpeechRates:
    """The rates of each language: tokens per word differ, and so do voices. An unknown language has
    the rates of the first one."""

    def __init__(self, languages: Sequence[str]) -> None:
        self._of = {language: SpeechRate() for language in languages}
        self._main = self._of[languages[0]]

    def of(self, language: str) -> SpeechRate:
        """The rates of a language."""
        return self._of.get(language, self._main)


@dataclass(slots=True)
class CutPlan:
    """Decides when to cut one reply. `last` is the time of its newest token, in seconds on the
    clock of the caller."""

    rate: SpeechRate
    last: float | None = None
    _end: float | None = None
    _longer: float = 0.0

    @property
    def end(self) -> float | None:
        """Expected time at which all cut clauses will have been played, corrected by the measured
        lengths."""
        return None if self._end is None else self._end + self.rate.longer - self._longer

    def wrote(self, chars: int, now: float) -> None:
        """The next token of the reply has `chars` characters."""
        if not chars:
            return
        # Tokens of a speculative reply come all at once, and have no rate.
        if self.last is not None and now - self.last > LEAST_TOKEN_SECONDS:
            self.rate.wrote(chars, now - self.last)
        self.last = now

    def may_begin(self, kind: Break, words: int, chars: int) -> bool:
        """Whether the first clause may be cut at this break, with `words` words and `chars`
        characters.

        It must last longer than the second one takes to be ready, or there would be a gap; and a
        cut between two words must gain enough.
        """
        rate = self.rate.writing
        if words < FEWEST[kind] or (kind == "word" and rate * BREAK_DISTANCE < WORTH):
            return False
        # The voice adds some silence after a sentence.
        following = FEWEST["word"] * WORD if kind == "sentence" else NEXT
        coming = rate * following + self.rate.beginning(following)
        return self.rate.sound(chars) >= GENERATION_SAFETY * coming

    def must_go_on(self, kind: Break, words: int, chars: int, now: float) -> bool:
        """Whether a later clause must be cut here, because the audio before it is nearly over.

        At a natural break, the time of the next break counts: a number, for example, has no break
        and is generated slowly. If generation is slower than speech, more cuts would only make more
        gaps.
        """
        rate = self.rate.writing
        if self.end is None or words < FEWEST[kind] or rate >= self.rate.saying:
            return False
        ahead = WORD_CUT_DISTANCE if kind == "word" else BREAK_DISTANCE
        later = chars + ahead
        return now + rate * ahead + self.rate.beginning(later) * GENERATION_SAFETY > self.end

    def cut(self, chars: int, now: float) -> None:
        """A clause of `chars` spoken characters was cut."""
        begins = now + self.rate.beginning(chars)
        self._end = max(begins, self.end or begins) + self.rate.sound(chars)
        self._longer = self.rate.longer

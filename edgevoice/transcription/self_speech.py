"""The assistant's own words, should the ears have taken them for somebody's.

The second line behind the echo canceller: what was recognized is compared with what was spoken
aloud meanwhile and just before, by spelling and by sound, for "2 plus 2" and "Two + two" are the
same to an ear. Words in the same order are its own, a little misheard or not; what comes behind
them is the user's. Pure: a fold over events, and a comparison of texts.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from edgevoice import events as ev
from edgevoice.protocols import Pronounce
from edgevoice.words import apart, plain, worth

LATE = 2.0
"""Seconds after it was spoken that a word may still be heard: a long delay, and a long room."""

LEAST = 4
"""Words in order that are no coincidence: people do repeat a word or two of an answer."""

LEAST_ALONE = 3
"""The same where nothing else was recognized."""

MOSTLY = 0.6
"""The share of what was recognized from which all of it is its own."""

STRAY = 1
"""Words before and behind its own that are its own, too, so badly misheard, or cut off, that they
match nothing."""

LIKE = 0.6
"""How alike two words must be (difflib's ratio) where one may have been misheard for the other."""

MISSED = 0.6
"""What a word costs that is another one, or stands in only one of the two, in matched words."""

CLAUSES = 64
"""Clauses that are remembered."""


_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")


@dataclass(frozen=True, slots=True)
class _Word:
    """A word, or a sign where they are not parted, as it is compared: its letters, its sound, and
    which of the text's it is of."""

    letters: str
    sound: str
    of: int


@dataclass(slots=True)
class _Clause:
    """`text` as written, `spoken` as said; began and ended at session times in seconds."""

    text: str
    spoken: str
    began: float
    ended: float


class SelfSpeechFilter:
    """Follows what is said aloud; subscribe it to the bus. `pronounce` tells how a word is said.

    It knows of none as long as the microphone is not known to hear the speaker: who hears the
    answer in headphones may well repeat it.
    """

    def __init__(self, pronounce: Pronounce = lambda word, language: ()) -> None:
        self._pronounce = pronounce
        self._cut: dict[tuple[int, int], tuple[str, str]] = {}
        self._seconds: dict[tuple[int, int], float] = {}
        self._played: deque[tuple[tuple[int, int], _Clause]] = deque(maxlen=CLAUSES)
        self._started: dict[int, float] = {}
        self._echoes = False

    def __call__(self, event: ev.Event) -> None:
        match event:
            case ev.EchoMeasured():
                self._echoes = event.delay is not None
            case ev.ClauseReady():
                self._cut[event.turn, event.clause] = event.text, event.spoken
            case ev.SynthesisEnded():
                self._seconds[event.turn, event.clause] = event.seconds
            case ev.PlaybackStarted():
                self._play((event.turn, event.clause), event.at)
            case ev.PlaybackEnded():
                for (turn, _), clause in self._played:
                    if turn == event.turn:
                        clause.ended = min(clause.ended, event.at)
            case ev.SpeechStarted():
                self._started[event.turn] = event.at
            case ev.TurnCompleted() | ev.TurnCancelled():
                # A question may still be being read when its turn is over: kept until the next.
                for known in (self._cut, self._seconds):
                    for key in [key for key in known if key[0] < event.turn]:
                        del known[key]
                for number in [n for n in self._started if n < event.turn - CLAUSES]:
                    del self._started[number]
            case _:
                pass

    def _play(self, key: tuple[int, int], at: float) -> None:
        if key not in self._cut:
            return
        ended = at + self._seconds[key] if key in self._seconds else float("inf")
        for (turn, _), before in self._played:
            if turn == key[0]:
                before.ended = min(before.ended, at)
        self._played.append((key, _Clause(*self._cut[key], at, ended)))

    def without(self, turn: int, text: str, language: str = "") -> str:
        """`text`, recognized as the question of `turn` in `language`, without its own words; empty
        if it was mostly those."""
        if not self._echoes or turn not in self._started:
            return text
        began = self._started[turn]
        said = [c for (of, _), c in self._played if of != turn and c.ended >= began - LATE]

        def sounds(word: str) -> Sequence[str]:
            return self._pronounce(word, language)

        left = (
            others(text, " ".join(c.text for c in said), sounds),
            others(text, " ".join(c.spoken for c in said), sounds),
        )
        return min(left, key=len)


def others(text: str, said: str, sounds: Callable[[str], Sequence[str]] = lambda word: ()) -> str:
    """What is left of `text` without the words that `said` has in the same order.

    All of it where those are too few to be no coincidence, or where they do not come first.
    """
    found = apart(text)
    words = _words(found, sounds)
    first, last, matched = _common(words, _words(apart(said), sounds))
    if not matched:
        return text
    # However many words a number is read as, whoever asks for it again has said one.
    stretch = {word.of for word in words[first:last]}
    common = min(1.0, matched / len(stretch)) * sum(worth(found[at][0]) for at in stretch)
    if common < (LEAST_ALONE if matched == len(words) else LEAST):
        return text
    if matched >= MOSTLY * len(words) and first <= STRAY and len(words) - last <= STRAY:
        return ""
    # With more before them, somebody quotes.
    return text[found[words[last - 1].of].end() :].lstrip() if first <= STRAY else text


def _words(found: Sequence[re.Match[str]], sounds: Callable[[str], Sequence[str]]) -> list[_Word]:
    """The words in `found` as they are compared, of which "twenty-one" and "21" have two each."""
    words = []
    for number, whole in enumerate(found):
        for part in _HYPHEN.split(whole[0]):
            said = sounds(part)
            if len(said) > 1:
                words += [_Word("", sound, number) for sound in said]
            else:
                words.append(_Word(plain(part), said[0] if said else "", number))
    return words


def _common(words: list[_Word], said: list[_Word]) -> tuple[int, int, int]:
    """The stretch of `words` that is most like a stretch of `said`: its first word, the one after
    its last, and how many match (local alignment: Smith, Waterman, J. Mol. Biol. 147, 1981)."""
    best = (0.0, 0, 0, 0)
    row = [(0.0, 0, 0)] * (len(said) + 1)
    for i, word in enumerate(words):
        above, row = row, [(0.0, i + 1, 0)]
        for j, other in enumerate(said):
            score, first, matched = above[j] if above[j][0] > 0 else (0.0, i, 0)
            alike = _alike(word, other)
            step = (score + (alike or -MISSED), first, matched + (alike > 0))
            skipped = max(above[j + 1], row[j], key=lambda cell: cell[0])
            passed = (skipped[0] - MISSED, skipped[1], skipped[2])
            step = max(step, passed, key=lambda cell: cell[0])
            row.append(step if step[0] > 0 else (0.0, i + 1, 0))
            if alike and row[-1][0] > best[0]:
                best = (row[-1][0], row[-1][1], i + 1, row[-1][2])
    return best[1], best[2], best[3]


def _alike(one: _Word, other: _Word) -> float:
    if (one.letters and one.letters == other.letters) or (one.sound and one.sound == other.sound):
        return 1.0
    if min(len(one.letters), len(other.letters)) < 3:
        return 0.0
    matcher = SequenceMatcher(None, one.letters, other.letters, autojunk=False)
    if matcher.real_quick_ratio() < LIKE or matcher.quick_ratio() < LIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= LIKE else 0.0

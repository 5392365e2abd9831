"""Self-speech detection: removes the assistant's own words from transcripts.

It backs up the echo canceller. A transcript is compared with the reply played meanwhile and just
before, by spelling and by sound: "2 plus 2" and "Two + two" sound the same. Words in the same
order are the assistant's own, also if slightly misheard; words after them are the user's. Pure: a
fold over events, and a comparison of texts.
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

LATE_WORD_SECONDS = 2.0
"""Seconds after its playback in which a word may still be captured."""

LEAST_MATCHING_WORDS = 4
"""Least number of words in order that are no coincidence: users repeat a word or two of a reply."""

LEAST_ALONE = 3
"""The same if the transcript has no other words."""

MOSTLY = 0.6
"""Share of the transcript from which all of it is self-speech."""

STRAY = 1
"""Unmatched words before and after that still count as self-speech: misheard or cut off."""

LIKE = 0.6
"""Least similarity (difflib's ratio) of a word and its misheard form."""

MISSED = 0.6
"""Cost of a different, missing or extra word, in matched words."""

CLAUSES = 64
"""Number of clauses that are remembered."""


_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")


@dataclass(frozen=True, slots=True)
class _Word:
    """A word as it is compared: its letters, its phonemes, and the index of its word in the text.
    A sign, in languages without spaces."""

    letters: str
    sound: str
    of: int


@dataclass(slots=True)
class _Clause:
    """A played clause: `text` as generated, `spoken` as synthesized; session times in seconds."""

    text: str
    spoken: str
    began: float
    ended: float


class SelfSpeechFilter:
    """Follows the played replies; subscribe it to the bus.

    It removes nothing while no echo is measured: a user with headphones may repeat the reply.
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
                # A question may be transcribed after its turn is over: keep it until the next.
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
        """`text`, the transcript of `turn` in `language`, without self-speech; empty if it is
        mostly self-speech."""
        if not self._echoes or turn not in self._started:
            return text
        began = self._started[turn]
        said = [
            c for (of, _), c in self._played if of != turn and c.ended >= began - LATE_WORD_SECONDS
        ]

        def sounds(word: str) -> Sequence[str]:
            return self._pronounce(word, language)

        left = (
            others(text, " ".join(c.text for c in said), sounds),
            others(text, " ".join(c.spoken for c in said), sounds),
        )
        return min(left, key=len)


def others(text: str, said: str, sounds: Callable[[str], Sequence[str]] = lambda word: ()) -> str:
    """`text` without the words that `said` has in the same order.

    All of it if those words are too few, or not at the beginning.
    """
    found = apart(text)
    words = _words(found, sounds)
    first, last, matched = _common(words, _words(apart(said), sounds))
    if not matched:
        return text
    # A number counts as one word, however many words it is spoken as.
    stretch = {word.of for word in words[first:last]}
    common = min(1.0, matched / len(stretch)) * sum(worth(found[at][0]) for at in stretch)
    if common < (LEAST_ALONE if matched == len(words) else LEAST_MATCHING_WORDS):
        return text
    if matched >= MOSTLY * len(words) and first <= STRAY and len(words) - last <= STRAY:
        return ""
    # With more words before them, the user quotes the reply.
    return text[found[words[last - 1].of].end() :].lstrip() if first <= STRAY else text


def _words(found: Sequence[re.Match[str]], sounds: Callable[[str], Sequence[str]]) -> list[_Word]:
    """The words in `found` as they are compared; "twenty-one" and "21" are two each."""
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
    """The part of `words` most similar to a part of `said`: its first word, the one after its last,
    and the number of matches (local alignment: Smith, Waterman, J. Mol. Biol. 147, 1981)."""
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

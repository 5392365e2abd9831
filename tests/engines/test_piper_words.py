"""When the words of a clause are heard, as a split voice tells it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from piper import PiperVoice

from edgevoice.audio import Audio, Mark
from edgevoice.engines.piper import Piper
from edgevoice.engines.piper_parts import open_parts
from edgevoice.engines.piper_words import WordMarks, words
from edgevoice.settings import TtsSettings
from tests.engines.voices import HOP, frames_of, write_voice

PHONEMES = {
    "in": "ˈɪn",
    "on": "ˈɔn",
    "of": "ʌv",
    "the": "ðə",
    "a": "ˈeɪ",
    "was": "wʌz",
    "year": "jˈɪɹ",
    "1984": "nˈaɪntiːn ˈeɪɾi fˈɔːɹ",
    "Paris,": "pˈæɹɪs, ",
    "NASA.": "nˈæsɐ.",
    "must": "mˈʌst",
    "—": "",
}
"""What espeak-ng makes of words that are given to it alone."""
JOINED = {"ˈɪn ðə": "ɪnðə", "ˈɔn ðə": "ɔnðə", "ʌv ðə": "ʌvðə", "wʌz ˈeɪ": "wʌzɐ"}
"""And of these next to each other."""


def never() -> bool:
    return False


def alone(word: str) -> str:
    return PHONEMES[word].replace("ˈ", "").rstrip("., ")


def clause(text: str) -> list[list[str]]:
    """The phonemes of a clause, each sentence by itself."""
    said = " ".join(PHONEMES[word].strip() for word in text.split() if PHONEMES[word])
    for apart, joined in JOINED.items():
        said = said.replace(apart, joined)
    return [list(sentence) for sentence in said.replace(". ", ".|").split("|")]


def heard(text: str) -> list[tuple[str, str]]:
    """Each word of the text that is found, and its phonemes."""
    sentences = clause(text)
    return [
        (text[begin:end], "".join(sentences[last[0]][first[1] : last[1]]))
        for begin, end, first, last in words(text, sentences, alone)
    ]


def test_words_that_are_said_together_are_told_apart() -> None:
    """Where two words have become one, each is its own part of it."""
    assert heard("in the year of the must") == [
        ("in", "ɪn"),
        ("the", "ðə"),
        ("year", "jˈɪɹ"),
        ("of", "ʌv"),
        ("the", "ðə"),
        ("must", "mˈʌst"),
    ]


def test_a_number_is_one_word_of_the_text() -> None:
    """However many words it is said in, and though as many others were joined around it."""
    assert heard("in the year 1984 of the year")[3:5] == [
        ("1984", "nˈaɪntiːn ˈeɪɾi fˈɔːɹ"),
        ("of", "ʌv"),
    ]


def test_punctuation_and_the_pause_behind_it_are_no_part_of_a_word() -> None:
    """A word ends with its last sound; what has no sound is not found."""
    assert heard("Paris, — the must") == [("Paris,", "pˈæɹɪs"), ("the", "ðə"), ("must", "mˈʌst")]


def test_words_are_found_in_every_sentence_of_a_clause() -> None:
    """The second sentence's words are places in the second sentence."""
    text = "on the NASA. in the must"
    found = words(text, clause(text), alone)
    assert [(text[b:e], last[0]) for b, e, _, last in found] == [
        ("on", 0),
        ("the", 0),
        ("NASA.", 0),
        ("in", 1),
        ("the", 1),
        ("must", 1),
    ]


@given(st.lists(st.sampled_from(sorted(PHONEMES)), min_size=1, max_size=12))
def test_words_come_in_their_order_and_never_overlap(chosen: list[str]) -> None:
    """Each word that has a sound is found once, behind the one before it."""
    text = " ".join(chosen)
    found = words(text, clause(text), alone)
    assert [text[b:e] for b, e, _, _ in found] == [word for word in chosen if PHONEMES[word]]
    places = [place for _, _, first, last in found for place in (first, last)]
    assert places == sorted(places)


def marked(pieces: list[Audio]) -> list[Mark]:
    """All marks, counted from the first sample of the first piece."""
    found, made = [], 0
    for piece in pieces:
        assert piece.marks is not None
        found += [mark.moved(made) for mark in piece.marks]
        made += len(piece.samples)
    return found


@pytest.mark.parametrize("speed", [1.0, 0.4])
def test_a_word_lasts_as_long_as_its_phonemes(tmp_path: Path, speed: float) -> None:
    """To the sample: what the model gives each id, times the samples of a frame."""
    write_voice(tmp_path / "v.onnx", timing="each")
    voice = Piper(tmp_path / "v.onnx", TtsSettings(threads=1, speed=speed))
    text = "abc de, xyz and something that makes it long enough for several pieces"
    pieces = list(voice.synthesize(text, never))
    assert len(pieces) > 2
    marks = marked(pieces)
    assert [text[mark.begin : mark.end] for mark in marks] == text.split()

    ids = PiperVoice.load(tmp_path / "v.onnx").phonemes_to_ids(list(text))

    def samples(start: int, end: int) -> int:
        # What opens a sentence and a pad, then each letter with the pad behind it.
        some = ids[2 + 2 * start : 2 + 2 * end]
        return HOP * sum(int(np.ceil(np.float32(frames_of(n)) / np.float32(speed))) for n in some)

    for mark in marks:
        word = text[mark.begin : mark.end].rstrip(",")
        assert mark.stop - mark.start == samples(mark.begin, mark.begin + len(word))
    for one, other in pairwise(marks):
        between = samples(one.begin + len(text[one.begin : one.end].rstrip(",")), other.begin)
        assert other.start - one.stop == between


def test_the_first_piece_does_not_wait_for_the_words(tmp_path: Path) -> None:
    """Marks come with the second piece, and lie before it too; it is told that they will come."""
    write_voice(tmp_path / "v.onnx", timing="each")
    voice = Piper(tmp_path / "v.onnx", TtsSettings(threads=1))
    first, second, *rest = voice.synthesize("one word and then a good many others", never)
    assert first.marks == ()
    assert second.marks is not None
    assert second.marks[0].start < 0
    assert all(piece.marks == () for piece in rest)


@pytest.mark.parametrize("timing", ["fixed", "other"])
def test_a_voice_that_does_not_tell_has_no_marks(tmp_path: Path, timing: str) -> None:
    """Neither where nothing is added up, nor where it is something else than frames."""
    write_voice(tmp_path / "v.onnx", timing=timing)
    parts = open_parts(tmp_path / "v.onnx", 1)
    assert parts is not None
    assert parts.durations == ""
    for stream in (True, False):
        voice = Piper(tmp_path / "v.onnx", TtsSettings(threads=1, stream=stream))
        assert {piece.marks for piece in voice.synthesize("a few words", never)} == {None}


def test_a_phonemizer_that_fails_at_single_words_costs_only_the_marks() -> None:
    """What it makes of the clause is said all the same."""

    def refuse(word: str) -> list[list[str]]:
        raise RuntimeError(word)

    found = WordMarks(refuse, lambda phonemes: [1, *map(ord, phonemes), 2])
    assert found.marks("ab", [["a", "b"]], 0, [1, 2, 3, 4]) is None


@pytest.mark.models
def test_a_real_voice_s_words_begin_and_end_where_its_sound_does(steady_voice: Piper) -> None:
    """Around the pauses of real sentences, where sound tells, words are found within hundredths.

    A word that ends in a stop is silent before its end, so only half of the ends are this near.
    """
    voice = steady_voice
    text = (
        "The capital of the country is Paris, in the north of France. In 1984, there were rivers,"
        " and hills, and farms. A long time ago, he said, it was so, because of the wind."
    )
    pieces = list(voice.synthesize(text, never))
    marks = marked(pieces)
    assert [text[mark.begin : mark.end] for mark in marks] == text.split()
    sound = np.concatenate([piece.samples for piece in pieces])
    window = voice.rate // 100
    level = np.sqrt(np.convolve(np.square(sound), np.ones(window) / window, "same"))
    quiet = level < 0.02 * level.max()
    ends, starts = [], []
    for one, other in pairwise(marks):
        silent = np.flatnonzero(quiet[one.start : other.stop]) + one.start
        gaps = [
            gap for gap in np.split(silent, np.flatnonzero(np.diff(silent) > 1) + 1) if len(gap)
        ]
        gap = max(gaps, key=len, default=silent)
        if text[one.end - 1] in ",." and len(gap) > voice.rate * 0.08:
            ends.append(abs(int(gap[0]) - one.stop) / voice.rate)
            starts.append(abs(int(gap[-1]) - other.start) / voice.rate)
    assert len(ends) >= 6
    assert np.median(ends) < 0.05
    assert max(ends) < 0.2
    assert np.median(starts) < 0.02

"""Dictation: of dense and hasty speech no word is lost, whatever the recognizer's limits."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.engines import whisper
from edgevoice.engines.piper import Piper
from edgevoice.engines.whisper import Whisper
from edgevoice.engines.whisper_plain import PlainWhisper
from edgevoice.resample import resample
from edgevoice.settings import SttSettings, TtsSettings
from edgevoice.words import words
from tests.engines.letters import LETTERS

Dictated = Callable[[str, float], Samples]


@pytest.fixture(scope="module")
def dictated(starter_models: dict[str, Path]) -> Dictated:
    """Says a text so many times as fast as usual; float32 [n] at 16 kHz, alike in every run."""

    def dictate(text: str, speed: float) -> Samples:
        voice = Piper(starter_models["tts"], TtsSettings(variation=0.0, speed=speed))
        pieces = [audio.samples for audio in voice.synthesize(text, lambda: False)]
        return resample(np.concatenate(pieces), voice.rate, CAPTURE_RATE)

    return dictate


def sentences(letter: str, count: int) -> str:
    return ".".join(letter.split(".")[:count]) + "."


def recalled(text: str, read: str) -> int:
    """How many words of the text were read, in their order."""
    matcher = difflib.SequenceMatcher(None, words(text), words(read), autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks())


@pytest.mark.models
def test_hasty_speech_is_written_down_to_its_last_word(
    recognizer: Whisper, dictated: Dictated
) -> None:
    """It has half as many tokens again as are usual in so short a clip."""
    text = sentences(LETTERS[0], 3)
    read = recognizer.transcribe(dictated(text, 1.6)).text
    assert words(read)[-5:] == words(text)[-5:]
    assert recalled(text, read) >= 0.95 * len(words(text))


@pytest.mark.models
@pytest.mark.parametrize("speed", [1.4, 1.5, 1.6])
def test_every_word_of_a_fast_sentence_is_written_down(
    recognizer: Whisper, dictated: Dictated, speed: float
) -> None:
    """Its end is heard, which needs more tokens than an ordinary clip of its length."""
    text = (
        "In July my brother came to visit with his two children and we walked along the river "
        "every evening."
    )
    assert words(recognizer.transcribe(dictated(text, speed)).text) == words(text)


@pytest.mark.models
def test_a_clip_with_more_words_than_one_reading_holds_is_read_in_parts(
    recognizer: Whisper, dictated: Dictated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reading that ran into its limit is known as such, and nothing is missing in the end."""
    text = sentences(LETTERS[3], 3)
    samples = dictated(text, 1.0)
    whole = recognizer.transcribe(samples).text
    monkeypatch.setattr(whisper, "MAX_TOKENS", 40)
    monkeypatch.setattr(whisper, "MAX_TOKENS_PER_SECOND", 0)
    assert not recognizer.transcribe(samples, "endpoint").sure
    transcript = recognizer.transcribe(samples)
    assert words(transcript.text)[-3:] == words(text)[-3:]
    # As many words as in one reading without the limit, and hardly one heard differently.
    assert len(words(transcript.text)) >= len(words(whole))
    assert recalled(text, transcript.text) >= recalled(text, whole) - 2
    starts = [segment.start for segment in transcript.segments]
    assert starts == sorted(starts)
    assert len(starts) > 1


@pytest.mark.models
@pytest.mark.long
@pytest.mark.parametrize("speed", [1.0, 1.2, 1.4, 1.6])
def test_no_more_words_are_lost_than_by_the_full_window(
    recognizer: Whisper, dictated: Dictated, starter_models: dict[str, Path], speed: float
) -> None:
    """Of ten letters, recall is within one point of faster-whisper's with the same model."""
    plain = PlainWhisper(starter_models["stt"], SttSettings())
    ours = theirs = said = 0
    for letter in LETTERS:
        samples = dictated(letter, speed)
        ours += recalled(letter, recognizer.transcribe(samples).text)
        theirs += recalled(letter, plain.transcribe(samples))
        said += len(words(letter))
    assert ours >= theirs - 0.01 * said

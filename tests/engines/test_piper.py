"""Text to speech on the real voice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgevoice.audio import Samples, dbfs
from edgevoice.engines.piper import Piper, bounded
from edgevoice.errors import ConfigError, ModelError
from edgevoice.settings import TtsSettings


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def voice(starter_models: dict[str, Path]) -> Piper:
    return Piper(starter_models["tts"], TtsSettings())


@pytest.mark.models
def test_a_clause_becomes_sound_at_the_voices_rate(voice: Piper) -> None:
    """The pieces are mono float32 in [-1, 1], audible, and about as long as speech is."""
    pieces = list(voice.synthesize("The capital of France is Paris.", never))
    assert {piece.rate for piece in pieces} == {voice.rate}
    samples = np.concatenate([piece.samples for piece in pieces])
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert np.abs(samples).max() <= 1.0
    assert dbfs(samples) > -40
    assert 1.0 < len(samples) / voice.rate < 4.0


@pytest.mark.models
@pytest.mark.parametrize("text", ["", "   ", "...", "—", "😀"])
def test_what_cannot_be_said_makes_no_sound(voice: Piper, text: str) -> None:
    """A clause without a letter or digit yields nothing, and no error."""
    assert list(voice.synthesize(text, never)) == []


@pytest.mark.models
def test_a_voice_run_whole_gives_sentences_one_by_one(starter_models: dict[str, Path]) -> None:
    """With tts.stream off each sentence is a piece; after a cancellation no more are made."""
    voice = Piper(starter_models["tts"], TtsSettings(stream=False))
    text = "One is here. Two is there. Three is gone."
    assert len(list(voice.synthesize(text, never))) == 3
    looks = iter([False, False, True, True, True])
    assert len(list(voice.synthesize(text, lambda: next(looks)))) == 1


@pytest.mark.models
def test_a_voice_that_does_not_vary_says_the_same_twice(
    starter_models: dict[str, Path], voice: Piper
) -> None:
    """With tts.variation at 0 a sentence sounds the same every time; by itself it does not."""
    steady = Piper(starter_models["tts"], TtsSettings(variation=0.0))

    def said(voice: Piper) -> Samples:
        return np.concatenate([piece.samples for piece in voice.synthesize("Well then.", never)])

    np.testing.assert_allclose(said(steady), said(steady), atol=1e-4, rtol=0)
    one, other = said(voice), said(voice)
    assert len(one) != len(other) or np.abs(one - other).max() > 0.01


@pytest.mark.models
@pytest.mark.parametrize("said", ["/dˈɔɡ/", "dog"])
def test_a_word_of_the_lexicon_sounds_as_it_says(
    starter_models: dict[str, Path], said: str
) -> None:
    """By phonemes or by another spelling; the words of the text keep their places in time."""
    steady = TtsSettings(variation=0, lexicon={"cat": said})
    voice = Piper(starter_models["tts"], steady)
    other = Piper(starter_models["tts"], TtsSettings(variation=0))
    changed = list(voice.synthesize("I see a cat there.", never))
    meant = list(other.synthesize("I see a dog there.", never))
    assert [mark.begin for piece in changed for mark in piece.marks or ()] == [0, 2, 6, 8, 12]
    lengths = [sum(len(piece.samples) for piece in pieces) for pieces in (changed, meant)]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.1)


@pytest.mark.models
def test_speed_makes_speech_shorter(starter_models: dict[str, Path], voice: Piper) -> None:
    """Twice the speed takes clearly less time for the same words."""
    fast = Piper(starter_models["tts"], TtsSettings(speed=2.0))
    text = "A sentence that takes a while to say."
    slow_seconds = sum(a.seconds for a in voice.synthesize(text, never))
    fast_seconds = sum(a.seconds for a in fast.synthesize(text, never))
    assert fast_seconds < 0.75 * slow_seconds


@pytest.mark.models
def test_a_speaker_the_voice_does_not_have_is_named(starter_models: dict[str, Path]) -> None:
    """The setting at fault and the numbers that would do are in the message."""
    with pytest.raises(ConfigError, match=r"tts\.speaker is 3"):
        Piper(starter_models["tts"], TtsSettings(speaker=3))


@pytest.mark.models
def test_a_voice_without_proper_settings_is_refused(
    starter_models: dict[str, Path], tmp_path: Path
) -> None:
    """Missing, broken and foreign settings files each give one ModelError with the remedy."""
    onnx = tmp_path / "joe.onnx"
    shutil.copyfile(starter_models["tts"], onnx)
    settings = tmp_path / "joe.onnx.json"
    for text in (None, "{", json.dumps({"audio": {}}), "[]"):
        if text is not None:
            settings.write_text(text)
        with pytest.raises(ModelError) as caught:
            Piper(onnx, TtsSettings())
        assert str(settings) in caught.value.where
        assert "models pull" in caught.value.remedy


@pytest.mark.models
def test_another_onnx_model_is_no_voice(starter_models: dict[str, Path], tmp_path: Path) -> None:
    """A model of another kind under a voice's settings is found out when it is loaded."""
    onnx = tmp_path / "joe.onnx"
    shutil.copyfile(starter_models["vad"], onnx)
    shutil.copyfile(f"{starter_models['tts']}.json", tmp_path / "joe.onnx.json")
    with pytest.raises(ModelError, match="not a Piper voice"):
        Piper(onnx, TtsSettings())


def test_a_sentence_is_cut_before_a_voice_needs_too_much_memory() -> None:
    """Between words where it can, anywhere where it must, and nothing is lost."""
    words = list("abc " * 300)
    pieces = list(bounded([words, list("x" * 1200), []], 500))
    assert [phoneme for piece in pieces for phoneme in piece] == words + list("x" * 1200)
    assert max(map(len, pieces)) <= 500
    assert all(piece[-1] == " " for piece in pieces[:3])

"""Detection of finished turns on the real model, and the spectrogram it is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.engines.log_mel import BANDS, log_mel
from edgevoice.engines.piper import Piper
from edgevoice.engines.smart_turn import INPUT_SAMPLES, SmartTurn
from edgevoice.errors import ModelError
from edgevoice.resample import resample
from edgevoice.settings import TtsSettings


def noise(seconds: float, seed: int = 7) -> Samples:
    shape = int(seconds * CAPTURE_RATE)
    return np.random.default_rng(seed).normal(0, 0.1, shape).astype(np.float32)


def test_the_spectrogram_is_the_one_that_whisper_is_given() -> None:
    """Band by band and column by column what faster-whisper's own extractor computes."""
    from faster_whisper.feature_extractor import FeatureExtractor

    chirp = np.sin(np.cumsum(np.linspace(0.01, 2.5, 3 * CAPTURE_RATE))).astype(np.float32)
    for sound in (noise(8.0), 0.3 * chirp, np.concatenate([np.zeros(CAPTURE_RATE), noise(1.0)])):
        samples = sound.astype(np.float32)
        theirs = FeatureExtractor()(samples, padding=0, chunk_length=None)
        ours = log_mel(samples)
        assert ours.shape == (BANDS, len(samples) // 160)
        assert ours.dtype == np.float32
        # The last column sees the end of the sound, which is padded differently.
        columns = min(ours.shape[1], theirs.shape[1]) - 2
        np.testing.assert_allclose(ours[:, :columns], theirs[:, :columns], atol=2e-3)


def test_silence_has_a_spectrogram_too() -> None:
    """Digital silence is finite everywhere."""
    assert np.isfinite(log_mel(np.zeros(CAPTURE_RATE, dtype=np.float32))).all()


def test_a_file_that_is_no_model_is_refused_with_the_command_that_replaces_it(
    tmp_path: Path,
) -> None:
    """What is wrong and how to mend it is said, whatever is in the file."""
    broken = tmp_path / "smart.onnx"
    broken.write_bytes(b"not an ONNX model")
    for path in (broken, tmp_path / "missing.onnx"):
        with pytest.raises(ModelError) as caught:
            SmartTurn(path)
        assert caught.value.remedy == "edgevoice models pull smart-turn-v3.2"
        assert caught.value.where == str(path)


@pytest.fixture(scope="module")
def detector(starter_models: dict[str, Path]) -> SmartTurn:
    return SmartTurn(starter_models["turn"])


@pytest.fixture(scope="module")
def questions(starter_models: dict[str, Path]) -> list[Samples]:
    """A question as the starter voice asks it, each time a little differently, float32 [n]."""
    voice = Piper(starter_models["tts"], TtsSettings())
    asked = []
    for _ in range(6):
        pieces = list(voice.synthesize("What is the weather like in Paris today?", lambda: False))
        sound = np.concatenate([piece.samples for piece in pieces])
        asked.append(resample(sound, voice.rate, CAPTURE_RATE))
    return asked


@pytest.mark.models
def test_a_whole_question_sounds_finished_and_half_of_it_does_not(
    detector: SmartTurn, questions: list[Samples]
) -> None:
    """The tone of the last words tells a turn that is over from one that goes on."""
    silence = noise(0.2) * 0.005
    whole = [np.concatenate([question, silence]) for question in questions]
    half = [np.concatenate([question[: len(question) // 2], silence]) for question in questions]
    assert np.median([detector.end_probability(sound) for sound in whole]) > 0.8
    assert np.median([detector.end_probability(sound) for sound in half]) < 0.4


@pytest.mark.models
def test_only_the_last_eight_seconds_count(detector: SmartTurn, questions: list[Samples]) -> None:
    """What was said longer ago changes nothing, and calls leave nothing behind."""
    long = np.concatenate([noise(4.0), noise(8.0, seed=8), questions[0]])
    assert len(long) > INPUT_SAMPLES
    first = detector.end_probability(long)
    assert detector.end_probability(long[-INPUT_SAMPLES:]) == first
    assert 0.0 <= detector.end_probability(noise(0.1)) <= 1.0
    assert detector.end_probability(long) == first


@pytest.mark.models
def test_another_onnx_model_is_no_turn_detector(starter_models: dict[str, Path]) -> None:
    """A model that takes other inputs is named as such when it is loaded."""
    with pytest.raises(ModelError, match="not a Smart Turn model"):
        SmartTurn(starter_models["vad"])

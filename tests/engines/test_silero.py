"""Speech detection on the real model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES
from edgevoice.engines.silero import Silero
from edgevoice.errors import ModelError
from edgevoice.wav import read_speech


def test_a_file_that_is_no_model_is_refused_with_the_command_that_replaces_it(
    tmp_path: Path,
) -> None:
    """What is wrong and how to mend it is said, whatever is in the file."""
    broken = tmp_path / "silero.onnx"
    broken.write_bytes(b"not an ONNX model")
    for path in (broken, tmp_path / "missing.onnx"):
        with pytest.raises(ModelError) as caught:
            Silero(path)
        assert "models pull" in caught.value.remedy


@pytest.mark.models
def test_frame_by_frame_gives_what_the_whole_recording_at_once_gives(
    starter_models: dict[str, Path], shared: Path
) -> None:
    """Context and LSTM state are carried from frame to frame exactly as the model was made for."""
    from faster_whisper.vad import SileroVADModel

    samples = read_speech(shared / "speech" / "jfk.wav")
    frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    detector = Silero(starter_models["vad"])
    streamed = [detector.probability(frame) for frame in frames]
    at_once = SileroVADModel(str(starter_models["vad"]))(frames.reshape(-1).copy()).ravel()
    # The library blanks the end of its last frame by mistake.
    np.testing.assert_allclose(streamed[:-1], at_once[:-1], atol=1e-4)
    assert max(streamed) > 0.9


@pytest.mark.models
def test_silence_is_no_speech(starter_models: dict[str, Path]) -> None:
    """Digital silence stays under any threshold one would set."""
    detector = Silero(starter_models["vad"])
    silence = np.zeros(FRAME_SAMPLES, dtype=np.float32)
    assert max(detector.probability(silence) for _ in range(50)) < 0.2


@pytest.mark.models
def test_reset_forgets_everything(starter_models: dict[str, Path]) -> None:
    """After a reset the same sound gets the same answers as the first time."""
    detector = Silero(starter_models["vad"])
    noise = np.random.default_rng(7).normal(0, 0.1, (20, FRAME_SAMPLES)).astype(np.float32)
    first = [detector.probability(frame) for frame in noise]
    detector.reset()
    assert [detector.probability(frame) for frame in noise] == first


@pytest.mark.models
@pytest.mark.parametrize("seconds", [6, 30])
def test_a_soft_command_is_noticed_after_a_long_silence(
    seconds: int, starter_models: dict[str, Path], shared: Path
) -> None:
    """What is said first after a while is heard like what is said at once."""
    detector = Silero(starter_models["vad"])
    samples = read_speech(shared / "speech" / "s2p-nevermind.wav")
    quiet = np.zeros(seconds * CAPTURE_RATE, dtype=np.float32)
    sound = np.concatenate([samples, quiet, samples])
    frames = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    found = [detector.probability(frame) for frame in frames]
    behind = (len(samples) + len(quiet)) // FRAME_SAMPLES
    assert sum(probability > 0.5 for probability in found[behind:]) >= 3

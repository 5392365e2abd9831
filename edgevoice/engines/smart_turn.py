"""End-of-turn detection with Smart Turn, from the intonation and tempo of the last words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgevoice.audio import CAPTURE_RATE, Samples
from edgevoice.engines.log_mel import BANDS, MEL_HOP, log_mel
from edgevoice.engines.onnx import open_session
from edgevoice.engines.registry import Engine
from edgevoice.errors import EngineError, ModelError

SMART_TURN_REMEDY = "edgevoice models pull smart-turn-v3.2"

INPUT_SAMPLES = 8 * CAPTURE_RATE
"""Samples in the model's input: 8 s."""

SILENCE_SAMPLES = CAPTURE_RATE * 128 // 1000
"""Silence appended to the sound: the model was trained on longer pauses than we wait."""

INPUT_SHAPE = [BANDS, INPUT_SAMPLES // MEL_HOP]


class SmartTurn:
    """A TurnDetector without state."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load the model at `path`. Raises ModelError if it is missing or another model."""
        self._session = open_session(path, threads=threads, remedy=SMART_TURN_REMEDY)
        inputs = self._session.get_inputs()
        if [i.name for i in inputs] != ["input_features"] or inputs[0].shape[1:] != INPUT_SHAPE:
            raise ModelError(
                "not a Smart Turn model of version 3", where=str(path), remedy=SMART_TURN_REMEDY
            )

    def end_probability(self, samples: Samples) -> float:
        """Probability in [0, 1] that the turn ends with float32 [n] at 16 kHz, pause included.

        Raises EngineError if the model cannot be run.
        """
        heard = np.zeros(INPUT_SAMPLES, dtype=np.float32)
        end = INPUT_SAMPLES - SILENCE_SAMPLES
        last = samples[-end:]
        heard[end - len(last) : end] = last
        heard = (heard - heard.mean()) / np.sqrt(heard.var() + 1e-7)
        try:
            [probability] = self._session.run(None, {"input_features": log_mel(heard)[None]})
        except Exception as error:  # onnxruntime's exceptions have no common base of their own
            raise EngineError(f"end-of-turn detection failed: {error}") from error
        return float(np.clip(np.ravel(probability)[0], 0.0, 1.0))


ENGINE = Engine("turn", ("onnx",), lambda model, config: SmartTurn(model.path))

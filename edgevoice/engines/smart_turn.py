"""Smart Turn: hears from the last words' tone and pace whether somebody has finished."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgevoice.audio import EAR_RATE, Samples
from edgevoice.engines.log_mel import BANDS, HOP, log_mel
from edgevoice.engines.onnx import open_session
from edgevoice.errors import EngineError, ModelError

REMEDY = "edgevoice models pull smart-turn-v3.2"

HEARD_SAMPLES = 8 * EAR_RATE
"""What the model listens to: the last eight seconds."""

SILENCE_SAMPLES = EAR_RATE * 128 // 1000
"""Silence put behind the sound: the model learned from longer pauses than we wait to ask it."""

SHAPE = [BANDS, HEARD_SAMPLES // HOP]


class SmartTurn:
    """A TurnDetector. It keeps no state."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load the model at `path`. Raises ModelError where it is missing or another model."""
        self._session = open_session(path, threads=threads, remedy=REMEDY)
        inputs = self._session.get_inputs()
        if [i.name for i in inputs] != ["input_features"] or inputs[0].shape[1:] != SHAPE:
            raise ModelError("not a Smart Turn model of version 3", where=str(path), remedy=REMEDY)

    def end_probability(self, samples: Samples) -> float:
        """Probability in [0, 1] that float32 [n] at 16 kHz, which ends in the pause, is finished.

        Raises EngineError where the model cannot be run.
        """
        heard = np.zeros(HEARD_SAMPLES, dtype=np.float32)
        end = HEARD_SAMPLES - SILENCE_SAMPLES
        last = samples[-end:]
        heard[end - len(last) : end] = last
        heard = (heard - heard.mean()) / np.sqrt(heard.var() + 1e-7)
        try:
            [probability] = self._session.run(None, {"input_features": log_mel(heard)[None]})
        except Exception as error:  # onnxruntime's exceptions have no common base of their own
            raise EngineError(f"the detector of finished turns failed: {error}") from error
        return float(np.clip(np.ravel(probability)[0], 0.0, 1.0))

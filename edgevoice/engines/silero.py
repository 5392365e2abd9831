"""Silero voice activity detection, one 32 ms frame at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgevoice.audio import FRAME_SAMPLES, Samples
from edgevoice.engines.onnx import open_session
from edgevoice.errors import EngineError, ModelError

CONTEXT_SAMPLES = 64
"""Samples of the frame before that the model wants in front of each frame."""

REMEDY = "edgevoice models pull silero-vad"


class Silero:
    """A SpeechDetector. Its state (an LSTM's) is carried from frame to frame until `reset`."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path, threads=1, remedy=REMEDY)
        if [i.name for i in self._session.get_inputs()] != ["input", "h", "c"]:
            raise ModelError("not a Silero VAD model of version 6", where=str(path), remedy=REMEDY)
        self._outputs = ["speech_probs", "hn", "cn"]
        # One buffer for context and frame together; only the LSTM state is made anew by each run.
        self._window = np.zeros((1, CONTEXT_SAMPLES + FRAME_SAMPLES), dtype=np.float32)
        self._start = np.zeros((1, 1, 128), dtype=np.float32)
        self._feed = {"input": self._window, "h": self._start, "c": self._start}

    def probability(self, samples: Samples) -> float:
        """Probability in [0, 1] that float32 [512] at 16 kHz holds speech."""
        window = self._window[0]
        window[:CONTEXT_SAMPLES] = window[FRAME_SAMPLES:]
        window[CONTEXT_SAMPLES:] = samples
        try:
            speech, h, c = self._session.run(self._outputs, self._feed)
        except Exception as error:  # onnxruntime's exceptions have no common base of their own
            raise EngineError(f"speech detection failed: {error}") from error
        self._feed["h"], self._feed["c"] = h, c
        return float(speech[0])

    def reset(self) -> None:
        """Forget the past frames."""
        self._window.fill(0.0)
        self._feed["h"] = self._feed["c"] = self._start

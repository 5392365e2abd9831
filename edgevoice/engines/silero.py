"""Voice activity detection with Silero, one 32 ms frame at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgevoice.audio import FRAME_SAMPLES, Samples
from edgevoice.engines.onnx import open_session
from edgevoice.engines.registry import Engine
from edgevoice.errors import EngineError, ModelError

CONTEXT_SAMPLES = 64
"""Samples of the previous frame that the model needs before each frame."""

RESET_AFTER_FRAMES = 156
"""Frames without speech (5 s) after which the state is reset. In long silence the state drifts, and
short soft commands are missed: 2 or 3 of 157 recordings after 6 s, none with a reset. With an
earlier reset, music counts as speech twice as often."""
SILENCE_PROBABILITY = 0.35
"""Probability below which a frame counts as silence."""

SILERO_REMEDY = "edgevoice models pull silero-vad"


class Silero:
    """A SpeechDetector; the LSTM's state is carried from frame to frame until `reset`."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path, threads=1, remedy=SILERO_REMEDY)
        if [i.name for i in self._session.get_inputs()] != ["input", "h", "c"]:
            raise ModelError(
                "not a Silero VAD model of version 6", where=str(path), remedy=SILERO_REMEDY
            )
        self._outputs = ["speech_probs", "hn", "cn"]
        # One buffer holds context and frame; only the LSTM state is allocated by each run.
        self._window = np.zeros((1, CONTEXT_SAMPLES + FRAME_SAMPLES), dtype=np.float32)
        self._start = np.zeros((1, 1, 128), dtype=np.float32)
        self._feed = {"input": self._window, "h": self._start, "c": self._start}
        self._silent_frames = 0

    def probability(self, samples: Samples) -> float:
        """Probability in [0, 1] that float32 [512] at 16 kHz is speech. Raises EngineError."""
        window = self._window[0]
        window[:CONTEXT_SAMPLES] = window[FRAME_SAMPLES:]
        window[CONTEXT_SAMPLES:] = samples
        try:
            speech, h, c = self._session.run(self._outputs, self._feed)
        except Exception as error:  # onnxruntime's exceptions have no common base of their own
            raise EngineError(f"speech detection failed: {error}") from error
        self._feed["h"], self._feed["c"] = h, c
        probability = float(speech[0])
        self._silent_frames = 0 if probability >= SILENCE_PROBABILITY else self._silent_frames + 1
        if self._silent_frames >= RESET_AFTER_FRAMES:
            self._reset_state()
        return probability

    def reset(self) -> None:
        """Forget the past frames."""
        self._window.fill(0.0)
        self._reset_state()

    def _reset_state(self) -> None:
        self._feed["h"] = self._feed["c"] = self._start
        self._silent_frames = 0


ENGINE = Engine("vad", ("onnx",), lambda model, config: Silero(model.path))

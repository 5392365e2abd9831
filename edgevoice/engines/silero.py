"""Silero voice activity detection, one 32 ms frame at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgevoice.audio import FRAME_SAMPLES, Samples
from edgevoice.engines.onnx import open_session
from edgevoice.errors import EngineError, ModelError

CONTEXT_SAMPLES = 64
"""Samples of the frame before that the model wants in front of each frame."""

QUIET_FRAMES = 156
"""Frames without speech, five seconds of them, after which the state begins anew. In long quiet it
drifts to where a short, soft command is no speech to it: after six seconds of silence it missed two
or three of 157 recordings, begun anew none. Sooner, music passes for speech twice as often."""
QUIET = 0.35
"""Probability under which a frame counts as one without speech."""

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
        self._quiet = 0

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
        probability = float(speech[0])
        self._quiet = 0 if probability >= QUIET else self._quiet + 1
        if self._quiet >= QUIET_FRAMES:
            self._forget()
        return probability

    def reset(self) -> None:
        """Forget the past frames."""
        self._window.fill(0.0)
        self._forget()

    def _forget(self) -> None:
        self._feed["h"] = self._feed["c"] = self._start
        self._quiet = 0

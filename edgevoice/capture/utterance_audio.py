"""The audio of the utterance under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES, Frame, Samples, Utterance

_SILENCE = np.zeros(FRAME_SAMPLES, dtype=np.float32)


class UtteranceAudio:
    """The frames of one utterance; grows while the user speaks."""

    def __init__(self, frames: Iterable[Frame] = ()) -> None:
        kept = list(frames)
        self.start = kept[0].index if kept else 0
        """Stream index of its first sample."""
        self._frames: list[Samples] = [frame.samples for frame in kept]

    @property
    def samples(self) -> int:
        """Its length in samples."""
        return len(self._frames) * FRAME_SAMPLES

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return self.samples / CAPTURE_RATE

    @property
    def end(self) -> int:
        """Stream index after its last sample."""
        return self.start + self.samples

    def add(self, samples: Samples) -> None:
        """Add a frame, float32 [FRAME_SAMPLES]."""
        self._frames.append(samples)

    def fill(self, missing: int) -> None:
        """Insert silence for `missing` lost samples."""
        self._frames += [_SILENCE] * round(missing / FRAME_SAMPLES)

    def cut(self, end: int) -> None:
        """Drop the frames after stream index `end`."""
        # Another list: transcription may be reading this one.
        self._frames = self._frames[: -(-(end - self.start) // FRAME_SAMPLES)]

    def until(self, voiced_end: int) -> Utterance:
        """All of it, with voice up to stream index `voiced_end`."""
        return Utterance(np.concatenate(self._frames), self.start, voiced_end)

    def reader(self) -> Callable[[], Utterance]:
        """Returns all of it as of the call, for transcription's thread: never out of date."""
        frames, start = self._frames, self.start

        def take() -> Utterance:
            samples = np.concatenate(list(frames))
            return Utterance(samples, start, start + len(samples))

        return take

"""Phoneme ids to sound: whole sentences, or in pieces with a split voice."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import Samples
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.onnx import OnnxModel, shrinking_run_options
from edgevoice.engines.piper_parts import Parts
from edgevoice.protocols import Cancelled

Feed = dict[str, NDArray[Any]]
"""A voice's inputs: ids, their number, scales, and the speaker."""

FIRST_PIECE_FRAMES = 20
"""Frames in the first piece: about 0.23 s of sound, decoded in a seventh of that time."""
INAUDIBLE_FRAMES = 8
"""Frames of the first piece that are not played yet: leading silence is trimmed, and the resampler
holds some samples back."""
MIN_LAST_FRAMES = 24
"""Minimum frames of a last piece; fewer are decoded with the piece before, to save the context."""
TIME_SHARE = 0.5
"""Share of a piece's playing time that decoding the next piece may take."""
SHRINK_ABOVE = 200
"""Ids or frames (2.3 s) above which the memory of a run is freed: 100 words otherwise keep 370 MB.
So is that of a sentence's last piece: otherwise up to 55 MB more stay, by chance. Freeing it after
every run would take 6 % longer."""
IMPROVEMENT_WEIGHT = 0.3
"""Weight of a new measurement that is faster; a slower one counts fully."""


@dataclass(frozen=True, slots=True)
class AudioPiece:
    """A piece of a sentence's sound, float32 [n]; `left` samples follow.

    `ends` is the end of each id in samples from the start of the sentence; empty if unknown.
    """

    samples: Samples
    left: int
    ends: Sequence[int] = ()


class VoiceDecoder(Protocol):
    """Makes the sound of one sentence."""

    def sound(self, feed: Feed, cancelled: Cancelled) -> Iterator[AudioPiece]:
        """The pieces, as they are made."""


class ModelRunner:
    """Runs models and registers their threads in the CPU budget."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._shrinking = shrinking_run_options()

    def run(
        self, session: OnnxModel, outputs: list[str] | None, feed: Feed, last: bool = False
    ) -> list[NDArray[Any]]:
        """The named outputs, or all of them; after a `last` run the session's memory is freed."""
        free = last or any(array.shape[-1] > SHRINK_ABOVE for array in feed.values())
        with cores.taken(self._threads):
            made = session.run(outputs, feed, self._shrinking if free else None)
            return [np.asarray(output) for output in made]


class WholeDecoder:
    """Decodes a voice that is not split: one piece a sentence."""

    def __init__(self, session: OnnxModel, runner: ModelRunner) -> None:
        self._session = session
        self._runner = runner

    def sound(self, feed: Feed, cancelled: Cancelled) -> Iterator[AudioPiece]:
        samples = _clipped(self._runner.run(self._session, None, feed)[0])
        if not cancelled():
            yield AudioPiece(samples, 0)


class StreamingDecoder:
    """Decodes a split voice, whose first piece is ready long before the sentence.

    `rate` in Hz. The size of a piece follows from the measured speed, so that each piece is ready
    before the previous one has been played.
    """

    def __init__(self, parts: Parts, rate: int, runner: ModelRunner) -> None:
        self._parts = parts
        self._runner = runner
        self._frame = parts.hop / rate
        self._cost = self._frame / 10
        """Measured seconds to decode a frame."""
        self._input_names = {side: _names(getattr(parts, side)) for side in ("encoder", "decoder")}

    def sound(self, feed: Feed, cancelled: Cancelled) -> Iterator[AudioPiece]:
        parts = self._parts
        given = {
            name: array for name, array in feed.items() if name in self._input_names["encoder"]
        }
        wanted = [parts.latent, parts.durations] if parts.durations else [parts.latent]
        frames, *durations = self._runner.run(parts.encoder, wanted, given)
        total = frames.shape[2]
        ends = [int(end) * parts.hop for each in durations for end in np.cumsum(each)]
        speaker = {
            name: array for name, array in feed.items() if name in self._input_names["decoder"]
        }
        made = 0
        last = 0
        while made < total and not cancelled():
            size = piece(total - made, last, parts.context, self._frame / self._cost)
            start, end = max(0, made - parts.context), min(total, made + size + parts.context)
            began = time.perf_counter()
            samples = self._runner.run(
                parts.decoder,
                None,
                {parts.latent: frames[:, :, start:end], **speaker},
                last=made + size >= total,
            )[0]
            self._update_cost((time.perf_counter() - began) / (end - start))
            if cancelled():
                return
            sound = _clipped(samples)[
                (made - start) * parts.hop : (made - start + size) * parts.hop
            ]
            made, last = made + size, size if made else max(1, size - INAUDIBLE_FRAMES)
            yield AudioPiece(sound, (total - made) * parts.hop, ends)

    def _update_cost(self, cost: float) -> None:
        self._cost = (
            cost if cost > self._cost else self._cost + IMPROVEMENT_WEIGHT * (cost - self._cost)
        )


def piece(left: int, last: int, context: int, speed: float) -> int:
    """How many of the `left` frames to decode next, after a piece of `last` frames (0: none).

    `speed` is the number of frames decoded while one frame plays. The first piece is as small as
    possible without a gap after it, so slow decoding delays the start of sound.
    """
    playable = speed * TIME_SHARE
    if not last:
        # Either pieces grow, or the second piece is the whole rest.
        growing = 2 * context / (playable - 1) if playable > 1 else float("inf")
        in_two_pieces = (left + context) / (playable + 1)
        size = max(FIRST_PIECE_FRAMES, round(min(growing, in_two_pieces)))
    else:
        size = max(last, int(playable * last) - 2 * context)
        if playable * last >= left + context:
            size = left
    return left if left - size < MIN_LAST_FRAMES else size


def _names(session: OnnxModel) -> set[str]:
    return {given.name for given in session.get_inputs()}


def _clipped(samples: NDArray[Any]) -> Samples:
    return np.clip(np.asarray(samples, dtype=np.float32).reshape(-1), -1.0, 1.0)

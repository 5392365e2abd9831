"""Phoneme ids → sound: clause by clause, or piece by piece as a split voice decodes it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgevoice.audio import Samples
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.onnx import OnnxModel, giving_back
from edgevoice.engines.piper_parts import Parts
from edgevoice.protocols import Cancelled

Feed = dict[str, NDArray[Any]]
"""What a voice is given: ids, how many, scales, and which speaker."""

FIRST = 20
"""Frames in the first piece: about 0.23 s, which are decoded in a seventh of that time."""
UNHEARD = 8
"""Frames of the first piece that give no time: silence before the first word is left out, and a
little is held back where sample rates are changed."""
LAST = 24
"""Frames under which what is left is decoded with the piece before: too few to pay for context."""
MARGIN = 0.5
"""Share of the time in which a piece is heard that may be spent on making the next one."""
LARGE = 200
"""Ids or frames (2.3 s) above which the memory of a run is freed after it: 100 words at once
leave 370 MB otherwise. After every run, it would take 6 % longer."""
EASE = 0.3
"""Weight of the newest measurement where decoding has become faster; slower counts at once."""


@dataclass(frozen=True, slots=True)
class AudioPiece:
    """A piece of a sentence's sound, float32 [n]; `left` samples are still to come.

    `ends` is where each id of the sentence ends, in samples from its beginning; none where the
    voice does not tell.
    """

    samples: Samples
    left: int
    ends: Sequence[int] = ()


class VoiceDecoder(Protocol):
    """Makes sound of one sentence."""

    def sound(self, feed: Feed, cancelled: Cancelled) -> Iterator[AudioPiece]:
        """Pieces of it, as they are made."""


class Computing:
    """Runs models with as many threads as they were opened with, and says so in the ledger."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._giving_back = giving_back()

    def run(self, session: OnnxModel, outputs: list[str] | None, feed: Feed) -> list[NDArray[Any]]:
        """The outputs asked for, or all."""
        large = any(array.shape[-1] > LARGE for array in feed.values())
        with cores.taken(self._threads):
            made = session.run(outputs, feed, self._giving_back if large else None)
            return [np.asarray(output) for output in made]


class WholeDecoder:
    """A voice as it came: a sentence is one piece."""

    def __init__(self, session: OnnxModel, computing: Computing) -> None:
        self._session = session
        self._computing = computing

    def sound(self, feed: Feed, cancelled: Cancelled) -> Iterator[AudioPiece]:
        samples = _clean(self._computing.run(self._session, None, feed)[0])
        if not cancelled():
            yield AudioPiece(samples, 0)


class StreamingDecoder:
    """A split voice: the first piece is there long before the sentence is.

    `rate` is its samples a second. How large pieces are follows from how fast they were decoded
    before: each is there when the one before has been heard.
    """

    def __init__(self, parts: Parts, rate: int, computing: Computing) -> None:
        self._parts = parts
        self._computing = computing
        self._frame = parts.hop / rate
        self._cost = self._frame / 10
        """Seconds to decode a frame, as measured."""
        self._wanted = {side: _names(getattr(parts, side)) for side in ("encoder", "decoder")}

    def sound(self, feed: Feed, cancelled: Cancelled) -> Iterator[AudioPiece]:
        parts = self._parts
        given = {name: array for name, array in feed.items() if name in self._wanted["encoder"]}
        told = [parts.latent, parts.durations] if parts.durations else [parts.latent]
        frames, *durations = self._computing.run(parts.encoder, told, given)
        total = frames.shape[2]
        ends = [int(end) * parts.hop for each in durations for end in np.cumsum(each)]
        speaker = {name: array for name, array in feed.items() if name in self._wanted["decoder"]}
        made = 0
        last = 0
        while made < total and not cancelled():
            size = piece(total - made, last, parts.context, self._frame / self._cost)
            start, end = max(0, made - parts.context), min(total, made + size + parts.context)
            began = time.perf_counter()
            samples = self._computing.run(
                parts.decoder, None, {parts.latent: frames[:, :, start:end], **speaker}
            )[0]
            self._measured((time.perf_counter() - began) / (end - start))
            if cancelled():
                return
            sound = _clean(samples)[(made - start) * parts.hop : (made - start + size) * parts.hop]
            made, last = made + size, size if made else max(1, size - UNHEARD)
            yield AudioPiece(sound, (total - made) * parts.hop, ends)

    def _measured(self, cost: float) -> None:
        self._cost = cost if cost > self._cost else self._cost + EASE * (cost - self._cost)


def piece(left: int, last: int, context: int, speed: float) -> int:
    """How many of the `left` frames to decode next, after a piece of `last` frames (0: none).

    `speed` is how many frames are decoded while one is heard. The first piece is as small as it
    can be without a gap after it: where decoding is slow, sound begins later.
    """
    ahead = speed * MARGIN
    if not last:
        # Either each piece is at least as large as the one before, or the second is all the rest.
        growing = 2 * context / (ahead - 1) if ahead > 1 else float("inf")
        in_two = (left + context) / (ahead + 1)
        size = max(FIRST, round(min(growing, in_two)))
    else:
        size = max(last, int(ahead * last) - 2 * context)
        if ahead * last >= left + context:
            size = left
    return left if left - size < LAST else size


def _names(session: OnnxModel) -> set[str]:
    return {given.name for given in session.get_inputs()}


def _clean(samples: NDArray[Any]) -> Samples:
    return np.clip(np.asarray(samples, dtype=np.float32).reshape(-1), -1.0, 1.0)

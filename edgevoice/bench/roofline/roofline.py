"""The floor of each stage: the least time this machine could take for it, and how near it came.

After Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for
multicore architectures" (CACM 52/4, 2009): work that multiplies so many numbers and reads so many
bytes takes at least as long as the slower of the two. The limits are measured (speeds.py), the work
is counted from the model's file (costs.py), and what a stage took is each turn's own figure.
roofline-2026-11 says what is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from edgevoice.bench.result.device_record import Roofline, Speeds, StageFloor
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bench.roofline import costs
from edgevoice.errors import EdgevoiceError
from edgevoice.models.store import Store
from edgevoice.settings import Config
from edgevoice.words import words

Stage = Literal["recognize", "prefill", "decode", "synthesize"]
Bound = Literal["memory", "compute", ""]

IN_CACHE = 4
"""Weights smaller than so many last caches may in part still be there when they are read again."""
MARKER_TOKENS = 3
"""Tokens of a transcript that are no words: where it begins, where it ends, and that it does."""


@dataclass(frozen=True, slots=True)
class MachineLimits:
    """What the whole machine does in a second; `cache` is the bytes of its last caches."""

    memory: float | None
    float32: float | None
    int8: float | None
    cache: int | None = None

    @classmethod
    def of(cls, speeds: Speeds, cache: int | None) -> MachineLimits:
        """Those of all usable cores together."""
        return cls(speeds.memory_all, speeds.float32_all, speeds.int8_all, cache)

    def least(self, read: float, multiplied: float, floating: float = 0.0) -> tuple[float, Bound]:
        """Seconds that reading so many bytes takes at least, or so many operations if that is more.

        `multiplied` are those that may be done in whole numbers, `floating` the others.
        """
        fits = self.cache is not None and read < IN_CACHE * self.cache
        reading = read / self.memory if self.memory and not fits else 0.0
        computing = _over(multiplied, max(self.float32 or 0.0, self.int8 or 0.0))
        computing += _over(floating, self.float32 or 0.0)
        if not reading and not computing:
            return 0.0, ""
        return (reading, "memory") if reading >= computing else (computing, "compute")


def _over(work: float, rate: float) -> float:
    return work / rate if rate else 0.0


Pair = tuple[float, Bound, float]
"""The floor in seconds, what bounds it, and what was measured."""
NO_BOUND: tuple[float, Bound] = (0.0, "")


def decode(
    limits: MachineLimits, model: costs.LanguageModelCosts, turns: Iterable[BenchTurn]
) -> StageFloor:
    """One token of the reply: all weights, and the cache of what was before, are read once."""

    def least(position: float) -> tuple[float, Bound]:
        work = 2.0 * (model.inner + model.outer)
        return limits.least(model.weights + model.cache * position, work)

    pairs = [
        (*least(turn.prompt_tokens + turn.reply_tokens / 2), 1 / turn.tokens_per_second)
        for turn in turns
        if turn.tokens_per_second
    ]
    return _floor("decode", "token", pairs, least(0))


def prefill(
    limits: MachineLimits, model: costs.LanguageModelCosts, turns: Iterable[BenchTurn]
) -> StageFloor:
    """A token of the prompt's new part, if all of that were evaluated at once."""

    def least(new: int) -> tuple[float, Bound]:
        seconds, bound = limits.least(model.weights, 2.0 * (model.inner * new + model.outer))
        return seconds / new, bound

    timed = [
        (turn.prompt_tokens - turn.reused_tokens, 1 / turn.prefill_rate)
        for turn in turns
        if turn.prefill_rate and turn.prompt_tokens > turn.reused_tokens
    ]
    pairs = [(*least(new), seconds) for new, seconds in timed]
    new = round(median(new for new, _ in timed)) if timed else 1
    return _floor("prefill", f"token, {new} at once", pairs, least(new))


def recognize(
    limits: MachineLimits, model: costs.RecognizerCosts, turns: Iterable[BenchTurn]
) -> StageFloor:
    """A question: the encoder over the clip and silence behind it, and a token for each word."""

    pairs = [
        (
            *question(limits, model, turn.read_seconds, len(words(turn.transcript))),
            turn.stt_rtf * turn.read_seconds,
        )
        for turn in turns
        if turn.stt_rtf and turn.read_seconds
    ]
    return _floor("recognize", "question", pairs, None)


def question(
    limits: MachineLimits, model: costs.RecognizerCosts, seconds: float, said: int
) -> tuple[float, Bound]:
    """The floor of reading a clip of so many seconds in which so many words are said."""
    n = model.positions(seconds)
    # Two products of attention, queries by keys and those by values.
    floating = 2.0 * (model.convolved * n + 2 * n * n * model.width * model.layers)
    encoding = limits.least(model.linear, 2.0 * model.linear * n, floating)
    decoding = limits.least(model.decoder, 2.0 * model.decoder)
    spent = (said + MARKER_TOKENS) * decoding[0]
    return encoding[0] + spent, encoding[1] if encoding[0] >= spent else decoding[1]


def synthesize(limits: MachineLimits, operations: float, turns: Iterable[BenchTurn]) -> StageFloor:
    """A second of sound: the convolutions of the voice's decoder."""
    least = limits.least(0.0, 0.0, operations)
    pairs = [(*least, turn.tts_rtf) for turn in turns if turn.tts_rtf]
    return _floor("synthesize", "second of sound", pairs, least)


def _floor(
    stage: Stage, per: str, pairs: Sequence[Pair], nominal: tuple[float, Bound] | None
) -> StageFloor:
    if not pairs:
        floor, bound = nominal or NO_BOUND
        return StageFloor(
            stage=stage, per=per, floor=floor or None, bound=bound, why="no turn measured it"
        )
    bounds = [bound for _, bound, _ in pairs]
    floor, measured = median(p[0] for p in pairs), median(p[2] for p in pairs)
    if not floor:
        return StageFloor(
            stage=stage,
            per=per,
            n=len(pairs),
            measured=measured,
            why="this machine's limits were not measured",
        )
    return StageFloor(
        stage=stage,
        per=per,
        n=len(pairs),
        floor=floor,
        measured=measured,
        share=median(least / took for least, _, took in pairs if took > 0),
        bound=max(bounds, key=bounds.count),
    )


def roofline(
    config: Config, limits: MachineLimits, names: Mapping[str, str], turns: Sequence[BenchTurn]
) -> Roofline:
    """The floor of every stage whose model, by its role in `names`, can be counted."""
    store = Store(config)
    counted = [turn for turn in turns if turn.timed]

    def of(
        role: str, stages: Sequence[Stage], make: Callable[[Path], Sequence[StageFloor]]
    ) -> None:
        if role not in names:
            return
        try:
            found = store.find(names[role])
            if found is None:
                raise costs.UnknownCosts("its file is not here any more")
            floors.extend(make(found.path))
        except Exception as reason:  # what comes beside the measurement must not cost it
            floors.extend(StageFloor(stage=stage, per="", why=_said(reason)) for stage in stages)

    def thinking(path: Path) -> Sequence[StageFloor]:
        model = costs.language_model(path, config.slm)
        return prefill(limits, model, counted), decode(limits, model, counted)

    floors: list[StageFloor] = []
    of("stt", ["recognize"], lambda p: [_heard(limits, costs.recognizer(p, config.stt), turns)])
    of("slm", ["prefill", "decode"], thinking)
    of("tts", ["synthesize"], lambda p: [synthesize(limits, costs.voice(p), counted)])
    return Roofline(
        memory=limits.memory,
        float32=limits.float32,
        int8=limits.int8,
        cache=limits.cache,
        floors=tuple(floors),
    )


def _heard(
    limits: MachineLimits, model: costs.RecognizerCosts, turns: Sequence[BenchTurn]
) -> StageFloor:
    """Also of turns without an answer: they were read."""
    return recognize(limits, model, [turn for turn in turns if not turn.warm_up])


def _said(reason: Exception) -> str:
    if isinstance(reason, EdgevoiceError):
        return reason.what
    known = isinstance(reason, costs.UnknownCosts)
    return str(reason) if known else f"counting its work failed: {reason!r}"

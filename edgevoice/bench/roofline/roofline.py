"""The floor of each stage: the least time this machine could take for it, and how near it came.

After Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for
multicore architectures" (CACM 52/4, 2009). `speeds` measures the limits, `costs` counts the work,
and each turn has its own measurement. roofline-2026-11 lists what is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

from msgspec.structs import replace

from edgevoice.bench.result.device_record import Roofline, Speeds, StageFloor
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bench.roofline import costs
from edgevoice.errors import EdgevoiceError
from edgevoice.models.store import Store
from edgevoice.settings import Config
from edgevoice.words import words

RooflineStage = Literal["recognize", "prefill", "decode", "synthesize"]
Bound = Literal["memory", "compute", ""]
Least = tuple[float, Bound]
"""The least seconds, and what bounds them."""

IN_CACHE = 4
"""Weights smaller than so many last-level caches may partly stay there until read again."""
MARKER_TOKENS = 3
"""Tokens of a transcript that are no words: its beginning, its end, and one without timestamps."""


@dataclass(frozen=True, slots=True)
class MachineLimits:
    """What all usable cores do in a second; `cache` is the bytes of their last-level caches."""

    memory: float | None
    float32: float | None
    int8: float | None
    cache: int | None = None

    @classmethod
    def of(cls, speeds: Speeds, cache: int | None) -> MachineLimits:
        return cls(speeds.memory_all, speeds.float32_all, speeds.int8_all, cache)

    def least(self, read: float, multiplied: float, floating: float = 0.0) -> Least:
        """The least seconds for reading so many bytes and for so many operations: `multiplied`
        may be done in integers, `floating` may not."""
        fits = self.cache is not None and read < IN_CACHE * self.cache
        reading = read / self.memory if self.memory and not fits else 0.0
        fastest = max(self.float32 or 0.0, self.int8 or 0.0)
        computing = multiplied / fastest if fastest else 0.0
        computing += floating / self.float32 if self.float32 else 0.0
        if not reading and not computing:
            return 0.0, ""
        return (reading, "memory") if reading >= computing else (computing, "compute")


def decode(
    limits: MachineLimits, model: costs.LanguageModelCosts, turns: Iterable[BenchTurn]
) -> StageFloor:
    """A token of the reply reads all weights once, and the cache of everything before it."""

    def least(position: float) -> Least:
        work = 2.0 * (model.inner + model.outer)
        return limits.least(model.weights + model.cache * position, work)

    measured = [
        (least(turn.prompt_tokens + turn.reply_tokens / 2), 1 / turn.tokens_per_second)
        for turn in turns
        if turn.tokens_per_second
    ]
    return _floor("decode", "token", measured, least(0))


def prefill(
    limits: MachineLimits, model: costs.LanguageModelCosts, turns: Iterable[BenchTurn]
) -> StageFloor:
    """A token of the prompt's new part, if all of that is evaluated at once."""

    def least(new: int) -> Least:
        seconds, bound = limits.least(model.weights, 2.0 * (model.inner * new + model.outer))
        return seconds / new, bound

    timed = [
        (turn.prompt_tokens - turn.reused_tokens, 1 / turn.prefill_rate)
        for turn in turns
        if turn.prefill_rate and turn.prompt_tokens > turn.reused_tokens
    ]
    new = round(median(new for new, _ in timed)) if timed else 1
    measured = [(least(new), seconds) for new, seconds in timed]
    return _floor("prefill", f"token, {new} at once", measured, least(new))


def recognize(
    limits: MachineLimits, model: costs.RecognizerCosts, turns: Iterable[BenchTurn]
) -> StageFloor:
    """A question: the encoder over the clip and the silence behind it, and a token per word."""

    def least(seconds: float, said: int) -> Least:
        n = model.positions(seconds)
        # Two products of attention: queries by keys, and those by values.
        floating = 2.0 * (model.convolved * n + 2 * n * n * model.width * model.layers)
        encoding = limits.least(model.linear, 2.0 * model.linear * n, floating)
        decoding = limits.least(model.decoder, 2.0 * model.decoder)
        spent = (said + MARKER_TOKENS) * decoding[0]
        return encoding[0] + spent, encoding[1] if encoding[0] >= spent else decoding[1]

    measured = [
        (least(turn.read_seconds, len(words(turn.transcript))), turn.stt_rtf * turn.read_seconds)
        for turn in turns
        if turn.stt_rtf and turn.read_seconds
    ]
    return _floor("recognize", "question", measured, (0.0, ""))


def synthesize(limits: MachineLimits, operations: float, turns: Iterable[BenchTurn]) -> StageFloor:
    """A second of audio: the convolutions of the voice's decoder."""
    least = limits.least(0.0, 0.0, operations)
    measured = [(least, turn.tts_rtf) for turn in turns if turn.tts_rtf]
    return _floor("synthesize", "second of sound", measured, least)


def _floor(
    stage: RooflineStage, per: str, measured: Sequence[tuple[Least, float]], nominal: Least
) -> StageFloor:
    """`measured` are floors with the seconds it took, `nominal` is the floor without any."""
    if not measured:
        why, (floor, bound) = "no turn measured it", nominal
        return StageFloor(stage=stage, per=per, floor=floor or None, bound=bound, why=why)
    bounds = [bound for (_, bound), _ in measured]
    floor, took = median(f for (f, _), _ in measured), median(took for _, took in measured)
    found = StageFloor(stage=stage, per=per, n=len(measured), measured=took)
    if not floor:
        return replace(found, why="this machine's limits were not measured")
    share = median(floor / took for (floor, _), took in measured if took > 0)
    return replace(found, floor=floor, share=share, bound=max(bounds, key=bounds.count))


def roofline(
    config: Config, limits: MachineLimits, names: Mapping[str, str], turns: Sequence[BenchTurn]
) -> Roofline:
    """The floor of every stage whose model, by its role in `names`, can be counted."""
    store = Store(config)
    timed = [turn for turn in turns if turn.timed]
    # Turns without a reply were transcribed as well.
    asked = [turn for turn in turns if not turn.warm_up]

    def heard(path: Path) -> Sequence[StageFloor]:
        return [recognize(limits, costs.recognizer(path, config.stt), asked)]

    def thought(path: Path) -> Sequence[StageFloor]:
        model = costs.language_model(path, config.slm)
        return prefill(limits, model, timed), decode(limits, model, timed)

    def spoken(path: Path) -> Sequence[StageFloor]:
        return [synthesize(limits, costs.voice(path), timed)]

    work: Mapping[str, tuple[Sequence[RooflineStage], Callable[[Path], Sequence[StageFloor]]]] = {
        "stt": (["recognize"], heard),
        "slm": (["prefill", "decode"], thought),
        "tts": (["synthesize"], spoken),
    }
    floors: list[StageFloor] = []
    for role, (stages, count) in work.items():
        if role not in names:
            continue
        try:
            found = store.find(names[role])
            if found is None:
                raise costs.UnknownCosts("its file is not here any more")
            floors += count(found.path)
        except Exception as error:  # a floor that fails must not cost the measurement
            why = error.what if isinstance(error, EdgevoiceError) else str(error) or repr(error)
            floors += [StageFloor(stage=stage, per="", why=why) for stage in stages]
    return Roofline(
        memory=limits.memory,
        float32=limits.float32,
        int8=limits.int8,
        cache=limits.cache,
        floors=tuple(floors),
    )

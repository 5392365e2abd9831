"""Which models meet a budget, the best first; and if none does, what would."""

from __future__ import annotations

import itertools
import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from edgevoice.bench.fitting.options import Option, Voiced, spare
from edgevoice.bench.fitting.predicting import predict
from edgevoice.bench.fitting.record import BUSY, Choice, How, Thinking
from edgevoice.bench.fitting.thinking import best_threads
from edgevoice.bench.fitting.unmeasured import Costs
from edgevoice.bench.result.device_record import Speeds
from edgevoice.catalog import SHAPE
from edgevoice.models.disk import size_text
from edgevoice.models.machine import SPARE_MEMORY
from edgevoice.models.shapes import BESIDES
from edgevoice.models.store import models_folder
from edgevoice.settings import Config

GAIN = 0.1
"""The share of a token's time that fewer threads must gain to be worth fixing their number."""
LEAST_CONTEXT = 1024
"""Tokens of a context window that still hold a conversation."""
WAITING = ("pause", "confirm", "output")
"""Spans that no faster machine shortens."""
STEP = 0.05
"""Seconds that a budget is told in."""

Able = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Limits:
    """What must be kept: seconds of gap, bytes of memory and of disk yet to be filled."""

    budget: float
    memory: int
    disk: int


@dataclass(frozen=True, slots=True)
class Set:
    """One model for each role, and what came of it."""

    slm: Option
    stt: Option
    choice: Choice

    @property
    def order(self) -> tuple[bool, int, tuple[Able, Able], float]:
        """Those that meet it by ability; behind them those that exceed the least, the quickest."""
        able = tuple((-size, -rank) for size, rank in (self.slm.capability, self.stt.capability))
        choice = self.choice
        if choice.meets:
            return False, 0, (able[0], able[1]), choice.predicted.gap
        return True, len(choice.why), ((0, 0), (0, 0)), choice.predicted.gap


def free_disk(config: Config) -> int:
    """Bytes free where models lie."""
    folder = models_folder(config)
    there: Path = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free


def choices(
    wanted: Mapping[Voiced, Sequence[Option]], costs: Costs, config: Config, limits: Limits
) -> list[Choice]:
    """Every set of models, those that meet the budget first, and of these the most able first.

    Of two language models the larger is more able, and with the same one the larger recognizer;
    where none meets it, the quickest is first.
    """
    sets = []
    for slm, stt, tts in itertools.product(wanted["slm"], wanted["stt"], wanted["tts"]):
        made = _choice(slm, stt, tts, costs, config)
        if made is not None:
            sets.append(Set(slm, stt, _judged(made, limits)))
    return [each.choice for each in sorted(sets, key=lambda each: each.order)]


def _choice(slm: Option, stt: Option, tts: Option, costs: Costs, config: Config) -> Choice | None:
    thought, heard, said = costs.thinking(slm), costs.hearing(stt), costs.speaking(tts)
    if thought is None or heard is None or said is None:
        return None
    cores = costs.calibration.cores
    # Beside other programs fewer threads are quicker, and would not be without them.
    quiet = costs.calibration.busy <= BUSY
    number = config.slm.threads or (best_threads(thought.batches, GAIN) if quiet else cores)
    settings: dict[str, str | int] = {"models.slm": slm.name, "models.stt": stt.name}
    settings["models.tts"] = tts.name
    if number != cores and not config.slm.threads:
        settings["slm.threads"] = number
    fixed = replace(config, slm=replace(config.slm, threads=number))
    beside, disk, fetch, lacking = spare(config)
    models = (slm, stt, tts)
    lacks = [option for option in models if not option.here]
    return Choice(
        slm=slm.name,
        quantization=thought.quantization if slm.here else slm.quantization,
        stt=stt.name,
        tts=tts.name,
        threads={"recognizer": heard.threads, "language model": number, "voice": said.threads},
        how={"slm": _how(thought, slm), "stt": heard.how, "tts": said.how},
        predicted=predict(thought, heard, said, fixed, cores, costs.calibration.strain),
        memory=memory_of(models, thought, config) + beside,
        disk=sum(option.disk for option in models) + disk,
        fetch=sum(option.disk for option in lacks) + fetch,
        missing=(*(option.name for option in lacks), *lacking),
        meets=False,
        settings=settings,
    )


def memory_of(models: Iterable[Option], slm: Thinking | None, config: Config) -> int:
    """Bytes of memory that these models take with the program around them; the language model's
    by its weights and its context, where that is known, else by the catalog."""
    total = SPARE_MEMORY
    for option in models:
        if option.role == "slm" and slm is not None and slm.cache:
            context = config.slm.context
            if option.entry and option.entry.context:
                context = min(context, option.entry.context)
            total += option.weights + slm.cache * context + BESIDES
        else:
            total += option.entry.ram if option.entry else option.disk + BESIDES
    return total


def _how(thought: Thinking, option: Option) -> How:
    # The file of another model with the same dimensions is as good as its shape.
    if thought.how == "measured" and thought.model != option.name:
        return "shape"
    return thought.how


def _judged(choice: Choice, limits: Limits) -> Choice:
    """The same with what it exceeds."""
    too_much = {
        "gap": choice.predicted.gap > limits.budget,
        "memory": choice.memory > limits.memory,
        "disk": choice.fetch > limits.disk,
    }
    why = tuple(name for name, exceeded in too_much.items() if exceeded)
    return replace(choice, meets=not why, why=why)


def would(
    found: Sequence[Choice], limits: Limits, speeds: Speeds | None, costs: Costs, config: Config
) -> list[str]:
    """What would have to change for a set of models to meet the budget, where none does."""
    if not found or found[0].meets:
        return []
    lines: list[str] = []
    for why, tell in (("gap", _quicker), ("memory", _larger), ("disk", _emptier)):
        able = [choice for choice in found if choice.why == (why,)]
        if able:
            lines += tell(min(able, key=lambda each: each.predicted.gap), limits, speeds)
    if not lines:
        nearest = found[0]
        lines += _quicker(nearest, limits, speeds) if "gap" in nearest.why else []
        lines += _larger(nearest, limits, speeds) if "memory" in nearest.why else []
        lines += _emptier(nearest, limits, speeds) if "disk" in nearest.why else []
    return [*lines, *_shorter(found, limits, costs, config)]


def _quicker(choice: Choice, limits: Limits, speeds: Speeds | None) -> list[str]:
    spans = choice.predicted.spans
    least = math.ceil(choice.predicted.gap / STEP) * STEP
    lines = [f"a budget of {least:.2f} s: {named(choice)}"]
    waiting = sum(spans[name] for name in WAITING)
    working = choice.predicted.gap - waiting
    if limits.budget <= waiting:
        return [
            *lines,
            f"no faster machine: {waiting:.2f} s of it are waiting and the speaker's delay "
            "(turn.min_silence_ms, audio.latency_ms)",
        ]
    factor = working / (limits.budget - waiting)
    faster = f"a machine {factor:.1f} times as fast in every stage"
    if speeds and speeds.memory_all and speeds.int8_all:
        faster += (
            f": {speeds.memory_all * factor / 1e9:.0f} GB/s of memory and "
            f"{speeds.int8_all * factor / 1e9:.0f} Gop/s of int8, for {named(choice)}"
        )
    longest = longest_span(choice)
    rest = choice.predicted.gap - limits.budget
    if spans[longest] > rest:
        share = spans[longest] / (spans[longest] - rest)
        faster += f"; or {share:.1f} times as fast in its longest span, {longest}"
    return [*lines, faster]


def _larger(choice: Choice, limits: Limits, speeds: Speeds | None) -> list[str]:
    return [f"{size_text(choice.memory)} of memory: {named(choice)}"]


def _emptier(choice: Choice, limits: Limits, speeds: Speeds | None) -> list[str]:
    return [
        f"{size_text(choice.fetch)} free on the disk, where {size_text(limits.disk)} are: "
        f"{named(choice)}"
    ]


def _shorter(found: Sequence[Choice], limits: Limits, costs: Costs, config: Config) -> list[str]:
    """A shorter context, where that alone would make room enough."""
    caches = {each.model: each.cache for each in costs.calibration.thinking if each.cache}
    for choice in found:
        cache = caches.get(choice.slm) or caches.get(SHAPE + choice.slm)
        if choice.why != ("memory",) or not cache:
            continue
        tokens = config.slm.context - (choice.memory - limits.memory) / cache
        tokens = int(tokens // 256) * 256
        if tokens >= LEAST_CONTEXT:
            return [f"a shorter context, --set slm.context={tokens}: {named(choice)}"]
    return []


def longest_span(choice: Choice) -> str:
    """Which of its stages holds the answer up the most."""
    spans = choice.predicted.spans
    return max((name for name in spans if name not in WAITING), key=lambda name: spans[name])


def named(choice: Choice) -> str:
    """The models of a choice, as they are told in a line."""
    return f"{choice.slm} with {choice.stt}"

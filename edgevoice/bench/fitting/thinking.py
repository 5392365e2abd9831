"""What batches of tokens cost a language model: measured from its file, or a part of its shape."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from edgevoice.bench.fitting.part import part_of, written
from edgevoice.bench.fitting.record import Batches, Thinking
from edgevoice.engines.chat_template import ChatTemplate, TemplateRefused
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.llama_file import check_memory, checked, pull_again
from edgevoice.engines.llama_native import NativeModel, NotLoaded, gpu_layers
from edgevoice.errors import ModelError
from edgevoice.models.gguf import Header, Weight
from edgevoice.models.shape_layout import tensors, weights_size
from edgevoice.models.shape_table import Architecture
from edgevoice.protocols import ChatMessage
from edgevoice.settings import Config

SIZES, FEW = (16, 8, 4, 2, 1), (8, 1)
"""Tokens at once: those that the end of a question is cut into, and with fewer threads than all."""
CONTEXT = 512
BEFORE = 64
"""Tokens in the cache beforehand, about as many as a system prompt."""
TIMES = {1: 5}
"""How often a size is measured; the median counts. Others twice."""
ENOUGH = 1.5
"""Seconds after which a size is not measured once more."""
WORD = "Why"


def counts(all_cores: int) -> list[int]:
    """The numbers of threads that a model may be given: all, all but one, half."""
    return sorted({all_cores, max(1, all_cores - 1), max(1, all_cores // 2)}, reverse=True)


def measured(name: str, path: Path, config: Config) -> Thinking:
    """What the model `name` at `path`, or its shape, does. Raises ModelError."""
    header = checked(path)
    native = opened(path, header, config)
    try:
        return Thinking(
            model=name,
            how="shape" if header.shape else "measured",
            file=path.stat().st_size,
            size=_read(header.weights, "output.weight" not in {w.name for w in header.weights}),
            batches=batches(native, threads(config)),
            cache=header.cache(1),
            closing=_closing(native, header),
            quantization=header.quantization,
        )
    finally:
        native.close()


def from_part(model: Architecture, config: Config) -> Thinking:
    """What some layers of `model` tell of all of it. Raises StorageError and ModelError."""
    part = part_of(model)
    with written(part) as path:
        native = _open(path, config)
        try:
            found = batches(native, threads(config))
        finally:
            native.close()
    size, of_part = (_read(tensors(each), each.tied) for each in (model, part))
    return Thinking(
        model=model.name,
        how="part of a shape",
        file=weights_size(model),
        size=size,
        batches=scaled(found, size / of_part),
        cache=model.blocks * model.kv_heads * model.head * 2 * 2,
        quantization="Q4_K_M",
    )


def scaled(found: Batches, factor: float) -> Batches:
    """The same times `factor`."""
    return {
        number: {size: seconds * factor for size, seconds in costs.items()}
        for number, costs in found.items()
    }


def threads(config: Config) -> list[int]:
    """With how many threads to measure: what is set, or all that may be chosen."""
    return [config.slm.threads] if config.slm.threads else counts(cores.all)


def opened(path: Path, header: Header, config: Config) -> NativeModel:
    """The model at `path`, loaded if there is memory for it. Raises ModelError."""
    check_memory(path, header, CONTEXT)
    return _open(path, config)


def _open(path: Path, config: Config) -> NativeModel:
    try:
        native = NativeModel(path, CONTEXT, BEFORE, cores.all, gpu_layers(config.slm.gpu_layers))
    except NotLoaded as error:
        raise ModelError(
            f"the model cannot be loaded: {error}", where=str(path), remedy=pull_again(path)
        ) from None
    native.touch()
    return native


def batches(native: NativeModel, numbers: Sequence[int]) -> dict[int, dict[int, float]]:
    """Seconds that batches take on each of these numbers of threads."""
    native.evaluate([1] * BEFORE)
    found: dict[int, dict[int, float]] = {}
    for number in numbers:
        native.use_threads(number)
        _timed(native, 1)  # its threads are started
        found[number] = {}
        for size in SIZES if number == max(numbers) else FEW:
            taken: list[float] = []
            while len(taken) < TIMES.get(size, 2) and sum(taken) < ENOUGH:
                taken.append(_timed(native, size))
            found[number][size] = median(taken)
    return found


def work(native: NativeModel, number: int) -> Callable[[], None]:
    """Makes the model compute a token on so many threads each time it is called."""
    native.use_threads(number)
    return lambda: _evaluate(native, 1)


def _timed(native: NativeModel, size: int) -> float:
    began = time.perf_counter()
    _evaluate(native, size)
    return time.perf_counter() - began


def _evaluate(native: NativeModel, size: int) -> None:
    native.truncate(BEFORE)
    # Any token costs as much as another.
    native.evaluate([1] * size)


def _closing(native: NativeModel, header: Header) -> int | None:
    """How many tokens close a question and open the reply."""
    bos, eos = native.name(native.bos), native.name(native.eos)
    try:
        template = ChatTemplate(header.values["tokenizer.chat_template"], bos, eos)
        after = template.render([ChatMessage("user", WORD)]).rpartition(WORD)[2]
    except TemplateRefused:
        return None
    return len(native.tokenize(after))


def _read(weights: Sequence[Weight], tied: bool) -> int:
    """Bytes that are read for a batch: of an embedding that is nothing else, only some rows."""
    return sum(w.size for w in weights if tied or w.name != "token_embd.weight")


def best_threads(found: Batches, gain: float) -> int:
    """The number of threads with the quickest token; all, unless fewer gain that share of it."""
    most = max(found)
    quickest = min(found, key=lambda number: found[number][1])
    return quickest if found[quickest][1] < found[most][1] * (1 - gain) else most


def on(found: Batches, number: int) -> Mapping[int, float]:
    """What batches cost on `number` threads, by the nearest number that was measured."""
    nearest = min(found, key=lambda each: (abs(each - number), -each))
    factor = nearest / number if number < nearest else 1.0
    return {size: seconds * factor for size, seconds in found[nearest].items()}

"""pp512 and tg128 by llama-bench's definitions, so that they can be compared with published ones.

pp512 evaluates a prompt of 512 tokens on an empty context; tg128 generates 128 tokens from an empty
context, without sampling. Tokens are random. Each follows a warm-up run.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.llama_native import NativeContext, NativeModel, NotLoaded, gpu_layers
from edgevoice.errors import ModelError
from edgevoice.settings import SlmSettings

PROMPT, GENERATED = 512, 128  # tokens; the prompt is evaluated in one batch
REPETITIONS = 5


def llama_rates(path: Path, settings: SlmSettings) -> Mapping[str, list[float]]:
    """Tokens per second of each repetition of `pp512` and `tg128` with the GGUF model at `path`.

    Raises ModelError.
    """
    threads, layers = settings.threads or cores.all, gpu_layers(settings.gpu_layers)
    try:
        with (
            closing(NativeModel(path, layers)) as model,
            closing(model.context(PROMPT, PROMPT, threads)) as context,
        ):
            return _rates(model, context)
    except NotLoaded as error:
        raise ModelError(f"the model cannot be loaded: {error}", where=str(path)) from None


def _rates(model: NativeModel, context: NativeContext) -> dict[str, list[float]]:
    draw = random.Random(1)

    def tokens(count: int) -> list[int]:
        drawn = [draw.randrange(model.vocabulary) for _ in range(count)]
        return [model.bos, *drawn[1:]] if model.adds_bos else drawn

    def evaluate(count: int) -> None:
        context.evaluate(tokens(count))

    def generate(count: int) -> None:
        for token in tokens(count):
            context.evaluate([token])

    def rates(run: Callable[[int], None], count: int, warm_up: int) -> list[float]:
        found = []
        for repetition in range(-1, REPETITIONS):
            context.clear()
            began = time.perf_counter()
            run(warm_up if repetition < 0 else count)
            context.synchronize()
            found.append(count / (time.perf_counter() - began))
        return found[1:]

    return {
        "pp512": rates(evaluate, PROMPT, PROMPT),
        "tg128": rates(generate, GENERATED, 1),
    }

"""What engines tell without a conversation: of this machine, and of a model's file.

Each function imports only the engine that it asks.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from edgevoice.errors import EngineError
from edgevoice.settings import SlmSettings


def gpu_layers(wanted: int) -> int:
    """Layers of a language model that run on the GPU; `wanted` is slm.gpu_layers."""
    from edgevoice.engines.llama_native import gpu_layers as layers

    return layers(wanted)


def transcribes_on_gpu() -> bool:
    """Whether transcription runs on a GPU."""
    from edgevoice.engines.whisper import on_gpu

    return on_gpu()


def encoder_seconds() -> tuple[float, float]:
    """The silence after a clip that is encoded with it, and the longest clip, in seconds."""
    from edgevoice.engines.whisper import PADDINGS, WINDOW_SECONDS

    return PADDINGS[0], WINDOW_SECONDS


def decoder_products(path: Path) -> float | None:
    """Multiplications per sample in the decoder of the Piper voice at `path`; None if unknown."""
    from edgevoice.engines.piper_parts import decoder_products as products

    return products(path)


def token_seconds(
    path: Path, counts: Sequence[int], before: int, context: int, threads: int, rounds: int
) -> list[float]:
    """Shortest seconds in which the GGUF model at `path` evaluates each count of tokens at once.

    They follow `before` other tokens. Raises EngineError if the model cannot be loaded.
    """
    from edgevoice.engines.llama_native import NativeModel, NotLoaded

    try:
        with (
            closing(NativeModel(path, 0)) as model,
            closing(model.context(context, before, threads)) as native,
        ):
            native.evaluate([1] * before)
            found = []
            for count in counts:
                taken = []
                for _ in range(rounds):
                    native.truncate(before)
                    began = time.perf_counter()
                    native.evaluate([1] * count)
                    taken.append(time.perf_counter() - began)
                found.append(min(taken))
            return found
    except NotLoaded as error:
        raise EngineError(f"the model cannot be loaded: {error}") from None


def published_rates(path: Path, settings: SlmSettings) -> Mapping[str, list[float]]:
    """Tokens per second of each repetition of `pp512` and `tg128` with the GGUF model at `path`,
    by llama-bench's definitions. Raises ModelError."""
    from edgevoice.engines.llama_bench import llama_rates as rates

    return rates(path, settings)

"""llama.cpp with everything noted that a model has it compute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from edgevoice.engines import llama
from edgevoice.engines.llama import Llama
from edgevoice.engines.llama_native import NativeModel
from edgevoice.settings import SlmSettings

L = TypeVar("L", bound=Llama)


class Watched(NativeModel):
    """Computes as it always does. `held` is what was evaluated and is still in its KV cache."""

    def __init__(self, *given: Any) -> None:
        self.evaluated: list[list[int]] = []
        self.held: list[int] = []
        self.sampled: list[int] = []
        self.threads: list[int] = []
        super().__init__(*given)

    def evaluate(self, tokens: Sequence[int]) -> None:
        super().evaluate(tokens)
        self.evaluated.append(list(tokens))
        self.held += tokens

    def truncate(self, length: int) -> bool:
        done = super().truncate(length)
        if done:
            del self.held[length:]
        return done

    def clear(self) -> None:
        super().clear()
        self.held.clear()

    def use_threads(self, threads: int) -> None:
        self.threads.append(threads)
        super().use_threads(threads)

    def sample(self) -> int:
        self.sampled.append(super().sample())
        return self.sampled[-1]


@contextmanager
def watched(
    kind: type[L], path: Path, settings: SlmSettings, kept: Path | None = None
) -> Iterator[tuple[L, Watched]]:
    """A model of `kind` from the file at `path`, and the llama.cpp under it."""
    natives: list[Watched] = []

    def opened(*given: Any) -> Watched:
        natives.append(Watched(*given))
        return natives[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llama, "NativeModel", opened)
        model = kind(path, settings, kept)
    try:
        yield model, natives[0]
    finally:
        model.close()

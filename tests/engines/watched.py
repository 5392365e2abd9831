"""llama.cpp with everything noted that a model has it compute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from edgevoice.engines import llama_native
from edgevoice.engines.llama import Llama
from edgevoice.engines.llama_native import NativeContext, Sampler
from edgevoice.engines.model_session import ModelSession
from edgevoice.settings import SlmSettings


class Watched(NativeContext):
    """Computes as it always does. `held` is what was evaluated and is still in its KV cache."""

    def __init__(self, *given: Any) -> None:
        self.evaluated: list[list[int]] = []
        self.held: list[int] = []
        self.sampled: list[int] = []
        self.threads: list[int] = []
        super().__init__(*given)

    def evaluate(self, tokens: Sequence[int], logits_of_each: bool = False, size: int = 0) -> None:
        super().evaluate(tokens, logits_of_each, size)
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

    def sample(self, sampler: Sampler) -> int:
        self.sampled.append(super().sample(sampler))
        return self.sampled[-1]


@contextmanager
def opened(
    path: Path, settings: SlmSettings, kept: Path | None = None, kind: type[Llama] = Llama
) -> Iterator[ModelSession]:
    """The only session of a model of `kind` from the file at `path`."""
    with closing(kind(path, settings, kept)) as model, closing(model.session()) as session:
        yield session


@contextmanager
def watched(
    kind: type[Llama], path: Path, settings: SlmSettings, kept: Path | None = None
) -> Iterator[tuple[ModelSession, Watched]]:
    """The only session of a model of `kind`, and the llama.cpp under it."""
    natives: list[Watched] = []

    def noted(*given: Any) -> Watched:
        natives.append(Watched(*given))
        return natives[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llama_native, "NativeContext", noted)
        with opened(path, settings, kept, kind) as session:
            yield session, natives[0]

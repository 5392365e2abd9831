"""Batches padded with tokens that are thrown away, on a real tiny model: only the time changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from edgevoice.engines.batches import BatchCosts
from edgevoice.engines.llama import Llama
from edgevoice.engines.llama_native import NativeContext, NativeModel
from edgevoice.settings import SlmSettings
from tests.engines.test_llama import FRANCE, ITALY, SYSTEM, Reply, ask, never
from tests.engines.watched import watched

pytestmark = pytest.mark.models

SETTINGS = SlmSettings(temperature=0.0, max_tokens=12, context=512)
SIZE = 16


@pytest.fixture
def path(model_path: Callable[[str], Path]) -> Path:
    return model_path("smollm2-135m")


@pytest.fixture
def native(path: Path) -> Iterator[NativeContext]:
    with closing(NativeModel(path, 0)) as model, closing(model.context(256, 64, 1)) as context:
        yield context


def logits(native: NativeContext, size: int) -> list[np.ndarray]:
    """Those after nine tokens of a batch of `size`, after each of three more, and after a last."""
    native.clear()
    native.evaluate(list(range(100, 120)))
    native.evaluate(list(range(200, 209)), size=size)
    found = [native.logits(-1)]
    native.evaluate(list(range(300, 303)), logits_of_each=True, size=size)
    found += [native.logits(number) for number in range(3)]
    native.evaluate([400])
    return [*found, native.logits(-1)]


def test_padding_changes_no_logits(native: NativeContext) -> None:
    """They are those after the last token that counts, and what follows knows nothing of it."""
    for one, other in zip(logits(native, 0), logits(native, SIZE), strict=True):
        assert one.argmax() == other.argmax()
        np.testing.assert_allclose(one, other, atol=0.5)
        assert float(np.corrcoef(one, other)[0, 1]) > 0.999


def conversation(path: Path) -> tuple[list[Reply], list[int]]:
    """Two replies, and the ids that the KV cache holds after them."""
    with watched(Llama, path, SETTINGS) as (session, native):
        session.prime([SYSTEM], never)
        first = ask(session, SYSTEM, FRANCE)
        second = ask(session, SYSTEM, FRANCE, first.message, ITALY)
        return [first, second], list(native.held)


def test_a_padded_conversation_holds_the_same_ids(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The replies and the KV cache are those of a conversation without padding."""
    monkeypatch.setattr(BatchCosts, "padded", lambda costs, count, threads, most: count)
    plain, held = conversation(path)
    rooms: list[int] = []

    def padded(costs: BatchCosts, count: int, threads: int, most: int) -> int:
        rooms.append(most)
        return max(count, min(SIZE, most))

    monkeypatch.setattr(BatchCosts, "padded", padded)
    replies, padded_held = conversation(path)
    assert [reply.items for reply in replies] == [reply.items for reply in plain]
    assert padded_held == held
    assert rooms[0] == SETTINGS.context
    assert rooms[-1] == SETTINGS.context - len(held) + 1


def test_a_model_without_a_cache_to_cut_is_not_padded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recurrent model cannot throw tokens away, whatever a larger batch costs."""
    with closing(Llama(path, SETTINGS)) as model:
        for size, seconds in {1: 0.1, 4: 0.3, 12: 0.9, 16: 0.2}.items():
            model.note(model.threads(), size, seconds)
        assert model.padded(12, model.threads(), room=100) == SIZE
        monkeypatch.setattr(NativeModel, "truncates", False)
        assert model.padded(12, model.threads(), room=100) == 12

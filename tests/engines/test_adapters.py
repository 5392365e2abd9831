"""LoRA adapters: sessions with and without them share the weights."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgevoice.engines.llama import Llama
from edgevoice.engines.pool import EnginePool
from edgevoice.errors import ModelError
from edgevoice.models.progress import NoProgress
from edgevoice.models.shape_file import header, write
from edgevoice.protocols import ChatMessage
from edgevoice.settings import Config, SlmSettings
from tests.models.small_shapes import small, vocabulary

MISTRAL = small("mistral-7b")
ASKED = [ChatMessage("user", "the toast")]


DIFFERENT, SAME = 0.05, 0.01
"""Distances of logits; the sizes of batches, which vary, make about 0.002."""


def never() -> bool:
    return False


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def lora(path: Path, *, seed: int = 1, family: str = "llama", kind: str = "adapter") -> Path:
    """A LoRA adapter of rank 4 on the attention output of both blocks."""
    width, rank = MISTRAL.width, 4
    random = np.random.default_rng(seed)
    tensors: list[tuple[str, NDArray[np.float32]]] = []
    for block in range(MISTRAL.blocks):
        name = f"blk.{block}.attn_output.weight"
        for half, shape in (("a", (rank, width)), ("b", (width, rank))):
            tensors.append((f"{name}.lora_{half}", random.normal(0, 1, shape).astype(np.float32)))
    pairs = {"general.type": kind, "general.architecture": family, "adapter.type": "lora"}
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs) + 1)
    for key, value in pairs.items():
        out += text(key) + struct.pack("<I", 8) + text(value)
    out += text("adapter.lora.alpha") + struct.pack("<If", 6, 400.0)
    offset = 0
    for name, data in tensors:
        rows, columns = data.shape
        out += text(name) + struct.pack("<IQQIQ", 2, columns, rows, 0, offset)
        offset += data.nbytes
    out += b"\0" * (-len(out) % 32) + b"".join(data.tobytes() for _, data in tensors)
    path.write_bytes(out)
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny language model with random weights."""
    folder = tmp_path_factory.mktemp("base")
    path = folder / "base.gguf"
    write(path, header(MISTRAL, vocabulary(folder / "tiny.gguf")), MISTRAL, NoProgress())
    return path


@pytest.fixture
def model(base: Path, tmp_path: Path) -> Iterator[Llama]:
    settings = SlmSettings(threads=1, context=512, lock_memory=False)
    loaded = Llama(base, settings, tmp_path / "prompts")
    yield loaded
    loaded.close()


def logits(model: Llama, *specs: str) -> NDArray[np.float32]:
    """The logits after a question, in a session with these adapters."""
    session = model.session()
    if specs:
        session.use_adapters(specs)
    session.prime(ASKED, never)
    native = model.caches.of(session)
    native.evaluate([1])
    found = native.logits(0)
    session.close()
    return found


def distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.abs(one - other).max())


def test_an_adapter_changes_the_logits_and_the_weights_stay(model: Llama, tmp_path: Path) -> None:
    """Sessions with one, with another, with its opposite and without take turns on one model."""
    one, other = lora(tmp_path / "one.gguf"), lora(tmp_path / "other.gguf", seed=2)
    plain, adapted = logits(model), logits(model, str(one))
    opposite = logits(model, f"{one} * -1")
    assert distance(adapted, plain) > DIFFERENT
    assert distance(logits(model, str(other)), adapted) > DIFFERENT
    assert distance(opposite, plain) > DIFFERENT
    assert distance(opposite, adapted) > DIFFERENT
    assert distance(logits(model, f"{one} * 0"), plain) < SAME
    assert distance(logits(model, str(one)), adapted) < SAME
    assert distance(logits(model), plain) < SAME


def test_a_stored_prompt_belongs_to_its_adapters(model: Llama, tmp_path: Path) -> None:
    """The state of the system prompt with an adapter is not that without it."""
    asked = [ChatMessage("system", "Be short."), *ASKED]
    adapter = str(lora(tmp_path / "one.gguf"))
    for specs in ((), (adapter,), (f"{adapter} * 2",)):
        session = model.session()
        session.use_adapters(specs)
        session.prime(asked[:1], never)
        session.close()
    assert len(list((tmp_path / "prompts").glob("*.kv"))) == 3


def test_a_hash_behind_the_file_is_kept_to(model: Llama, tmp_path: Path) -> None:
    """The right one is accepted; another one is refused with both ways out."""
    path = lora(tmp_path / "one.gguf")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    session = model.session()
    session.use_adapters([f"{path} * 0.5 sha256:{digest}"])
    with pytest.raises(ModelError, match="altered: its sha256 is") as caught:
        session.use_adapters([f"{path} sha256:{'0' * 64}"])
    assert "slm.adapters" in caught.value.remedy
    session.close()


@pytest.mark.parametrize(
    ("made", "what"),
    [
        ({"family": "phi3"}, "the adapter is for phi3, the language model is llama"),
        ({"kind": "model"}, "not a LoRA adapter"),
    ],
)
def test_a_file_that_is_no_adapter_of_this_model_is_refused(
    made: dict[str, Any], what: str, model: Llama, tmp_path: Path
) -> None:
    """Before native code reads it."""
    with pytest.raises(ModelError, match=what) as caught:
        model.session().use_adapters([str(lora(tmp_path / "x.gguf", **made))])
    assert "slm.adapters" in caught.value.remedy


@pytest.mark.parametrize("keep", [0, 3, 100, 1000, 4000])
def test_an_adapter_that_is_cut_short_is_refused(keep: int, model: Llama, tmp_path: Path) -> None:
    """At any byte."""
    path = lora(tmp_path / "x.gguf")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"cut short|damaged"):
        model.session().use_adapters([str(path)])


def test_a_missing_adapter_is_named(model: Llama, tmp_path: Path) -> None:
    """With the setting that names it."""
    with pytest.raises(ModelError, match="cannot be read") as caught:
        model.session().use_adapters([str(tmp_path / "none.gguf")])
    assert "slm.adapters" in caught.value.remedy


def test_tensors_of_another_size_are_refused(model: Llama, tmp_path: Path) -> None:
    """As llama.cpp finds them when it loads the adapter."""
    path = lora(tmp_path / "x.gguf")
    path.write_bytes(path.read_bytes().replace(b"attn_output", b"attn_nothin"))
    with pytest.raises(ModelError, match="do not match"):
        model.session().use_adapters([str(path)])


def test_profiles_with_other_adapters_share_the_weights(base: Path, tmp_path: Path) -> None:
    """The model is loaded once for sessions whose settings differ in their adapters."""
    pool, loaded = EnginePool(hold=True), []
    adapter = str(lora(tmp_path / "one.gguf"))

    def load() -> Llama:
        loaded.append(Llama(base, SlmSettings(threads=1, context=512, lock_memory=False)))
        return loaded[-1]

    loans = [
        pool.lend("slm", "base", Config(slm=SlmSettings(adapters=specs)), load)
        for specs in ((), (adapter,))
    ]
    assert len(loaded) == 1
    for loan in loans:
        loan.engine.close()
        loan.give_back()
    pool.close()


def test_an_engine_without_adapters_refuses_them() -> None:
    """The setting is not ignored in silence."""

    class Weights:
        def session(self) -> object:
            return object()

    config = Config(slm=SlmSettings(adapters=("x.gguf",)))
    with pytest.raises(ModelError, match="has no adapters"):
        EnginePool().lend("slm", "x", config, Weights)

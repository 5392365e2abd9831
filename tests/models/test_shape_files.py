"""What is in a shape's file: the published model's bytes in number and kind, and a tokenizer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgevoice.errors import ModelError
from edgevoice.models.gguf import read_header, read_pairs
from edgevoice.models.progress import NoProgress
from edgevoice.models.shape_file import header, write
from edgevoice.models.shape_layout import F32, Q4_K, Q5_0, Q5_K, Q6_K, Q8_0, tensors, weights_size
from edgevoice.models.shape_table import ARCHITECTURES, Architecture, Tokenizer
from edgevoice.models.shape_vocabulary import VOCABULARIES, tokenizer_pairs
from tests.models.small_shapes import TEMPLATE, WORDS, small, vocabulary

ALL = tuple(ARCHITECTURES.values())
SMALL_PHI = "94b46dfa5c93c4d2f4a1e8b0e3e701c96f7245b8252b5a0e19f1d40828ed03df"
"""Hash of the weights of the smallest shape below."""
PUBLISHED = tuple(model for model in ALL if model.published)


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.name)
def test_a_shape_has_exactly_the_published_number_of_parameters(model: Architecture) -> None:
    """Every matrix is there in its true size: the sum is the count that the authors give."""
    assert sum(tensor.elements for tensor in tensors(model)) == model.parameters


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.name)
def test_a_shape_takes_what_the_published_file_takes(model: Architecture) -> None:
    """The weights leave of the published Q4_K_M file just what its header and tokenizer take."""
    tokenizer = next(f for f in VOCABULARIES.files if f.name == model.tokenizer.file)
    whole = weights_size(model) + tokenizer.size
    assert abs(whole / model.published - 1) < 0.015
    assert 0 < model.published - weights_size(model) < 8_000_000


def test_the_published_mistral_has_exactly_these_bytes_of_weights() -> None:
    """Its header is known to end at byte 735,520; the rest is weights, to the byte."""
    assert weights_size(ARCHITECTURES["mistral-7b"]) == 4_368_439_584 - 735_520


def test_types_are_those_that_llama_cpp_chooses() -> None:
    """More bits in both ends and every third block between; other types where rows don't fit."""
    kinds = {tensor.name: tensor.kind for tensor in tensors(ARCHITECTURES["mistral-7b"])}
    downs = [kinds[f"blk.{block}.ffn_down.weight"] for block in range(32)]
    assert downs[:4] == [Q6_K] * 4
    assert downs[4:10] == [Q4_K, Q4_K, Q6_K] * 2
    assert downs[28:] == [Q6_K] * 4
    assert kinds["token_embd.weight"] == Q4_K
    assert kinds["output.weight"] == Q6_K
    assert kinds["blk.7.attn_norm.weight"] == F32
    phi = {tensor.name: tensor for tensor in tensors(ARCHITECTURES["phi-3-mini"])}
    assert phi["blk.5.attn_qkv.weight"].kind == Q5_K
    assert phi["blk.5.attn_qkv.weight"].shape == (3072, 9216)
    assert phi["blk.5.ffn_up.weight"].shape == (3072, 16_384)
    odd = {tensor.name: tensor.kind for tensor in tensors(ARCHITECTURES["minicpm-2b"])}
    assert {odd[f"blk.{block}.ffn_down.weight"] for block in range(40)} == {Q5_0, Q8_0}
    assert odd["token_embd.weight"] == Q6_K
    assert "output.weight" not in odd


def test_a_mixture_of_experts_has_their_weights_and_its_router() -> None:
    """At true width, in fewer blocks than the real model's."""
    model = ARCHITECTURES["mixtral-8x7b"]
    found = {tensor.name: tensor.shape for tensor in tensors(model)}
    assert found["blk.7.ffn_gate_inp.weight"] == (4096, 8)
    assert found["blk.7.ffn_down_exps.weight"] == (14_336, 4096, 8)
    assert "blk.8.attn_q.weight" not in found
    whole = replace(model, blocks=model.whole)
    assert sum(tensor.elements for tensor in tensors(whole)) == 46_702_792_704


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_file_says_of_itself_what_it_is(name: str, tmp_path: Path) -> None:
    """Its own header, read back, gives dimensions, length, template, and that it is a shape."""
    model = small(name)
    path = tmp_path / "shape.gguf"
    head = header(model, vocabulary(tmp_path / "tiny.gguf"))
    sha256 = write(path, head, model, NoProgress())
    with path.open("rb") as file:
        read = read_header(file.read)
    assert path.stat().st_size == len(head) + weights_size(model)
    assert 0 <= path.stat().st_size - read.length < 32
    assert read.tensors == len(tensors(model))
    assert read.architecture == model.family
    assert read.quantization == "Q4_K_M"
    assert read.shape == name
    assert read.title.startswith("Shape of ")
    assert "random weights" in read.values["general.description"]
    assert read.values[f"{model.family}.block_count"] == 2
    assert read.values["tokenizer.chat_template"] == TEMPLATE
    assert read.cache(100) == 100 * 2 * model.kv_heads * 64 * 2 * 2
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_shape_is_the_same_file_everywhere(tmp_path: Path) -> None:
    """Nothing in it depends on the day, the machine or the run."""
    model = small("phi-3-mini")
    head = header(model, vocabulary(tmp_path / "tiny.gguf"))
    for name in ("one", "other"):
        write(tmp_path / name, head, model, NoProgress())
    one, other = ((tmp_path / name).read_bytes() for name in ("one", "other"))
    assert one == other
    assert hashlib.sha256(one[len(head) :]).hexdigest() == SMALL_PHI


def test_every_byte_is_written_out(tmp_path: Path) -> None:
    """No holes: what the disk holds is read in full, as a trained model's file is."""
    model = small("llama-3-8b", feed_forward=8192)
    path = tmp_path / "shape.gguf"
    write(path, header(model, vocabulary(tmp_path / "tiny.gguf")), model, NoProgress())
    assert path.stat().st_blocks * 512 >= path.stat().st_size
    assert len(set(path.read_bytes()[-(1 << 20) :])) == 256


@pytest.mark.parametrize("end", [KeyboardInterrupt, OSError, SystemExit])
def test_a_file_broken_off_leaves_nothing(tmp_path: Path, end: type[BaseException]) -> None:
    """Ctrl-C, a full disk or the end of the session: half a file is worth nothing."""

    class Ending(NoProgress):
        def reach(self, done: int) -> None:
            if done > 300_000:
                raise end

    model = small("phi-3-mini")
    path = tmp_path / "shape.gguf"
    head = header(model, vocabulary(tmp_path / "tiny.gguf"))
    with pytest.raises(end):
        write(path, head, model, Ending())
    assert not path.exists()


def test_a_vocabulary_is_filled_or_cut_to_the_models_own_number(tmp_path: Path) -> None:
    """Real tokens first; unused ones behind them, control tokens where the template needs them."""
    path = vocabulary(tmp_path / "tiny.gguf")
    there = 259 + len(WORDS)
    named = Tokenizer("tiny.gguf", "made up", "none", "{{ messages }}", 3, {there: "<AI>"})
    more = tokenizer_pairs(path, small("minicpm-2b", vocabulary=there + 5, tokenizer=named))
    tokens = more["tokenizer.ggml.tokens"]
    assert int.from_bytes(tokens[8:16], "little") == there + 5
    assert b"<AI>" in tokens
    assert tokens.count(b"<unused_") == 4
    assert list(more["tokenizer.ggml.token_type"][-20:]) == [3, 0, 0, 0, *[5, 0, 0, 0] * 4]
    assert more["tokenizer.ggml.eos_token_id"] == b"\x04\0\0\0\x03\0\0\0"
    assert more["tokenizer.chat_template"].endswith(b"{{ messages }}")
    less = tokenizer_pairs(path, small("gemma-2-2b", vocabulary=260))
    assert int.from_bytes(less["tokenizer.ggml.tokens"][8:16], "little") == 260
    assert len(less["tokenizer.ggml.scores"]) == 16 + 4 * 260
    assert b"the" not in less["tokenizer.ggml.tokens"]


def test_pairs_are_copied_as_they_stand(tmp_path: Path) -> None:
    """What is not changed keeps its very bytes, and nothing but the tokenizer is taken over."""
    path = vocabulary(tmp_path / "tiny.gguf")
    with path.open("rb") as file:
        before = read_pairs(file.read)
    after = tokenizer_pairs(path, small("phi-3-mini", vocabulary=259 + len(WORDS)))
    assert after == {key: raw for key, raw in before.items() if key.startswith("tokenizer.")}


@pytest.mark.parametrize(
    "broken",
    [
        lambda data: b"",
        lambda data: b"NOPE" + data[4:],
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"tokenizer.ggml.token_type", b"tokenizer.ggml.token_typo"),
        lambda data: data.replace(b"tokenizer.chat_template", b"tokenizer.chat_temporal"),
    ],
    ids=["empty", "not a GGUF file", "cut", "without types", "without a template"],
)
def test_a_broken_vocabulary_is_named(tmp_path: Path, broken: Callable[[bytes], bytes]) -> None:
    """The file at fault and the way to another one are told, and no shape is made of it."""
    path = vocabulary(tmp_path / "tiny.gguf")
    path.write_bytes(broken(path.read_bytes()))
    with pytest.raises(ModelError) as caught:
        header(small("phi-3-mini"), path)
    assert caught.value.where == str(path)
    assert "edgevoice bench shape phi-3-mini" in caught.value.remedy

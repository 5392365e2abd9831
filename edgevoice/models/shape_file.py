"""Write a synthetic model's GGUF file: true dimensions and types, a real tokenizer, random weights.

The weights repeat a few megabytes of random blocks: the bytes read and the work are those of the
real model. Scales are those of a trained model, so that activations stay finite. The same model
always gives the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgevoice.models.disk import BLOCK_BYTES
from edgevoice.models.gguf import ALIGNMENT, SHAPE_KEY, Weight, size_of
from edgevoice.models.progress import Progress
from edgevoice.models.shape_layout import F32, Q4_K, Q5_0, Q5_K, Q6_K, Q8_0, tensors
from edgevoice.models.shape_table import GEMMA, GEMMA2, LLAMA, Architecture
from edgevoice.models.shape_vocabulary import text, tokenizer_pairs, value

TILE_BYTES = 4 << 20
"""Approximate bytes of random blocks of each type."""

_MIXED_Q4_K_M = 15

# A type's block: (elements, offsets and values of its float16 scales). The values give weights of
# about 0.02 around zero; blocks with a minimum (Q4_K, Q5_K) need two scales for that.
_SCALES: dict[int, tuple[int, dict[int, float]]] = {
    Q4_K: (256, {0: 1.0e-4, 2: 7.5e-4}),
    Q5_K: (256, {0: 5.0e-5, 2: 7.75e-4}),
    Q6_K: (256, {208: 1.5e-5}),
    Q5_0: (32, {0: 2.2e-3}),
    Q8_0: (32, {0: 2.7e-4}),
}


def header(model: Architecture, vocabulary: Path) -> bytes:
    """Everything before the weights. Raises ModelError if the vocabulary is unusable."""
    return _head(model, tokenizer_pairs(vocabulary, model))


def wordless_header(model: Architecture) -> bytes:
    """The same without a tokenizer: the model can be evaluated, but takes no text."""
    return _head(
        model,
        {
            f"{model.family}.vocab_size": value(model.vocabulary),
            "tokenizer.ggml.model": value("no_vocab"),
        },
    )


def _head(model: Architecture, tokenizer: dict[str, bytes]) -> bytes:
    pairs = {**_model_pairs(model), **tokenizer}
    listed = tensors(model)
    out = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(listed), len(pairs)))
    for key, raw in pairs.items():
        out += text(key.encode()) + raw
    offset = 0
    for tensor in listed:
        out += text(tensor.name.encode()) + struct.pack("<I", len(tensor.shape))
        out += struct.pack(f"<{len(tensor.shape)}Q", *tensor.shape)
        out += struct.pack("<IQ", tensor.kind, offset)
        offset += tensor.room
    return bytes(out) + bytes(-len(out) % ALIGNMENT)


def write(path: Path, head: bytes, model: Architecture, progress: Progress) -> str:
    """Write and flush the file, and return its sha256.

    Raises OSError. After any exception, no file is left.
    """
    digest = hashlib.sha256()
    done = 0
    try:
        with path.open("wb") as file:
            for block in _contents(head, model):
                file.write(block)
                digest.update(block)
                done += len(block)
                progress.reach(done)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return digest.hexdigest()


def _contents(head: bytes, model: Architecture) -> Iterator[bytes | memoryview]:
    yield head
    tiles = {kind: _tile(kind) for kind in _SCALES}
    for number, tensor in enumerate(tensors(model)):
        if tensor.kind == F32:
            yield np.ones(tensor.elements, "<f4").tobytes()
        else:
            yield from _tiled(tensor, tiles[tensor.kind], number)
        yield bytes(tensor.room - tensor.size)


def _tiled(tensor: Weight, tile: memoryview, number: int) -> Iterator[memoryview]:
    """The repeated tile, starting at another block for each tensor."""
    block = size_of(tensor.kind, _SCALES[tensor.kind][0])
    at = number * 1009 * block % len(tile)
    left = tensor.size
    while left:
        piece = tile[at : at + min(left, BLOCK_BYTES)]
        yield piece
        left -= len(piece)
        at = (at + len(piece)) % len(tile)


def _tile(kind: int) -> memoryview:
    """Random blocks of a type; their number is odd, so that neighbouring rows differ."""
    elements, scales = _SCALES[kind]
    size = size_of(kind, elements)
    count = TILE_BYTES // size | 1
    # numpy keeps a generator's raw bits stable between versions, but not its distributions.
    raw = np.random.PCG64(kind).random_raw(-(-count * size // 8))
    blocks = np.frombuffer(raw.astype("<u8").tobytes(), np.uint8)[: count * size]
    blocks = blocks.reshape(count, size).copy()
    for offset, scale in scales.items():
        blocks[:, offset : offset + 2] = np.array([scale], "<f2").view(np.uint8)
    return memoryview(blocks.tobytes())


def _model_pairs(model: Architecture) -> dict[str, bytes]:
    """The header's entries about the model, as raw values."""
    tokenizer = model.tokenizer
    own: dict[str, str | int | float] = {
        "context_length": model.context,
        "embedding_length": model.width,
        "feed_forward_length": model.feed_forward,
        "block_count": model.blocks,
        "attention.head_count": model.heads,
        "attention.head_count_kv": model.kv_heads,
        "attention.layer_norm_rms_epsilon": model.epsilon,
        "rope.dimension_count": model.head,
        "rope.freq_base": model.rope_base,
        **model.extra,
    }
    if model.family == LLAMA:
        own["vocab_size"] = model.vocabulary
    if model.family in (GEMMA, GEMMA2) or model.heads * model.head != model.width:
        own["attention.key_length"] = own["attention.value_length"] = model.head
    general: dict[str, str | int | float] = {
        "general.architecture": model.family,
        "general.type": "model",
        "general.name": f"Shape of {model.title}",
        "general.description": (
            f"The dimensions of {model.source} in Q4_K_M with random weights: it can be measured "
            f"and cannot answer. The tokenizer is {tokenizer.origin} ({tokenizer.licence})."
        ),
        "general.file_type": _MIXED_Q4_K_M,
        "general.quantization_version": 2,
        SHAPE_KEY: model.name,
    }
    named = {**general, **{f"{model.family}.{key}": each for key, each in own.items()}}
    return {key: value(each) for key, each in named.items()}

"""The tensors of a model's Q4_K_M file: names, shapes and types, as llama.cpp chooses them."""

from __future__ import annotations

from collections.abc import Iterator

from edgevoice.models.gguf import Weight
from edgevoice.models.shape_table import GEMMA2, PHI3, Architecture

F32, Q5_0, Q8_0, Q4_K, Q5_K, Q6_K = 0, 6, 8, 12, 13, 14
"""GGUF's numbers of the tensor types."""

_LARGE_BLOCK = 256
_SMALLER = {Q4_K: Q5_0, Q6_K: Q8_0}
"""The type llama.cpp uses if a row is not a multiple of 256 elements."""


def tensors(model: Architecture) -> list[Weight]:
    """All tensors of the model, in the order of the file."""
    embedding = (model.width, model.vocabulary)
    outer = [Weight("output_norm.weight", (model.width,), F32)]
    if not model.tied:
        outer.append(Weight("output.weight", embedding, Q6_K))
    return [
        Weight("token_embd.weight", embedding, Q6_K if model.tied else Q4_K),
        *(tensor for block in range(model.blocks) for tensor in _block(model, block)),
        *outer,
    ]


def _block(model: Architecture, number: int) -> Iterator[Weight]:
    width, feed_forward = model.width, model.feed_forward
    queries, values = model.heads * model.head, model.kv_heads * model.head
    more = Q6_K if _more_bits(number, model.blocks) else Q4_K
    parts: list[tuple[str, tuple[int, ...], int]] = [("attn_norm", (width,), F32)]
    if model.family == PHI3:
        parts.append(("attn_qkv", (width, queries + 2 * values), Q5_K))
    else:
        parts += [
            ("attn_q", (width, queries), Q4_K),
            ("attn_k", (width, values), Q8_0 if model.experts else Q4_K),
            ("attn_v", (width, values), Q8_0 if model.experts else more),
        ]
    output = Q5_K if model.experts else Q4_K
    parts += [("attn_output", (queries, width), output), ("ffn_norm", (width,), F32)]
    if model.family == GEMMA2:
        parts += [("post_attention_norm", (width,), F32), ("post_ffw_norm", (width,), F32)]
    each = (model.experts,) if model.experts else ()
    of_experts = "_exps" if model.experts else ""
    if model.family == PHI3:
        parts.append(("ffn_up", (width, 2 * feed_forward), Q4_K))
    else:
        parts += [
            (f"ffn_gate{of_experts}", (width, feed_forward, *each), Q4_K),
            (f"ffn_up{of_experts}", (width, feed_forward, *each), Q4_K),
        ]
    if model.experts:
        parts.append(("ffn_gate_inp", (width, model.experts), F32))
    parts.append((f"ffn_down{of_experts}", (feed_forward, width, *each), more))
    for name, shape, kind in parts:
        fits = kind == F32 or shape[0] % _LARGE_BLOCK == 0
        yield Weight(f"blk.{number}.{name}.weight", shape, kind if fits else _SMALLER[kind])


def _more_bits(block: int, blocks: int) -> bool:
    """Whether Q4_K_M uses two more bits for this block: at both ends, and every third between."""
    eighth = blocks // 8
    return block < eighth or block >= 7 * blocks // 8 or (block - eighth) % 3 == 2


def weights_size(model: Architecture) -> int:
    """Bytes of all tensors in the file, alignment included."""
    return sum(tensor.room for tensor in tensors(model))

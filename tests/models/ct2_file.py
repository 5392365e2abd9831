"""A CTranslate2 model.bin made of names and shapes."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from math import prod

WHISPER = {
    "decoder/embeddings/weight": (100, 4),
    "decoder/layer_0/attention/linear_0/weight": (4, 4),
    "decoder/layer_0/attention/linear_1/weight": (8, 4),
    "decoder/layer_0/attention/linear_2/weight": (4, 4),
    "decoder/layer_0/attention/linear_0/bias": (4,),
    "decoder/layer_0/ffn/linear_0/weight": (16, 4),
    "decoder/layer_0/ffn/linear_1/weight": (4, 16),
    "decoder/layer_0/self_attention/linear_0/weight": (12, 4),
    "decoder/layer_0/self_attention/linear_1/weight": (4, 4),
    "decoder/num_heads": (),
    "decoder/position_encodings/encodings": (448, 4),
    "encoder/conv1/weight": (4, 80, 3),
    "encoder/conv2/weight": (4, 4, 3),
    "encoder/layer_0/ffn/linear_0/weight": (16, 4),
    "encoder/layer_0/ffn/linear_1/weight": (4, 16),
    "encoder/layer_0/self_attention/linear_0/weight": (12, 4),
    "encoder/layer_0/self_attention/linear_1/weight": (4, 4),
    "encoder/position_encodings/encodings": (1500, 4),
}
"""A Whisper of one layer and hardly any width."""


def model_bin(shapes: Mapping[str, tuple[int, ...]] = WHISPER, version: int = 6) -> bytes:
    """The file, of float16 numbers."""
    out = struct.pack("<I", version) + _text("WhisperSpec") + struct.pack("<II", 3, len(shapes))
    for name, shape in shapes.items():
        size = 2 * prod(shape)
        out += _text(name) + struct.pack(f"<B{len(shape)}I", len(shape), *shape)
        out += struct.pack("<BI", 4, size) + bytes(size)
    return out + struct.pack("<I", 0)


def _text(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

"""Shapes small enough for a test, and vocabularies made for them."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

from edgevoice.models.shape_table import ARCHITECTURES, Architecture, Tokenizer

TEMPLATE = (
    "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}</s>"
    "{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}"
)
WORDS = ("▁", "e", "t", "a", "o", "n", "s", "▁t", "he", "▁the", "an", "on", "▁a", "er", "in")
TINY = Tokenizer("tiny.gguf", "made up", "no licence")


def small(name: str, **changed: object) -> Architecture:
    """The model `name` with its family, ties and blocks' form, and hardly any width."""
    shrunk = {
        # llama.cpp looks for Phi-3's control tokens wherever that is the name.
        "title": "A tiny model",
        "blocks": 2,
        "width": 256,
        "feed_forward": 288 if name == "minicpm-2b" else 512,
        "heads": 4,
        "kv_heads": 4 if name in ("phi-3-mini", "minicpm-2b") else 2,
        "head": 64,
        "vocabulary": 300,
        "context": 512,
        "tokenizer": TINY,
    }
    return replace(ARCHITECTURES[name], **{**shrunk, **changed})  # type: ignore[arg-type]


def vocabulary(path: Path, template: str = TEMPLATE) -> Path:
    """A vocabulary-only GGUF file: control tokens, every byte, a few pieces of words."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *WORDS]
    types = [2, 3, 3, *[6] * 256, *[1] * len(WORDS)]
    scores = [0.0] * 259 + [-float(number) for number in range(len(WORDS))]
    count = len(tokens)
    pairs = {
        "general.architecture": _string("llama"),
        "tokenizer.ggml.model": _string("llama"),
        "tokenizer.ggml.tokens": struct.pack("<IIQ", 9, 8, count) + b"".join(map(_text, tokens)),
        "tokenizer.ggml.scores": struct.pack(f"<IIQ{count}f", 9, 6, count, *scores),
        "tokenizer.ggml.token_type": struct.pack(f"<IIQ{count}i", 9, 5, count, *types),
        "tokenizer.ggml.bos_token_id": struct.pack("<II", 4, 1),
        "tokenizer.ggml.eos_token_id": struct.pack("<II", 4, 2),
    }
    if template:
        pairs["tokenizer.chat_template"] = _string(template)
    out = b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs))
    path.write_bytes(out + b"".join(_text(key) + raw for key, raw in pairs.items()))
    return path


def _string(text: str) -> bytes:
    return struct.pack("<I", 8) + _text(text)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()

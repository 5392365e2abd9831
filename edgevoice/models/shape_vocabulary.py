"""A real tokenizer for a synthetic model, from llama.cpp's vocabulary-only GGUF files.

They are part of the source distribution of llama-cpp-python, which is downloaded once for all
synthetic models like any package mirror; none of its code runs.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from edgevoice.catalog import Entry, File, Mirror
from edgevoice.errors import ModelError
from edgevoice.models.disk import need_space
from edgevoice.models.gguf import NotGguf, read_pairs
from edgevoice.models.progress import Progress
from edgevoice.models.pull import fetch
from edgevoice.models.shape_table import Architecture
from edgevoice.models.store import Store

PACKAGE, VERSION, PACKAGE_SIZE = "llama-cpp-python", "0.3.36", 76_589_250

_FILES = (
    File(
        "ggml-vocab-phi-3.gguf",
        726_019,
        "967d7190d11c4842eab697079d98d56c2116e10eb617be355a2733bfc132e326",
    ),
    File(
        "ggml-vocab-llama-spm.gguf",
        723_869,
        "16c3724582d59aa8bf84711894e833f916ee46a31d80e21312759c48bf8d0e69",
    ),
    File(
        "ggml-vocab-llama-bpe.gguf",
        7_818_140,
        "97272e430d53bc7688f52d5e0ad8ea8f163ede9f1bbd1694feaa504797d5d96e",
    ),
    File(
        "ggml-vocab-gemma-4.gguf",
        15_776_467,
        "58b1ba0b57f3b4d7c468ba4ffd91ad85190346a3d7ad7e71d1cabaae8a14bb65",
    ),
)
VOCABULARIES = Entry(
    name="shape-tokenizers",
    role="slm",
    format="gguf",
    title="llama.cpp's vocabularies without weights",
    files=_FILES,
    rank=0,
    mirrors=tuple(
        Mirror(
            file=file.name,
            client="pip",
            package=PACKAGE,
            version=VERSION,
            member=f"llama_cpp_python-{VERSION}/vendor/llama.cpp/models/{file.name}",
            backend="scikit_build_core.build",
        )
        for file in _FILES
    ),
)
"""The files in the models folder; not in the catalog, because they cannot run."""

_PREFIX = "tokenizer."
_TOKENS, _SCORES, _TYPES = (f"tokenizer.ggml.{what}" for what in ("tokens", "scores", "token_type"))
_TEMPLATE, _EOS = "tokenizer.chat_template", "tokenizer.ggml.eos_token_id"
_CONTROL, _UNUSED = 3, 5
_U32, _I32, _F32, _STRING, _ARRAY = 4, 5, 6, 8, 9


def vocabulary_file(model: Architecture, store: Store, progress: Progress) -> Path:
    """The vocabulary file of the synthetic model, pulled if it is missing.

    Raises PullError if no source has it, StorageError if the folder is full.
    """
    file = next(each for each in VOCABULARIES.files if each.name == model.tokenizer.file)
    path = store.file_path(VOCABULARIES, file)
    if store.prove(VOCABULARIES, file):
        need_space(store.folder, 3 * PACKAGE_SIZE)
        progress.say(
            f"{model.model}: the tokenizer comes from the source of {PACKAGE} {VERSION}, "
            f"{PACKAGE_SIZE // 1_000_000} MB"
        )
        fetch(VOCABULARIES, store, progress)
    return path


def tokenizer_pairs(path: Path, model: Architecture) -> dict[str, bytes]:
    """The tokenizer's header entries for `model`, as raw GGUF values.

    Raises ModelError if the vocabulary is damaged or unsuitable.
    """
    tokenizer = model.tokenizer
    try:
        with path.open("rb") as source:
            found = read_pairs(source.read)
        pairs = {key: value for key, value in found.items() if key.startswith(_PREFIX)}
        tokens = _strings(pairs[_TOKENS])
        types = list(np.frombuffer(pairs[_TYPES], "<i4", len(tokens), 16))
        scores = (
            list(np.frombuffer(pairs[_SCORES], "<f4", len(tokens), 16))
            if (_SCORES in pairs)
            else None
        )
    except (NotGguf, KeyError, ValueError, struct.error, OSError) as error:
        raise ModelError(
            f"the vocabulary is damaged: {error}",
            where=str(path),
            remedy=f"delete it, then edgevoice bench shape {model.name} downloads it again",
        ) from None
    del tokens[model.vocabulary :], types[model.vocabulary :]
    lacking = range(len(tokens), model.vocabulary)
    tokens += [b"<unused_%d>" % number for number in lacking]
    types += [_UNUSED] * len(lacking)
    for number, name in tokenizer.renamed.items():
        tokens[number], types[number] = name.encode(), _CONTROL
    pairs[_TOKENS] = (
        _ARRAY_OF[_STRING] + struct.pack("<Q", len(tokens)) + b"".join(map(text, tokens))
    )
    pairs[_TYPES] = _array(_I32, np.array(types, "<i4"))
    if scores is not None:
        del scores[model.vocabulary :]
        pairs[_SCORES] = _array(_F32, np.array(scores + [0.0] * len(lacking), "<f4"))
    if tokenizer.template:
        pairs[_TEMPLATE] = value(tokenizer.template)
    if tokenizer.eos >= 0:
        pairs[_EOS] = value(tokenizer.eos)
    if _TEMPLATE not in pairs or _EOS not in pairs:
        raise ModelError(
            "the vocabulary has no chat template or no token that ends a reply",
            where=str(path),
            remedy=f"delete it, then edgevoice bench shape {model.name} downloads it again",
        )
    return pairs


def value(content: str | int | float | bool) -> bytes:
    """One raw value of a GGUF header, type first; integers are unsigned."""
    if isinstance(content, str):
        return struct.pack("<I", _STRING) + text(content.encode())
    if isinstance(content, int):
        return struct.pack("<II", _U32, content)
    return struct.pack("<If", _F32, content)


def text(content: bytes) -> bytes:
    """A string in GGUF: its length in bytes, then the bytes."""
    return struct.pack("<Q", len(content)) + content


_ARRAY_OF = {inner: struct.pack("<II", _ARRAY, inner) for inner in (_STRING, _I32, _F32)}


def _array(inner: int, content: np.ndarray) -> bytes:
    return _ARRAY_OF[inner] + struct.pack("<Q", len(content)) + content.tobytes()


def _strings(raw: bytes) -> list[bytes]:
    """The strings of an array value."""
    kind, inner, count = struct.unpack_from("<IIQ", raw)
    if (kind, inner) != (_ARRAY, _STRING):
        raise ValueError("its tokens are not strings")
    found, at = [], 16
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", raw, at)
        found.append(raw[at + 8 : at + 8 + length])
        at += 8 + length
    return found

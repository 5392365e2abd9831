"""Check a Whisper model's JSON files before native code reads them.

The native libraries use ids as addresses and sizes for memory without checking them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from edgevoice import outside
from edgevoice.outside import Malformed, from_json

MAX_TOKENS = 1 << 20
"""Maximum tokens of a vocabulary; Whisper has 51,866."""
Id = Annotated[int, Meta(ge=0, lt=MAX_TOKENS)]
Ids = Annotated[tuple[Id, ...], Meta(max_length=4096)]
HeadIndex = Annotated[int, Meta(ge=0, lt=1024)]
TokenText = Annotated[str, Meta(max_length=4096)]


class WhisperConfig(Struct, frozen=True):
    """config.json: token ids that CTranslate2 uses, and attention heads."""

    alignment_heads: (
        Annotated[tuple[tuple[HeadIndex, HeadIndex], ...], Meta(max_length=4096)] | None
    ) = None
    lang_ids: Ids | None = None
    suppress_ids: Ids | None = None
    suppress_ids_begin: Ids | None = None


class Added(Struct, frozen=True):
    """A token in addition to the vocabulary."""

    id: Id
    content: Annotated[str, Meta(min_length=1, max_length=4096)]


class Vocabulary(Struct, frozen=True, kw_only=True):
    """The model of a byte-pair tokenizer."""

    # With one of these set, the library aborts on merges without it.
    continuing_subword_prefix: Literal["", None] = None
    end_of_word_suffix: Literal["", None] = None
    vocab: Annotated[dict[TokenText, Id], Meta(min_length=1, max_length=MAX_TOKENS)]
    type: Literal["BPE"] = "BPE"


class Tokens(Struct, frozen=True):
    """tokenizer.json."""

    model: Vocabulary
    added_tokens: Annotated[tuple[Added, ...], Meta(max_length=MAX_TOKENS)] = ()


class Features(Struct, frozen=True):
    """preprocessor_config.json: Whisper knows one rate and one window."""

    feature_size: Annotated[int, Meta(ge=1, le=1024)] = 80
    sampling_rate: Literal[16000] = 16000
    hop_length: Literal[160] = 160
    chunk_length: Annotated[int, Meta(ge=1, le=60)] = 30
    n_fft: Literal[400] = 400


FILE_TYPES: Mapping[str, Any] = {
    "config.json": WhisperConfig,
    "tokenizer.json": Tokens,
    "preprocessor_config.json": Features,
    "vocabulary.json": Annotated[tuple[TokenText, ...], Meta(min_length=1, max_length=MAX_TOKENS)],
}
"""The type of each file's content; further keys are ignored."""


def read(name: str, data: bytes) -> Any:
    """The content of the file `name`, checked. Raises Malformed."""
    return from_json(data, FILE_TYPES[name])


def check(folder: Path) -> None:
    """Check the files present in `folder`. Raises Malformed with the file's name, and OSError."""
    for name in FILE_TYPES:
        path = folder / name
        if path.is_file():
            try:
                read(name, outside.read(path))
            except Malformed as error:
                raise Malformed(f"{name}: {error}") from None

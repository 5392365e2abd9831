"""Recognize the kind of a model from its files."""

from __future__ import annotations

from typing import Any

import msgspec

from edgevoice.catalog import ModelFormat
from edgevoice.engines.chat_template import ChatTemplate, TemplateRefused
from edgevoice.errors import ModelError
from edgevoice.events import Role
from edgevoice.models import voice_file
from edgevoice.models.gguf import NotGguf, Read, read_header
from edgevoice.outside import Malformed, from_json

WHISPER_FILES = ("model.bin", "config.json", "tokenizer.json", "preprocessor_config.json")
"""Files of a Whisper folder that are used, in addition to vocabulary.txt or vocabulary.json."""


class ModelKind(msgspec.Struct, frozen=True):
    """A recognized model; `ram` in bytes, `context` in tokens (0: unknown)."""

    role: Role
    format: ModelFormat
    title: str
    languages: tuple[str, ...] = ()
    ram: int = 0
    licence: str = ""
    context: int = 0


def gguf(read: Read, size: int, where: str, *, complete: bool = True) -> ModelKind:
    """A language model, from the start of its file of `size` bytes.

    Without `complete` only the start is available, and the tensors are not checked. Raises
    ModelError unless the file is a complete GGUF model with a chat template.
    """
    try:
        header = read_header(read, tensors=complete)
    except NotGguf as reason:
        raise ModelError(
            f"this is not a usable GGUF file: {reason}",
            where=where,
            remedy="download the file again, or choose another",
        ) from None
    if header.parts > 1:
        raise ModelError(
            "this GGUF file is only one of several parts",
            where=where,
            remedy="join them with llama.cpp's gguf-split --merge and add the result",
        )
    if header.shape:
        raise ModelError(
            f"this is a synthetic model ({header.shape}): its weights are random, so it cannot "
            "answer",
            where=where,
            remedy=f"edgevoice bench shape {header.shape} makes one for measurements",
        )
    if size < header.length:
        raise ModelError(
            f"this GGUF file is truncated: {size:,} of {header.length:,} bytes",
            where=where,
            remedy="download the file again",
        )
    if complete and not header.tensors:
        raise ModelError(
            "this GGUF file has a vocabulary but no weights",
            where=where,
            remedy="choose a file with the whole model",
        )
    if not header.chat_template:
        raise ModelError(
            "this is a base model: it has no chat template, so it cannot answer questions",
            where=where,
            remedy="choose its instruct or chat variant",
        )
    try:
        ChatTemplate(header.values["tokenizer.chat_template"])
    except TemplateRefused as reason:
        raise ModelError(
            f"this model cannot converse: {reason}", where=where, remedy="choose another model"
        ) from None
    shape = " ".join(filter(None, (header.architecture, header.quantization)))
    return ModelKind(
        role="slm",
        format="gguf",
        title=f"{header.title or where.rsplit('/', 1)[-1]} ({shape})",
        ram=size + header.cache(min(header.context or 4096, 4096)) + 200_000_000,
        licence=header.licence,
        context=header.context,
    )


def whisper(names: list[str], config: bytes, head: bytes, size: int, where: str) -> ModelKind:
    """A speech-to-text model, from its folder's file names, config.json and start of model.bin.

    Raises ModelError for another kind of folder.
    """
    if not {"model.bin", "config.json"} <= set(names):
        raise ModelError(
            "this folder is not a Whisper model: it needs model.bin and config.json",
            where=where,
            remedy="convert the model with ct2-transformers-converter, or name another folder",
        )
    if not ({"tokenizer.json", "vocabulary.txt", "vocabulary.json"} & set(names)):
        raise ModelError(
            "this Whisper folder has neither tokenizer.json nor a vocabulary",
            where=where,
            remedy="download the whole folder again",
        )
    if head and b"WhisperSpec" not in head:
        raise ModelError(
            "model.bin is not a Whisper model for CTranslate2",
            where=where,
            remedy="convert the model with ct2-transformers-converter, or name another folder",
        )
    languages = _json(config, f"{where}/config.json").get("lang_ids", [])
    multilingual = isinstance(languages, list) and len(languages) >= 99
    return ModelKind(
        role="stt",
        format="ctranslate2",
        title=f"Whisper ({where.rstrip('/').rsplit('/', 1)[-1]})",
        languages=("multilingual",) if multilingual else ("en",),
        ram=size + 200_000_000,
    )


def voice(config: bytes, head: bytes, size: int, where: str) -> ModelKind:
    """A voice, from its .onnx.json, and the start and size of its .onnx. Raises ModelError."""
    try:
        values = voice_file.read(config)
    except Malformed as error:
        raise ModelError(
            f"this is not a Piper voice: its .onnx.json is unusable: {error}",
            where=f"{where}.json",
            remedy="choose a voice made for Piper",
        ) from None
    # The first field of every ONNX file is its format version: tag 8 and a small number.
    if head and head[:1] != b"\x08":
        raise ModelError("this is not an ONNX file", where=where, remedy="download the file again")
    language = values.language
    code = language.get("code", "") if isinstance(language, dict) else ""
    dataset = values.dataset or where.rsplit("/", 1)[-1].removesuffix(".onnx")
    return ModelKind(
        role="tts",
        format="piper",
        title=f"{dataset}, {values.audio.sample_rate // 1000} kHz",
        languages=(str(code),) if code else (),
        ram=2 * size + 50_000_000,
    )


def _json(data: bytes, where: str) -> dict[str, Any]:
    try:
        return from_json(data, dict[str, Any])
    except Malformed as error:
        raise ModelError(
            f"this is not a JSON file: {error}", where=where, remedy="download the file again"
        ) from None

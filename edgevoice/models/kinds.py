"""What kind of model some files are, told from the files themselves."""

from __future__ import annotations

from typing import Any

import msgspec

from edgevoice.catalog import Format, Role
from edgevoice.engines.chat_template import ChatTemplate, TemplateRefused
from edgevoice.errors import ModelError
from edgevoice.models import voice_file
from edgevoice.models.gguf import NotGguf, Read, read_header
from edgevoice.outside import Malformed, from_json

WHISPER_FILES = ("model.bin", "config.json", "tokenizer.json", "preprocessor_config.json")
"""Files of a Whisper folder that are used; beside them vocabulary.txt or vocabulary.json."""


class Kind(msgspec.Struct, frozen=True):
    """What a model turned out to be; `ram` in bytes, `context` in tokens (0: not said)."""

    role: Role
    format: Format
    title: str
    languages: tuple[str, ...] = ()
    ram: int = 0
    licence: str = ""
    context: int = 0


def gguf(read: Read, size: int, where: str, *, whole: bool = True) -> Kind:
    """A language model, from the start of its file of `size` bytes.

    Without `whole` only the start is there to be read, and the tensors are not looked at. Raises
    ModelError for what is no whole GGUF model that can converse.
    """
    try:
        header = read_header(read, tensors=whole)
    except NotGguf as reason:
        raise ModelError(
            f"this is not a usable GGUF file: {reason}",
            where=where,
            remedy="fetch the file again, or choose another",
        ) from None
    if header.parts > 1:
        raise ModelError(
            "this GGUF file is only one of several parts",
            where=where,
            remedy="join them with llama.cpp's gguf-split --merge and add the result",
        )
    if header.shape:
        raise ModelError(
            f"this is the shape of a model ({header.shape}): its weights are random, so it cannot "
            "answer",
            where=where,
            remedy=f"edgevoice bench shape {header.shape} makes one to be measured",
        )
    if size < header.length:
        raise ModelError(
            f"this GGUF file is truncated: {size:,} of {header.length:,} bytes",
            where=where,
            remedy="fetch the file again",
        )
    if whole and not header.tensors:
        raise ModelError(
            "this GGUF file holds a vocabulary and no weights",
            where=where,
            remedy="choose a file that holds the whole model",
        )
    if not header.chat_template:
        raise ModelError(
            "this model has no chat template: it is a base model, which continues text and "
            "cannot converse",
            where=where,
            remedy="choose the instruct or chat variant of it",
        )
    try:
        ChatTemplate(header.values["tokenizer.chat_template"])
    except TemplateRefused as reason:
        raise ModelError(
            f"this model cannot converse: {reason}", where=where, remedy="choose another model"
        ) from None
    shape = " ".join(filter(None, (header.architecture, header.quantization)))
    return Kind(
        role="slm",
        format="gguf",
        title=f"{header.title or where.rsplit('/', 1)[-1]} ({shape})",
        ram=size + header.cache(min(header.context or 4096, 4096)) + 200_000_000,
        licence=header.licence,
        context=header.context,
    )


def whisper(names: list[str], config: bytes, head: bytes, size: int, where: str) -> Kind:
    """A recognizer, from the names in its folder, its config.json and the head of its model.bin."""
    if not {"model.bin", "config.json"} <= set(names):
        raise ModelError(
            "this folder is not a Whisper model: model.bin and config.json are wanted",
            where=where,
            remedy="convert the model with ct2-transformers-converter, or name another folder",
        )
    if not ({"tokenizer.json", "vocabulary.txt", "vocabulary.json"} & set(names)):
        raise ModelError(
            "this Whisper folder has neither tokenizer.json nor a vocabulary",
            where=where,
            remedy="fetch the whole folder again",
        )
    if head and b"WhisperSpec" not in head:
        raise ModelError(
            "model.bin is not a Whisper model for CTranslate2",
            where=where,
            remedy="convert the model with ct2-transformers-converter, or name another folder",
        )
    languages = _json(config, f"{where}/config.json").get("lang_ids", [])
    multilingual = isinstance(languages, list) and len(languages) >= 99
    return Kind(
        role="stt",
        format="ctranslate2",
        title=f"Whisper ({where.rstrip('/').rsplit('/', 1)[-1]})",
        languages=("multilingual",) if multilingual else ("en",),
        ram=size + 200_000_000,
    )


def voice(config: bytes, head: bytes, size: int, where: str) -> Kind:
    """A voice, from its .onnx.json, the head of its .onnx and the size of that."""
    try:
        values = voice_file.read(config)
    except Malformed as error:
        raise ModelError(
            "this is not a Piper voice: its .onnx.json names no sample rate or no phonemes "
            f"that can be used: {error}",
            where=f"{where}.json",
            remedy="choose a voice made for Piper",
        ) from None
    # The first field of every ONNX file is its format version: tag 8 and a small number.
    if head and head[:1] != b"\x08":
        raise ModelError("this is not an ONNX file", where=where, remedy="fetch the file again")
    language = values.language
    code = language.get("code", "") if isinstance(language, dict) else ""
    dataset = values.dataset or where.rsplit("/", 1)[-1].removesuffix(".onnx")
    return Kind(
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
            f"this is not a JSON file: {error}", where=where, remedy="fetch the file again"
        ) from None

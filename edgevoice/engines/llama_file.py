"""Check a language model's file before native code reads it."""

from __future__ import annotations

from pathlib import Path

from edgevoice.errors import ModelError
from edgevoice.models.gguf import Header, NotGguf, read_header
from edgevoice.models.machine import free_memory

RUNTIME_BYTES = 200 << 20
"""Bytes that llama.cpp needs besides weights and KV cache."""
CHOOSE_ANOTHER = "edgevoice models list shows others; choose one with --set models.slm=NAME"


def pull_again(path: Path) -> str:
    """The commands that replace a damaged file, as a remedy."""
    return f"edgevoice models verify, then edgevoice models pull {path.parent.name}"


def checked(path: Path) -> Header:
    """The header of the file. Raises ModelError if the file is missing, damaged or unsuitable."""
    again = pull_again(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = read_header(file.read)
    except FileNotFoundError:
        raise ModelError("the model file is missing", where=str(path), remedy=again) from None
    except NotGguf as error:
        raise ModelError(
            f"the model file is damaged or not a GGUF file: {error}", where=str(path), remedy=again
        ) from None
    except OSError as error:
        raise ModelError(
            f"the model file cannot be read: {error.strerror}",
            where=str(path),
            remedy="check its permissions",
        ) from None
    if size < header.length:
        raise ModelError(
            f"the model file is cut short: {size:,} bytes of {header.length:,}",
            where=str(path),
            remedy=again,
        )
    if header.tensors == 0:
        raise ModelError("the file holds no weights", where=str(path), remedy=again)
    if not header.chat_template:
        raise ModelError(
            "this is a base model: it has no chat template, so it cannot answer questions",
            where=str(path),
            remedy=CHOOSE_ANOTHER,
        )
    return header


def check_memory(path: Path, header: Header, context: int) -> None:
    """Raise ModelError, with both figures, if there is too little memory to load the model."""
    needed = path.stat().st_size + header.cache(context) + RUNTIME_BYTES
    free = free_memory()
    if needed > free:
        raise ModelError(
            f"the model needs {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free",
            where=str(path),
            remedy="close other programs, lower slm.context, or choose a smaller model from "
            "edgevoice models list with --set models.slm=NAME",
        )

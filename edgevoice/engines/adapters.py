"""LoRA adapters of a language model: what slm.adapters says, and the checks of their files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from edgevoice.errors import ModelError
from edgevoice.models.disk import sha256_of
from edgevoice.models.gguf import Header, NotGguf, read_header
from edgevoice.places import expanded

_SPEC = re.compile(r"(.+?)(?:\s+\*\s*(-?\d+(?:\.\d+)?))?(?:\s+sha256:([0-9a-f]{64}))?")
SETTING = "slm.adapters"


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter whose file is checked; `scale` multiplies its effect."""

    path: Path
    scale: float
    sha256: str


def adapters(specs: Sequence[str], architecture: str) -> tuple[Adapter, ...]:
    """The adapters of `specs`, each `FILE`, `FILE * SCALE` or with ` sha256:HASH` behind it.

    `architecture` is the language model's family. Raises ModelError for a file that is missing,
    damaged, no LoRA adapter of this family, or that has another hash.
    """
    return tuple(_adapter(spec.strip(), architecture) for spec in specs)


def _adapter(spec: str, architecture: str) -> Adapter:
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ModelError("an adapter needs the path of a file", where=SETTING, remedy=_without(""))
    path = expanded(match[1]).absolute()
    header = _header(path)
    general, kind = header.values.get("general.type"), header.values.get("adapter.type")
    if (general, kind) != ("adapter", "lora"):
        raise ModelError("the file is not a LoRA adapter", where=str(path), remedy=_without(spec))
    if header.architecture != architecture:
        raise ModelError(
            f"the adapter is for {header.architecture}, the language model is {architecture}",
            where=str(path),
            remedy=f"choose its language model with models.slm, or {_without(spec)}",
        )
    stat = path.stat()
    sha256 = _hash(path, (stat.st_size, stat.st_mtime_ns))
    if match[3] and match[3] != sha256:
        raise ModelError(
            f"the adapter is altered: its sha256 is {sha256}",
            where=str(path),
            remedy=f"copy the file again, or correct the hash in {SETTING}",
        )
    return Adapter(path, float(match[2] or 1), sha256)


def _header(path: Path) -> Header:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = read_header(file.read)
    except NotGguf as error:
        raise ModelError(
            f"the adapter is damaged or not a GGUF file: {error}",
            where=str(path),
            remedy="convert it with llama.cpp's convert_lora_to_gguf.py",
        ) from None
    except OSError as error:
        raise ModelError(
            f"the adapter cannot be read: {error.strerror}",
            where=str(path),
            remedy=f"correct its path in {SETTING}, or its permissions",
        ) from None
    if size < header.length:
        raise ModelError(
            f"the adapter is cut short: {size:,} bytes of {header.length:,}",
            where=str(path),
            remedy="copy the file again",
        )
    return header


@lru_cache(maxsize=64)
def _hash(path: Path, _: tuple[int, int]) -> str:
    """The file's hash; its size and time of change show whether it is still that file."""
    return sha256_of(path)


def _without(spec: str) -> str:
    return f"remove {spec or 'the empty text'} from {SETTING}"

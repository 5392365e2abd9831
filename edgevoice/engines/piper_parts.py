"""The two halves of a Piper voice, kept on disk once they are made.

<folder of the voice>/.made/<voice>/    encoder.onnx, decoder.onnx, and parts.json, written last
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgevoice.engines.onnx import OnnxModel, open_model
from edgevoice.files import replace_bytes
from edgevoice.places import user_folder

_log = logging.getLogger(__name__)

FORMAT = 2
"""Raised when what is kept is made in another way."""
ENCODER, DECODER, NOTE = "encoder.onnx", "decoder.onnx", "parts.json"


class Note(msgspec.Struct, frozen=True):
    """What parts.json says: which file was split, and into what.

    `source` is the voice's size in bytes and its time of change in ns; `checks` is the size and
    CRC-32 of each part. A voice that cannot be split has no parts and no `latent`; one that does
    not tell how long its ids last has no `durations`.
    """

    format: int
    source: tuple[int, int]
    latent: str = ""
    hop: int = 0
    context: int = 0
    durations: str = ""
    checks: dict[str, tuple[int, int]] = {}


@dataclass(frozen=True, slots=True)
class Parts:
    """Both halves, loaded. `latent` names the frames between them; each makes `hop` samples, and
    wants `context` frames on either side. `durations` names for how many frames each id is spoken,
    told by the encoder; empty where it is not."""

    encoder: OnnxModel
    decoder: OnnxModel
    latent: str
    hop: int
    context: int
    durations: str = ""


def open_parts(path: Path, threads: int) -> Parts | None:
    """The halves of the voice at `path`, made unless they are kept; None if it must stay whole.

    Where nothing can be written they are made anew each time. Raises OSError if the voice itself
    cannot be read.
    """
    stat = path.stat()
    source = (stat.st_size, stat.st_mtime_ns)
    for folder in places(path):
        try:
            note = msgspec.json.decode((folder / NOTE).read_bytes(), type=Note)
            if (note.format, note.source) == (FORMAT, source):
                return _load(folder, note, threads)
        except FileNotFoundError:
            continue
        except Exception as error:  # damaged in any of many ways: it is made again
            _log.debug("the split voice in %s is of no use: %r", folder, error)
    return _make(path, source, threads)


def places(path: Path) -> Iterator[Path]:
    """Where the halves of the voice at `path` may be kept, best first."""
    yield path.parent / ".made" / path.stem
    where = zlib.crc32(str(path.absolute()).encode("utf-8", "surrogateescape"))
    cache = user_folder("cache")
    yield cache / "voices" / f"{path.stem}-{where:08x}"


def decoder_products(path: Path) -> float | None:
    """Multiplications that the decoder of the voice at `path` does for each sample, if its halves
    are kept and its graph tells."""
    from edgevoice.engines.piper_split import products

    for folder in places(path):
        if (folder / DECODER).is_file():
            return products(str(folder / DECODER))
    return None


def _load(folder: Path, note: Note, threads: int) -> Parts | None:
    if not note.latent:
        return None
    sessions = []
    for name in (ENCODER, DECODER):
        data = (folder / name).read_bytes()
        if note.checks.get(name) != _check(data):
            raise ValueError(f"{name} is not what was written")
        sessions.append(open_model(data, threads))
    return Parts(sessions[0], sessions[1], note.latent, note.hop, note.context, note.durations)


def _make(path: Path, source: tuple[int, int], threads: int) -> Parts | None:
    # The graph editor takes a quarter of a second to import, and is only needed once.
    from edgevoice.engines.piper_split import NotSplittable, halve, reach

    try:
        halves = halve(str(path))
        encoder, decoder = open_model(halves.encoder, threads), open_model(halves.decoder, threads)
        found = reach(encoder, decoder, halves.latent, halves.durations)
    except NotSplittable as reason:
        _log.debug("%s is run whole: %s", path.name, reason)
        _keep(path, Note(FORMAT, source), {})
        return None
    except Exception as error:  # onnxruntime's exceptions have no common base of their own
        _log.debug("%s is run whole: its halves do not run: %r", path.name, error)
        _keep(path, Note(FORMAT, source), {})
        return None
    parts = {ENCODER: halves.encoder, DECODER: halves.decoder}
    checks = {name: _check(data) for name, data in parts.items()}
    durations = halves.durations if found.timed else ""
    note = Note(FORMAT, source, halves.latent, found.hop, found.context, durations, checks)
    _keep(path, note, parts)
    return Parts(encoder, decoder, halves.latent, found.hop, found.context, durations)


def _keep(path: Path, note: Note, parts: dict[str, bytes]) -> None:
    for folder in places(path):
        try:
            for name, data in {**parts, NOTE: msgspec.json.encode(note)}.items():
                replace_bytes(folder / name, [data])
            return
        except OSError as error:
            _log.debug("the split voice is not kept in %s: %s", folder, error)


def _check(data: bytes) -> tuple[int, int]:
    return len(data), zlib.crc32(data)

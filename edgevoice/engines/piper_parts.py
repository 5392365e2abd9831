"""The two halves of a Piper voice, cached on disk.

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
"""Version of the cached files; increase it when they are made in another way."""
ENCODER, DECODER, MANIFEST = "encoder.onnx", "decoder.onnx", "parts.json"


class Manifest(msgspec.Struct, frozen=True):
    """The content of parts.json: which file was split, and into what.

    `source` is the voice's size in bytes and its modification time in ns; `checks` is the size and
    CRC-32 of each part. A voice that cannot be split has no parts and no `latent`. A voice that
    does not give the durations of its ids has no `durations`.
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
    """Both halves, loaded.

    `latent` names the tensor of frames between them. Each frame makes `hop` samples and needs
    `context` frames on either side. `durations` names the encoder's output with the number of
    frames of each id; empty if there is none.
    """

    encoder: OnnxModel
    decoder: OnnxModel
    latent: str
    hop: int
    context: int
    durations: str = ""


def open_parts(path: Path, threads: int) -> Parts | None:
    """The halves of the voice at `path`, from the cache or newly made; None if it must run whole.

    Without a writable folder they are made each time. Raises OSError if the voice cannot be read.
    """
    stat = path.stat()
    source = (stat.st_size, stat.st_mtime_ns)
    for folder in places(path):
        try:
            manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
            if (manifest.format, manifest.source) == (FORMAT, source):
                return _load(folder, manifest, threads)
        except FileNotFoundError:
            continue
        except Exception as error:  # a damaged cache is made again
            _log.debug("the split voice in %s is unusable: %r", folder, error)
    return _make(path, source, threads)


def places(path: Path) -> Iterator[Path]:
    """Folders in which the halves of the voice at `path` may be cached, best first."""
    yield path.parent / ".made" / path.stem
    where = zlib.crc32(str(path.absolute()).encode("utf-8", "surrogateescape"))
    cache = user_folder("cache")
    yield cache / "voices" / f"{path.stem}-{where:08x}"


def decoder_products(path: Path) -> float | None:
    """Multiplications per sample in the decoder of the voice at `path`.

    None if its halves are not cached, or if its graph does not show it.
    """
    from edgevoice.engines.piper_split import products

    for folder in places(path):
        if (folder / DECODER).is_file():
            return products(str(folder / DECODER))
    return None


def _load(folder: Path, manifest: Manifest, threads: int) -> Parts | None:
    if not manifest.latent:
        return None
    sessions = []
    for name in (ENCODER, DECODER):
        data = (folder / name).read_bytes()
        if manifest.checks.get(name) != _checksum(data):
            raise ValueError(f"{name} is not what was written")
        sessions.append(open_model(data, threads))
    return Parts(
        sessions[0],
        sessions[1],
        manifest.latent,
        manifest.hop,
        manifest.context,
        manifest.durations,
    )


def _make(path: Path, source: tuple[int, int], threads: int) -> Parts | None:
    # Importing the graph editor takes 0.25 s and is needed only once.
    from edgevoice.engines.piper_split import NotSplittable, halve, reach

    try:
        halves = halve(str(path))
        encoder, decoder = open_model(halves.encoder, threads), open_model(halves.decoder, threads)
        found = reach(encoder, decoder, halves.latent, halves.durations)
    except NotSplittable as reason:
        _log.debug("%s is run whole: %s", path.name, reason)
        _store(path, Manifest(FORMAT, source), {})
        return None
    except Exception as error:  # onnxruntime's exceptions have no common base of their own
        _log.debug("%s is run whole: its halves do not run: %r", path.name, error)
        _store(path, Manifest(FORMAT, source), {})
        return None
    parts = {ENCODER: halves.encoder, DECODER: halves.decoder}
    checks = {name: _checksum(data) for name, data in parts.items()}
    durations = halves.durations if found.timed else ""
    manifest = Manifest(FORMAT, source, halves.latent, found.hop, found.context, durations, checks)
    _store(path, manifest, parts)
    return Parts(encoder, decoder, halves.latent, found.hop, found.context, durations)


def _store(path: Path, manifest: Manifest, parts: dict[str, bytes]) -> None:
    for folder in places(path):
        try:
            for name, data in {**parts, MANIFEST: msgspec.json.encode(manifest)}.items():
                replace_bytes(folder / name, [data])
            return
        except OSError as error:
            _log.debug("the split voice is not kept in %s: %s", folder, error)


def _checksum(data: bytes) -> tuple[int, int]:
    return len(data), zlib.crc32(data)

"""Some layers of a model's shape: enough to learn what a layer costs, in seconds and little disk.

A layer of a model is as wide as it is, and all are alike; so a file of a few of them, without a
tokenizer and with next to no vocabulary, is computed in the same share of the time as its weights
are of all. It must be several times as large as the last cache, or it would be read from there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from edgevoice.bench.fitting import keeping
from edgevoice.bench.machine.fingerprint import last_level
from edgevoice.bench.roofline.speeds import USUAL_CACHE
from edgevoice.errors import StorageError
from edgevoice.models.disk import size_text
from edgevoice.models.progress import NoProgress
from edgevoice.models.shape_file import wordless_header, write
from edgevoice.models.shape_layout import weights_size
from edgevoice.models.shape_table import Architecture

LEAST = 192_000_000
"""Bytes of weights at least."""
CACHES = 6
VOCABULARY = 256
"""Tokens: as few as their rows fill whole blocks."""


def part_of(model: Architecture, cache: int | None = None) -> Architecture:
    """`model` with as few layers as will do; all of them where it is that small."""
    least = max(LEAST, CACHES * (cache or last_level() or USUAL_CACHE))
    for blocks in range(1, model.blocks):
        part = replace(model, blocks=blocks, vocabulary=VOCABULARY)
        if weights_size(part) >= least:
            return part
    return replace(model, vocabulary=VOCABULARY)


@contextmanager
def written(part: Architecture, folder: Path | None = None) -> Iterator[Path]:
    """The file of such a part, for as long as the block lasts. Raises StorageError."""
    folder = folder or keeping.folder()
    path = folder / f"{part.name}.gguf"
    head = wordless_header(part)
    size = len(head) + weights_size(part)
    remedy = f"free {size_text(size)}, or make the whole shape: edgevoice bench shape {part.name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < size:
            what = (
                f"a part of its shape takes {size_text(size)} of disk, {size_text(free)} are free"
            )
            raise StorageError(what, where=str(folder), remedy=remedy)
        try:
            write(path, head, part, NoProgress())
            yield path
        finally:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"a part of its shape cannot be written: {error.strerror}",
            where=str(folder),
            remedy=remedy,
        ) from None

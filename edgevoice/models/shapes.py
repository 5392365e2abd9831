"""Shapes: files to learn from what a model would cost on this machine before it is fetched."""

from __future__ import annotations

import difflib
from pathlib import Path

from edgevoice.catalog import SHAPE, Entry, File, append, discard
from edgevoice.errors import UsageError
from edgevoice.models.disk import need_space, put, sha256_of, writing
from edgevoice.models.progress import Progress
from edgevoice.models.shape_file import header, write
from edgevoice.models.shape_layout import weights_size
from edgevoice.models.shape_table import ARCHITECTURES, Architecture
from edgevoice.models.shape_vocabulary import vocabulary_file
from edgevoice.models.store import Store

BESIDES = 200_000_000
"""Bytes of memory that llama.cpp takes beside weights and cache."""
_CACHED = 4096
"""The longest context in tokens that a model's need of memory is reckoned for."""


def known(name: str) -> Architecture:
    """The model called `name`, with or without `shape-` before it. Raises UsageError."""
    short = name.removeprefix(SHAPE)
    if found := ARCHITECTURES.get(short):
        return found
    near = difflib.get_close_matches(short, ARCHITECTURES, 1, 0.5)
    raise UsageError(
        f"no shape of a model called {name} is known",
        remedy=f"did you mean {near[0]}?" if near else "edgevoice bench shape --list",
    )


def memory(model: Architecture) -> int:
    """Bytes that the model takes while running, about."""
    positions = min(model.context, _CACHED)
    cache = positions * model.blocks * model.kv_heads * model.head * 2 * 2
    return weights_size(model) + cache + BESIDES


def make(model: Architecture, store: Store, progress: Progress) -> Entry:
    """Make the shape of `model` unless it is here, and enter it in the user's own catalog.

    Never chosen without being named. A `store` opened afterwards knows it. Raises PullError if its
    tokenizer cannot be had, StorageError if the disk is full; broken off, it leaves nothing.
    """
    entry = store.catalog.get(model.model) if model.model in store.catalog else None
    if entry and not any(store.prove(entry, file) for file in entry.files):
        progress.say(f"{model.model}: already here")
        return entry
    vocabulary = vocabulary_file(model, store, progress)
    head = header(model, vocabulary)
    size = len(head) + weights_size(model)
    path = store.folder / model.model / f"{model.model}.gguf"
    with store.lock(progress.say):
        # Another user's catalog may name a file that ours does not.
        here = entry is None and _is(path, head, size)
        if not here:
            need_space(store.folder, size)
        progress.begin(f"{model.model}: {'checking' if here else 'making'} {path.name}", size)
        try:
            sha256 = (
                sha256_of(path, progress.reach) if here else _write(path, head, model, progress)
            )
        finally:
            progress.end()
        made = entry_of(model, File(path.name, size, sha256))
        with writing(store.catalog.own_path.parent):
            if entry:
                discard(store.catalog.own_path, entry.name)
            append(store.catalog.own_path, made)
        store.proved(made, made.main)
    return made


def _write(path: Path, head: bytes, model: Architecture, progress: Progress) -> str:
    begun = path.parent.parent / ".partial"
    draft = begun / path.name
    with writing(path.parent.parent):
        begun.mkdir(parents=True, exist_ok=True)
        try:
            sha256 = write(draft, head, model, progress)
            put(draft, path)
        finally:
            if not any(begun.iterdir()):
                begun.rmdir()
    return sha256


def _is(path: Path, head: bytes, size: int) -> bool:
    """Whether the file is this shape, as far as its size and all before its weights tell."""
    try:
        with path.open("rb") as file:
            return path.stat().st_size == size and file.read(len(head)) == head
    except OSError:
        return False


def entry_of(model: Architecture, file: File) -> Entry:
    """The catalog's entry of a shape whose GGUF file is `file`."""
    tokenizer = model.tokenizer
    return Entry(
        name=model.model,
        role="slm",
        format="gguf",
        title=f"Shape of {model.title}, Q4_K_M: cannot answer",
        description=f"The dimensions of {model.source} with random weights, to be measured. "
        f"The tokenizer is {tokenizer.origin}.",
        files=(file,),
        ram=memory(model),
        licence=f"none: random; tokenizer {tokenizer.licence}",
        context=model.context,
        rank=0,
        shape=True,
    )

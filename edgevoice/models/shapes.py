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
"""Bytes of memory that llama.cpp needs besides weights and cache."""
MAX_CACHE_TOKENS = 4096
"""Maximum context in tokens for which a model's memory is estimated."""


def known(name: str) -> Architecture:
    """The model called `name`, with or without `shape-` before it. Raises UsageError."""
    short = name.removeprefix(SHAPE)
    if found := ARCHITECTURES.get(short):
        return found
    near = difflib.get_close_matches(short, ARCHITECTURES, 1, 0.5)
    raise UsageError(
        f"no synthetic model is called {name}",
        remedy=f"did you mean {near[0]}?" if near else "edgevoice bench shape --list",
    )


def memory(model: Architecture) -> int:
    """Approximate bytes of memory that the running model takes."""
    positions = min(model.context, MAX_CACHE_TOKENS)
    cache = positions * model.blocks * model.kv_heads * model.head * 2 * 2
    return weights_size(model) + cache + BESIDES


def make(model: Architecture, store: Store, progress: Progress) -> Entry:
    """Make the synthetic model unless it exists, and add it to the user's own catalog.

    It is used only if named. Open a new `store` to find it. Raises PullError if no source has its
    tokenizer, StorageError if the disk is full. After an interruption, no file is left.
    """
    entry = store.catalog.get(model.model) if model.model in store.catalog else None
    if entry and not any(store.prove(entry, file) for file in entry.files):
        progress.say(f"{model.model}: already present")
        return entry
    vocabulary = vocabulary_file(model, store, progress)
    head = header(model, vocabulary)
    size = len(head) + weights_size(model)
    path = store.folder / model.model / f"{model.model}.gguf"
    with store.lock(progress.say):
        # The file may exist for another user's catalog.
        exists = entry is None and _is_same_model(path, head, size)
        if not exists:
            need_space(store.folder, size)
        progress.begin(f"{model.model}: {'checking' if exists else 'making'} {path.name}", size)
        try:
            sha256 = (
                sha256_of(path, progress.reach) if exists else _write(path, head, model, progress)
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
    partial_folder = path.parent.parent / ".partial"
    draft = partial_folder / path.name
    with writing(path.parent.parent):
        partial_folder.mkdir(parents=True, exist_ok=True)
        try:
            sha256 = write(draft, head, model, progress)
            put(draft, path)
        finally:
            if not any(partial_folder.iterdir()):
                partial_folder.rmdir()
    return sha256


def _is_same_model(path: Path, head: bytes, size: int) -> bool:
    """Whether the file is this synthetic model, by its size and its header."""
    try:
        with path.open("rb") as file:
            return path.stat().st_size == size and file.read(len(head)) == head
    except OSError:
        return False


def entry_of(model: Architecture, file: File) -> Entry:
    """The catalog's entry of a synthetic model with the GGUF file `file`."""
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

"""What in the models folder no conversation uses."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from msgspec import Struct

from edgevoice.models.disk import writing
from edgevoice.models.store import CHECKED_FILE, Store


class Unused(Struct, frozen=True):
    """Files that can be deleted: of the model `name`, or at `path` if that is empty."""

    name: str
    path: Path
    size: int
    """Bytes."""
    why: str


def unused(store: Store, used: Collection[str]) -> Iterator[Unused]:
    """What can be deleted where the models `used` are needed. The user's own models stay."""
    for entry in store.catalog:
        folder = store.folder / entry.name
        if entry.name not in used and not store.catalog.is_own(entry.name) and folder.is_dir():
            yield Unused(entry.name, folder, _size(folder), "another model runs in its place")
    for folder in sorted(store.folder.glob("*/")):
        if folder.name not in store.catalog and (folder / CHECKED_FILE).exists():
            yield Unused("", folder, _size(folder), "the catalog no longer has it")
    for folder in sorted((store.folder / ".partial").glob("*/")):
        yield Unused("", folder, _size(folder), "an unfinished download")


def delete(store: Store, one: Unused) -> None:
    """Delete it. Raises StorageError if the folder cannot be written."""
    if one.name:
        store.remove(one.name)
    else:
        with writing(store.folder), store.lock():
            shutil.rmtree(one.path, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

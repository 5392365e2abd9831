"""Everything that edgevoice wrote for this user: configuration, models, caches, recorded turns.

Files whose place a user named on a command line (traces, recorded replies) are not known here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from edgevoice.control import folder as control_folder
from edgevoice.errors import StorageError
from edgevoice.models.store import CHECKED_FILE, DERIVED_FOLDER, Store
from edgevoice.places import expanded, user_folder
from edgevoice.recordings.folder import DRAFT_FILE, TURN_FILE


class Written(Struct, frozen=True):
    """A file or a folder that edgevoice wrote; `size` in bytes, links do not count."""

    path: Path
    what: str
    size: int


def written(store: Store, config_file: Path) -> list[Written]:
    """What exists of it, under the configuration of `store`, each path once."""
    found: dict[Path, Written] = {}
    for path, what in _places(store, config_file):
        if (path.exists() or path.is_symlink()) and path not in found:
            found[path] = Written(path, what, _size(path))
    return list(found.values())


def _places(store: Store, config_file: Path) -> Iterator[tuple[Path, str]]:
    yield config_file, "configuration"
    yield config_file.with_name(f"{config_file.name}.old"), "configuration of an older version"
    yield store.catalog.own_path, "your own models in the catalog"
    data = user_folder("data")
    yield user_folder("config") / "skills", "your own skills"
    for name in ("timers.json", "timers.lock"):
        yield data / name, "timers and reminders"
    yield data / "serve", "paired devices, and the certificate of your network"
    yield data / "kiosk.json", "counters of a kiosk"
    for folder in sorted(each for each in store.folder.glob("*") if each.is_dir()):
        ours = (folder / CHECKED_FILE).exists() or (folder / DERIVED_FOLDER).exists()
        if folder.name in store.catalog or ours:
            yield folder, "model"
    for name in (".partial", ".lock", ".lock-owner"):
        yield store.folder / name, "downloads"
    if recordings := store.config.recordings.folder:
        for path in sorted(expanded(recordings).glob("*")):
            if TURN_FILE.fullmatch(path.name) or DRAFT_FILE.fullmatch(path.name):
                yield path, "recorded turn"
    yield user_folder("cache"), "computed prompts, measurements and split voices"
    yield control_folder(), "sockets of sessions"


def delete(found: list[Written]) -> list[Path]:
    """Delete them, then the folders that are empty now; returns folders with files of others.

    Raises StorageError with the first path that cannot be deleted.
    """
    for each in found:
        try:
            if each.path.is_dir() and not each.path.is_symlink():
                shutil.rmtree(each.path)
            else:
                each.path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                f"it cannot be deleted: {error.strerror}",
                where=str(each.path),
                remedy="check its permissions, then run edgevoice uninstall again",
            ) from None
    left = []
    for folder in _folders(found):
        if folder.is_dir():
            try:
                folder.rmdir()
            except OSError:
                left.append(folder)
    return left


def _folders(found: list[Written]) -> list[Path]:
    """The folders around what was deleted that are edgevoice's own, the innermost first."""
    around = {each.path.parent for each in found}
    own = {user_folder("config"), user_folder("data"), user_folder("data") / "models"}
    return sorted(around & own | own, key=lambda path: len(path.parts), reverse=True)


def _size(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return 0 if path.is_symlink() else path.stat().st_size
    return sum(
        each.stat().st_size for each in path.rglob("*") if each.is_file() and not each.is_symlink()
    )

"""The user's folders, by the conventions of the system."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from edgevoice.errors import EdgevoiceError, NoHomeError

FolderKind = Literal["config", "data", "cache", "runtime"]


def user_folder(kind: FolderKind) -> Path:
    """The user's edgevoice folder for `kind`. Raises NoHomeError without a home folder."""
    import platformdirs

    folders = {
        "config": platformdirs.user_config_dir,
        "data": platformdirs.user_data_dir,
        "cache": platformdirs.user_cache_dir,
        "runtime": platformdirs.user_runtime_dir,
    }
    try:
        folder = Path(folders[kind]("edgevoice", appauthor=False))
    except RuntimeError:
        folder = Path("~")
    if not folder.is_absolute():
        variable = f"XDG_{kind.upper()}_HOME"
        also = f", or {variable}" if sys.platform.startswith("linux") else ""
        raise NoHomeError(
            f"there is no home folder for the {kind} files: HOME is not set, and the system does "
            "not know this user",
            remedy=f"set HOME{also} to a folder that this user can write",
        )
    return folder


def expanded(path: str | Path) -> Path:
    """`path` with ~ replaced by the home folder. Raises EdgevoiceError if there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise EdgevoiceError(
            "the system does not know the home folder that ~ stands for",
            where=str(path),
            remedy="set HOME, or use an absolute path",
        ) from None

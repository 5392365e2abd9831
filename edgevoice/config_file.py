"""Change settings in the user's configuration file, and keep its other content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from edgevoice import files
from edgevoice.compatibility import SETTINGS
from edgevoice.config import config_path, file_text
from edgevoice.errors import ConfigError, StorageError


def remember(values: Mapping[str, str | int], path: Path | None = None) -> None:
    """Set each `section.key` in the configuration file, and keep its comments.

    It is written atomically. Raises ConfigError if it is not TOML in UTF-8, and StorageError if it
    cannot be written.
    """
    path = path or config_path()
    try:
        document = tomlkit.parse(file_text(path) if path.exists() else "")
        for key, value in values.items():
            section, name = key.split(".", 1)
            table = document.setdefault(section, tomlkit.table())
            table[name] = value
            for old in (old for old, new in SETTINGS.items() if new == key):
                section, name = old.split(".")
                document.get(section, {}).pop(name, None)
        replace(path, tomlkit.dumps(document))
    except OSError as error:
        raise ConfigError(
            f"the configuration cannot be read: {error.strerror}",
            where=str(path),
            remedy="check its permissions",
        ) from None
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"not valid TOML: {error}", where=str(path), remedy=f"edit or delete {path}"
        ) from None


def replace(path: Path, text: str) -> None:
    """Replace the configuration file `path` atomically. Raises StorageError."""
    try:
        files.replace(path, [text])
    except OSError as error:
        raise StorageError(
            f"the configuration cannot be written: {error.strerror}",
            where=str(path),
            remedy="free some space, or name another file with EDGEVOICE_CONFIG or --config",
        ) from None

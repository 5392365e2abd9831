"""Change settings in the user's configuration file, and keep its other content."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from edgevoice import files
from edgevoice.compatibility import SECTIONS, SETTINGS
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


def migrate(path: Path) -> Path:
    """Give the settings in the configuration file today's names; its comments stay.

    Returns the copy of the file as it was. Raises ConfigError and StorageError.
    """
    former = path.with_name(f"{path.name}.old")
    text = file_text(path)
    document = tomlkit.parse(text)
    for old, new in SETTINGS.items():
        section, name = old.split(".")
        if name in (table := document.get(section, {})):
            value = table.pop(name)
            section, name = new.split(".")
            document.setdefault(section, tomlkit.table()).setdefault(name, value)
    for section in SECTIONS:
        if section in document and not document[section]:
            document.pop(section)
    replace(former, text)
    replace(path, _with_new_names(text, document) or tomlkit.dumps(document))
    return former


def _with_new_names(text: str, document: tomlkit.TOMLDocument) -> str:
    """The text line by line, with all comments; empty if it would not be the same as `document`."""
    section, lines = "", []
    for line in text.splitlines(keepends=True):
        if header := re.match(r"\[(\w+)\]", line):
            section = header[1]
            line = f"[{SECTIONS.get(section, section)}]{line[header.end() :]}"
        elif (key := re.match(r"\w+", line)) and f"{section}.{key[0]}" in SETTINGS:
            line = SETTINGS[f"{section}.{key[0]}"].split(".")[1] + line[key.end() :]
        lines.append(line)
    try:
        renamed = "".join(lines)
        return renamed if tomlkit.parse(renamed).unwrap() == document.unwrap() else ""
    except TOMLKitError:  # for example a name in two places
        return ""


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

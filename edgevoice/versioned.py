"""Read the program's own JSON files, which name their format and version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from edgevoice.encoding import json_bytes
from edgevoice.errors import UsageError
from edgevoice.outside import Malformed, from_json, read

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class FileFormat(Generic[T]):
    """One kind of file, with its `format` and the newest supported `version`.

    `noun` names such a file after "a". `missing`, `newer` and `damaged` are remedies for another
    file, for a newer version and for a damaged file.
    """

    kind: type[T]
    format: str
    version: int
    noun: str
    missing: str
    newer: str
    damaged: str
    upgrade: Callable[[Any], Any] | None = None

    def read(self, path: Path) -> T:
        """The file's content; unknown fields are ignored.

        Raises UsageError for another file, a damaged one or a newer version.
        """
        try:
            data = read(path)
            head: Any = from_json(data, object)
            if not isinstance(head, dict) or head.get("format") != self.format:
                raise UsageError(f"not a {self.noun}", where=str(path), remedy=self.missing)
            version = head.get("version")
            if isinstance(version, int) and version > self.version:
                raise UsageError(
                    f"written by a newer edgevoice (version {version} of the format, "
                    f"this one reads {self.version})",
                    where=str(path),
                    remedy=self.newer,
                )
            if self.upgrade and isinstance(version, int) and version < self.version:
                data = json_bytes(self.upgrade(head))
            return from_json(data, self.kind)
        except OSError as error:
            raise UsageError(
                f"cannot be read: {error.strerror}", where=str(path), remedy="check the path"
            ) from None
        except RecursionError:
            raise self.broken(path, "it is nested too deeply") from None
        except Malformed as error:
            raise self.broken(path, str(error)) from None

    def broken(self, path: Path, why: str) -> UsageError:
        """The error for a damaged file; `why` is the reason."""
        return UsageError(f"a damaged {self.noun}: {why}", where=str(path), remedy=self.damaged)

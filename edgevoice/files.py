"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgevoice.errors import StorageError


def replace(path: Path, text: Iterable[str]) -> None:
    """Put `text`, in pieces, in the place of what is at `path`; its folder is made if need be.

    Raises OSError, and then leaves what was there. A symbolic link stays one: its target is
    replaced. A device or a folder is not replaced.
    """
    with _draft(path) as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(text)


def deliver(path: Path, text: Iterable[str], what: str, option: str) -> None:
    """`replace` what the user asked for. Raises StorageError, which says that `what` cannot be
    written, and that `option` names another place."""
    try:
        replace(path, text)
    except OSError as error:
        raise StorageError(
            f"{what} cannot be written: {error.strerror}",
            where=str(path),
            remedy=f"free some space, or choose another place with {option}",
        ) from None


def replace_bytes(path: Path, data: Iterable[bytes], private: bool = False) -> None:
    """Put `data`, in pieces, in the place of what is at `path`, as `replace` does.

    A `private` file may be read by nobody but its owner, from its first byte on.
    """
    opener = _private if private else None
    with _draft(path) as draft, open(draft, "wb", opener=opener) as file:
        file.writelines(data)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A file beside `path` that takes its place at the end of the block, unless that fails."""
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "what is there is not a file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)

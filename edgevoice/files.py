"""Write files atomically: completely or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from edgevoice.encoding import well_formed
from edgevoice.errors import StorageError


def replace(path: Path, text: Iterable[str], private: bool = False) -> None:
    """Replace the file `path` by `text`, given in pieces; its folder is created if needed.

    Raises OSError, and then leaves the old file. Of a symbolic link, the target is replaced.
    Devices and folders are not replaced. Only the owner can read a `private` file.
    """
    replace_bytes(path, (piece.encode("utf-8") for piece in text), private)


def deliver(path: Path, text: Iterable[str], what: str, option: str) -> None:
    """Write well-formed text to a file that the user named.

    Raises StorageError: `what` cannot be written, and `option` selects another path.
    """
    try:
        replace(path, map(well_formed, text))
    except OSError as error:
        raise StorageError(
            f"{what} cannot be written: {error.strerror}",
            where=str(path),
            remedy=f"free some space, or choose another place with {option}",
        ) from None


def replace_bytes(path: Path, data: Iterable[bytes], private: bool = False) -> None:
    """Replace the file `path` by `data`, given in pieces, like `replace`.

    Only the owner can read a `private` file, from its first byte on.
    """
    with replaced(path, data, private):
        pass


@contextmanager
def replaced(path: Path, data: Iterable[bytes], private: bool = False) -> Iterator[None]:
    """Write `data` to a temporary file, and replace `path` at the end of the block."""
    with _draft(path, private) as draft:
        draft.writelines(data)
        draft.flush()
        yield


def lock(handle: int, wait: bool = False) -> bool:
    """Lock an open file or folder until it is closed; False if another program has locked it.

    True on systems without such locks.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks.
        pass
    return True


def set_aside(path: Path, name: str) -> Path:
    """Rename the file `path` to an unfinished `name`, without overwriting; returns the new path.

    Raises OSError.
    """
    target = path.with_name(name)
    free = target.with_name(f"{target.stem}.unfinished{target.suffix}")
    count = 1
    while free.exists():
        count += 1
        free = target.with_name(f"{target.stem}.unfinished-{count}{target.suffix}")
    return path.rename(free)


def private(path: str, flags: int) -> int:
    """An opener for `open`: only the owner can read the file, also if it existed before."""
    handle = os.open(path, flags, 0o600)
    if hasattr(os, "fchmod") and stat.S_ISREG(os.fstat(handle).st_mode):
        with suppress(OSError):
            os.fchmod(handle, 0o600)
    return handle


def set_usual_permissions(handle: int) -> None:
    """Give an open file from mkstemp the usual permissions of a user's file."""
    if hasattr(os, "fchmod"):
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)


@contextmanager
def _draft(path: Path, private: bool) -> Iterator[BinaryIO]:
    """A temporary file that replaces `path` at the end of the block, unless the block fails.

    Its name is random, and existing files are neither opened nor followed.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it exists and is not a file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as draft:
            if not private:
                set_usual_permissions(handle)
            yield draft
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)

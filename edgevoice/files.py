"""Writing a file whole or not at all."""

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
    """Put `text`, in pieces, in the place of what is at `path`; its folder is made if need be.

    Raises OSError, and then leaves what was there. A symbolic link stays one: its target is
    replaced. A device or a folder is not replaced. Only the owner may read a `private` file.
    """
    replace_bytes(path, (piece.encode("utf-8") for piece in text), private)


def deliver(path: Path, text: Iterable[str], what: str, option: str) -> None:
    """`replace` what the user asked for, made well-formed. Raises StorageError, which says that
    `what` cannot be written, and that `option` names another place."""
    try:
        replace(path, map(well_formed, text))
    except OSError as error:
        raise StorageError(
            f"{what} cannot be written: {error.strerror}",
            where=str(path),
            remedy=f"free some space, or choose another place with {option}",
        ) from None


def replace_bytes(path: Path, data: Iterable[bytes], private: bool = False) -> None:
    """Put `data`, in pieces, in the place of what is at `path`, as `replace` does.

    Only the owner may read a `private` file, from its first byte on.
    """
    with replaced(path, data, private):
        pass


@contextmanager
def replaced(path: Path, data: Iterable[bytes], private: bool = False) -> Iterator[None]:
    """Write `data` beside `path`, and put it in its place at the end of the block; like
    `replace_bytes`."""
    with _draft(path, private) as draft:
        draft.writelines(data)
        draft.flush()
        yield


def lock(handle: int, wait: bool = False) -> bool:
    """Have an open file or folder alone until it is closed, also by the end of the program.

    False where another program has it. Systems without such locks say true.
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
    """Rename the file `path` so that it is found beside `name` as unfinished; returns its new path.

    Raises OSError. Nothing is overwritten.
    """
    wanted = path.with_name(name)
    free = wanted.with_name(f"{wanted.stem}.unfinished{wanted.suffix}")
    count = 1
    while free.exists():
        count += 1
        free = wanted.with_name(f"{wanted.stem}.unfinished-{count}{wanted.suffix}")
    return path.rename(free)


def private(path: str, flags: int) -> int:
    """An opener for `open`: only the owner may read the file, also one that was there before."""
    handle = os.open(path, flags, 0o600)
    if hasattr(os, "fchmod") and stat.S_ISREG(os.fstat(handle).st_mode):
        with suppress(OSError):
            os.fchmod(handle, 0o600)
    return handle


def give(handle: int) -> None:
    """Give an open file that mkstemp made private the usual rights of a user's file."""
    if hasattr(os, "fchmod"):
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(handle, 0o666 & ~mask)


@contextmanager
def _draft(path: Path, private: bool) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place at the end of the block, unless that fails.

    Its name cannot be guessed, and nothing that is there already is opened or followed.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "what is there is not a file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as draft:
            if not private:
                give(handle)
            yield draft
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)

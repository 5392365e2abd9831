"""Disk operations for models: errors with remedies, free space, hashes, moves and links."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgevoice.errors import StorageError

BLOCK_BYTES = 1 << 20
"""Bytes read or written at a time."""

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}


def size_text(count: float) -> str:
    """A number of bytes as text: `491 MB`, `2.4 GB`."""
    for unit in ("B", "KB", "MB"):
        if count < 999.5:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Convert OSErrors of writing below `folder` to StorageErrors with a remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise StorageError(
                "the disk is full",
                where=str(folder),
                remedy="free some space, then run the same command: it resumes where it stopped",
            ) from error
        if error.errno in _NOT_WRITABLE:
            raise StorageError(
                "the models folder cannot be written",
                where=str(folder),
                remedy="make it writable, or name another with --set models.folder=FOLDER",
            ) from error
        if isinstance(error, (NotADirectoryError, FileExistsError)):
            raise StorageError(
                "the models folder is not a folder",
                where=str(folder),
                remedy="name another with --set models.folder=FOLDER",
            ) from error
        raise


def existing(folder: Path) -> Path:
    """The folder, or the innermost one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def free_space(folder: Path) -> int:
    """Bytes free on the disk of a folder that need not exist yet."""
    return shutil.disk_usage(existing(folder)).free


def need_space(folder: Path, count: int) -> None:
    """Raise StorageError if the disk of `folder` has less than `count` bytes free."""
    free = free_space(folder)
    if free < count:
        raise StorageError(
            f"{size_text(count)} are needed on the disk and {size_text(free)} are free",
            where=str(folder),
            remedy="free some space, or name another folder with --set models.folder=FOLDER",
        )


def sha256_of(path: Path, on_progress: Callable[[int], None] | None = None) -> str:
    """The file's SHA-256 in hex; `on_progress` gets the bytes read after each block."""
    digest = hashlib.sha256()
    count = 0
    with path.open("rb") as source:
        while block := source.read(BLOCK_BYTES):
            digest.update(block)
            count += len(block)
            if on_progress:
                on_progress(count)
    return digest.hexdigest()


def put(draft: Path, path: Path) -> None:
    """Move a finished, flushed file to its place; a crash leaves either the old or the new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(draft, path)
    if os.name == "posix":
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def link(source: Path, path: Path, *, symbolic: bool) -> bool:
    """Make `path` a link to `source`, replacing an existing file; False if that is impossible.

    The link is a hard link, which survives the removal of `source`. With `symbolic`, a symbolic
    link is made if hard links are impossible.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        try:
            os.link(source.resolve(), draft)
        except OSError:
            if not symbolic:
                return False
            os.symlink(source.resolve(), draft)
        os.replace(draft, path)
    except OSError as error:
        if error.errno in _DISK_FULL | _NOT_WRITABLE and not os.access(path.parent, os.W_OK):
            raise
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True

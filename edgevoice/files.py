"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgevoice.encoding import well_formed
from edgevoice.errors import StorageError


def replace(path: Path, text: Iterable[str]) -> None:
    """Put `text`, in pieces, in the place of what is at `path`; its folder is made if need be.

    Raises OSError, and then leaves what was there. A symbolic link stays one: its target is
    replaced. A device or a folder is not replaced.
    """
    with _draft(path) as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(text)


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

    A `private` file may be read by nobody but its owner, from its first byte on.
    """
    with replaced(path, data, private):
        pass


@contextmanager
def replaced(path: Path, data: Iterable[bytes], private: bool = False) -> Iterator[None]:
    """Write `data` beside `path`, and put it in its place at the end of the block; like
    `replace_bytes`."""
    opener = _private if private else None
    with _draft(path) as draft:
        with open(draft, "wb", opener=opener) as file:
            file.writelines(data)
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

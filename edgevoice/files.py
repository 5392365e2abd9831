"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path


def replace(path: Path, text: Iterable[str]) -> None:
    """Put `text`, in pieces, in the place of what is at `path`; its folder is made if need be.

    Raises OSError, and then leaves what was there. A symbolic link stays one: its target is
    replaced. A device or a folder is not replaced.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "what is there is not a file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.writelines(text)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)

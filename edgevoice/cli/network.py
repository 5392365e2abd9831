"""What the commands that use the network share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from edgevoice.errors import UsageError

INSTALL = "pip install 'edgevoice[serve]'"


def data_folder() -> Path:
    """The folder with the paired devices, the paired servers and the certificates."""
    from edgevoice.places import user_folder

    return user_folder("data") / "serve"


@contextlib.contextmanager
def imported() -> Iterator[None]:
    """Say which packages are missing. Raises UsageError."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("edgevoice"):
            raise
        raise UsageError(
            f"this needs packages that are not installed: {error.name}", remedy=INSTALL
        ) from None

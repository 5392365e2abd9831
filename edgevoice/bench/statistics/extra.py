"""Check for scipy, which only the extra `bench` installs."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from edgevoice.errors import EdgevoiceError


def need_scipy(command: str) -> None:
    """Raises EdgevoiceError if scipy is not installed; `command` is named in it."""
    if find_spec("scipy") is None:
        raise EdgevoiceError(
            "edgevoice[bench] is not installed",
            where=command,
            remedy=f'{sys.executable} -m pip install "edgevoice[bench]"',
        )

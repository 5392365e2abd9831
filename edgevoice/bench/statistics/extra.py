"""scipy, which comes with the extra `bench`; asked for only where it is used, as it takes long."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from edgevoice.errors import EdgevoiceError


def need_scipy(command: str) -> None:
    """Raises EdgevoiceError if what `command` needs for its statistics is not installed."""
    if find_spec("scipy") is None:
        raise EdgevoiceError(
            "edgevoice[bench] is not installed",
            where=command,
            remedy=f'{sys.executable} -m pip install "edgevoice[bench]"',
        )

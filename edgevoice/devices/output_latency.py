"""The speaker's buffer: per device, the shortest that has played without gaps."""

from __future__ import annotations

import msgspec

from edgevoice.errors import EdgevoiceError
from edgevoice.files import replace_bytes
from edgevoice.outside import Malformed, from_json, read
from edgevoice.places import user_folder

SHORTEST, LONGEST = 0.03, 0.12
"""Range in seconds."""
GROWTH = 1.5
"""Factor after a gap."""

_lengthened: dict[str, float] = {}
"""Seconds by device, where the file cannot be written."""


def of(device: str) -> float:
    """The buffer in seconds to request from `device`."""
    return min(LONGEST, max(SHORTEST, _known().get(device, SHORTEST)))


def lengthen(device: str) -> bool:
    """Remember a longer buffer for `device`, which has played a gap; False if there is none."""
    if (known := of(device)) >= LONGEST:
        return False
    _lengthened.update({**_known(), device: GROWTH * known})
    try:
        path = user_folder("cache") / "speakers.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_bytes(path, [msgspec.json.encode(_lengthened)])
    except (OSError, EdgevoiceError):
        pass  # Remembered until the program ends.
    return True


def _known() -> dict[str, float]:
    try:
        stored = from_json(read(user_folder("cache") / "speakers.json"), dict[str, float])
    except (OSError, EdgevoiceError, Malformed):
        stored = {}
    return stored | _lengthened

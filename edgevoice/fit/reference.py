"""Whether the reference language model suits this machine, before it is offered or downloaded."""

from __future__ import annotations

from collections.abc import Sequence

from edgevoice.catalog import REFERENCE
from edgevoice.fit.starter import LARGER, speed_here
from edgevoice.models import disk
from edgevoice.models.disk import size_text
from edgevoice.models.hub import is_offline
from edgevoice.models.machine import SPARE_MEMORY, total_memory
from edgevoice.models.progress import Progress
from edgevoice.models.shape_layout import weights_size
from edgevoice.models.shape_table import ARCHITECTURES
from edgevoice.models.store import Store

MOST_SECONDS = 1.2
"""Seconds of a response time of about 1.8 s that the reference model may take (fit-2026-11)."""
SPARE_DISK = 1_000_000_000
"""Bytes that stay free on the disk after the download."""
COST = weights_size(ARCHITECTURES[REFERENCE]) / weights_size(LARGER)
"""Seconds a token of the reference model, for one of the larger starter model's."""


def is_missing(store: Store) -> bool:
    """Whether it would be used if it were installed, and the hub may be asked for it."""
    entry = store.catalog.get(REFERENCE) if REFERENCE in store.catalog else None
    unnamed = not store.config.models.slm
    return bool(unnamed and entry and store.state(entry) != "present" and not is_offline())


def obstacle(store: Store, languages: Sequence[str]) -> str:
    """Why it cannot be used here, where `languages` are spoken; empty if it can. Fast."""
    entry = store.catalog.get(REFERENCE)
    if unknown := [code for code in languages if not entry.speaks(code)]:
        return f"it does not speak {', '.join(unknown)}"
    if entry.ram + SPARE_MEMORY > total_memory():
        return f"it needs {size_text(entry.ram)} of memory, this machine has too little"
    needed = entry.size - sum(map(store.partial_bytes, entry.files))
    if needed + SPARE_DISK > disk.free_space(store.folder):
        return f"it needs {size_text(needed)} on the disk, which has too little room"
    return ""


def slowness(progress: Progress) -> str:
    """Why it is too slow here; empty if it is not. The first call measures for three seconds."""
    speed = speed_here(progress)
    seconds = speed.share * COST if speed else 0.0
    return f"it would add {seconds:.1f} s to each reply" if seconds > MOST_SECONDS else ""

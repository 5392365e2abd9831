"""How well one model suits this machine: what is known of it, and what a few seconds measure."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import replace

from edgevoice.catalog import SHAPE, Entry
from edgevoice.engines import registry
from edgevoice.engines.cpu_budget import cores
from edgevoice.engines.facts import token_seconds
from edgevoice.fit.starter import BEFORE, CLAUSE, CONTEXT, ROUNDS, TAIL
from edgevoice.models.disk import size_text
from edgevoice.models.machine import free_memory, total_memory
from edgevoice.models.progress import Progress
from edgevoice.models.shape_layout import weights_size
from edgevoice.models.shape_table import ARCHITECTURES
from edgevoice.models.store import Store
from edgevoice.synthesis.real_time import real_time_factor


def facts(
    store: Store, entry: Entry, running: Collection[str], progress: Progress
) -> Iterator[tuple[str, str]]:
    """Lines of a heading and a text, on `entry` among the models that would run now.

    Raises ModelError if its files are damaged, and EngineError if it cannot be loaded.
    """
    others = [name for name in running if store.catalog.get(name).role == entry.role]
    if entry.name in running:
        yield "runs", "yes"
    else:
        yield "runs", f"no: {', '.join(others) or 'nothing of its kind'} does"
    need, free = entry.ram, free_memory()
    fits = "" if need <= free else ", which is too little"
    yield (
        "memory",
        f"{size_text(need)} of {size_text(total_memory())}; {size_text(free)} free{fits}",
    )
    state = store.state(entry)
    here = "installed" if state == "present" else f"{state}; {entry.mend}"
    yield "disk", f"{size_text(entry.size)}, {here}"
    yield "languages", " ".join(entry.languages) or "unknown"
    yield "licence", f"{entry.licence} {entry.licence_url}".strip()
    if state != "present":
        return
    progress.say(f"measuring {entry.name} for some seconds")
    if entry.role == "slm":
        tail, token = token_seconds(
            store.require(entry.name).path, (TAIL, 1), BEFORE, CONTEXT, cores.all, ROUNDS
        )
        times, note = _whole(entry)
        tail, token = tail * times, token * times
        speed = f"{1 / token:.1f}" if token > 0.2 else f"{1 / token:.0f}"
        yield "speed", f"{speed} tokens a second; {TAIL} tokens at once in {tail:.2f} s{note}"
        share = tail + CLAUSE * token
        yield "response time", f"{share:.2f} s of it; edgevoice fit measures the whole"
    elif entry.role == "tts":
        factor = real_time_factor(
            registry.load(store.require(entry.name), store.config), time.monotonic
        )
        yield "speed", f"{factor:.2f} s of work for a second of speech"


def _whole(entry: Entry) -> tuple[float, str]:
    """The time of the real model for that of `entry`, and a note if the entry has fewer blocks."""
    model = ARCHITECTURES.get(entry.name.removeprefix(SHAPE)) if entry.shape else None
    if model is None or not model.whole:
        return 1.0, ""
    times = weights_size(replace(model, blocks=model.whole)) / weights_size(model)
    return times, f", extrapolated from {model.blocks} of {model.whole} blocks"

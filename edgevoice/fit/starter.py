"""Whether this machine is too slow for the larger starter model: measured once, in seconds.

Nothing is here to be measured before the first download. So a few layers with the dimensions of the
larger starter model and random weights are written to the cache folder, run, and removed.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from pathlib import Path

import msgspec
from msgspec import Struct

from edgevoice import outside
from edgevoice.engines.cpu_budget import cores, used_elsewhere
from edgevoice.engines.facts import token_seconds
from edgevoice.errors import EdgevoiceError
from edgevoice.files import replace_bytes
from edgevoice.fit.record import BUSY_CORES
from edgevoice.models.machine import total_memory
from edgevoice.models.progress import NoProgress, Progress
from edgevoice.models.shape_file import wordless_header, write
from edgevoice.models.shape_layout import weights_size
from edgevoice.models.shape_table import LLAMA, Architecture, Tokenizer
from edgevoice.outside import Malformed, from_json
from edgevoice.places import user_folder

_log = logging.getLogger(__name__)

LARGER = Architecture(
    name="starter",
    title="Qwen2.5 1.5B",
    family=LLAMA,
    blocks=28,
    width=1536,
    feed_forward=8960,
    heads=12,
    kv_heads=2,
    head=128,
    vocabulary=151_936,
    context=4096,
    epsilon=1e-6,
    rope_base=1_000_000.0,
    tokenizer=Tokenizer("", "none", ""),
    source="Qwen/Qwen2.5-Coder-1.5B-Instruct",
    parameters=1_543_714_304,
    tied=True,
)
"""The dimensions of the larger starter model, as far as they decide what a token costs."""
MODEL_SLICE = replace(LARGER, blocks=5, vocabulary=256)
"""About 140 MB: several times the last cache of a small machine, and written in a second."""

TAIL, CLAUSE = 8, 6
"""Tokens that close a question, and tokens up to the end of the first clause of the reply."""
MOST_MODEL_SECONDS = 0.6
"""Seconds that the language model may take of a response time of about 1.2 s (fit-2026-11)."""
BEFORE, CONTEXT, ROUNDS = 64, 256, 8


class Speed(Struct, frozen=True):
    """What was measured: seconds that `TAIL` tokens at once and a single token take the larger
    starter model. It holds for as many cores and bytes of memory."""

    cores: int
    memory: int
    tail: float
    token: float

    @property
    def share(self) -> float:
        """Seconds of the response time that the language model takes."""
        return self.tail + CLAUSE * self.token


def is_slow(progress: Progress, path: Path | None = None) -> bool:
    """Whether the larger starter model would answer too late here. False if it is not known."""
    speed = speed_here(progress, path)
    return speed is not None and speed.share > MOST_MODEL_SECONDS


def speed_here(progress: Progress, path: Path | None = None) -> Speed | None:
    """How fast this machine is; None if it cannot be measured.

    The figure is kept in the file `path`, by default in the cache folder.
    """
    try:
        path = path or user_folder("cache") / "speed.json"
        speed = read(path)
        if speed is None:
            progress.say("measuring this machine for some seconds, to choose a language model")
            began, others = time.monotonic(), used_elsewhere()
            speed = measured(path.with_suffix(".gguf"))
            if used_elsewhere() - others <= BUSY_CORES * (time.monotonic() - began):
                keep(path, speed)
    except (EdgevoiceError, OSError) as error:
        _log.debug("the machine is not measured: %s", error)
        return None
    return speed


def read(path: Path) -> Speed | None:
    """What was kept of this machine; None if nothing useful is there."""
    try:
        found = from_json(outside.read(path), Speed)
    except (OSError, Malformed) as error:
        _log.debug("no speed: %s", error)
        return None
    return found if (found.cores, found.memory) == (cores.all, total_memory()) else None


def keep(path: Path, speed: Speed) -> None:
    """Write it for the next time, if that is possible."""
    try:
        replace_bytes(path, [msgspec.json.encode(speed)])
    except OSError as error:
        _log.debug("the speed is not kept: %s", error)


def measured(path: Path) -> Speed:
    """Run the slice, from a file at `path` that is removed again.

    Raises OSError and EngineError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        write(path, wordless_header(MODEL_SLICE), MODEL_SLICE, NoProgress())
        tail, token = token_seconds(path, (TAIL, 1), BEFORE, CONTEXT, cores.all, ROUNDS)
    finally:
        path.unlink(missing_ok=True)
    times = weights_size(LARGER) / weights_size(MODEL_SLICE)
    return Speed(cores.all, total_memory(), tail * times, token * times)

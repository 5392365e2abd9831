"""What a bench records beside its turns: the device while it worked, at rest, and at its limits.

docs/reference/formats.md documents every field. Null: the platform does not report it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct


class Sample(Struct, frozen=True, kw_only=True):
    """The machine and the process at one time. Null: the system does not report it."""

    t: float
    """Session time in seconds."""
    rss: int
    """Memory of the process in bytes."""
    cpu_seconds: float
    """CPU time of the process since it started."""
    other_cpu_seconds: float | None = None
    """CPU time of all other processes since the first sample, and what a virtual machine did not
    get."""
    threads: int | None = None
    """Number of threads."""
    handles: int | None = None
    """Open files, sockets and pipes."""
    temperature: float | None = None
    """Hottest sensor of the processor, in °C."""
    clock: float | None = None
    """Mean clock of the usable cores, in Hz."""
    throttled: bool | None = None
    """Whether heat or supply voltage limits the processor."""
    energy: float | None = None
    """Joules since the first sample, from the source named in `sensors`."""


class Idle(Struct, frozen=True, kw_only=True):
    """The cost of waiting for speech."""

    seconds: float
    """Duration of the measurement."""
    cpu_per_minute: float
    """CPU seconds per minute."""
    energy_per_minute: float | None = None
    """Joules per minute; null without RAPL counters."""


class Speeds(Struct, frozen=True, kw_only=True):
    """Limits of this machine, measured in a process of its own before any model is loaded."""

    threads: int
    """Threads used for the `_all` values: one per usable core."""
    working_set: int | None = None
    """Bytes that were read repeatedly."""
    memory_one: float | None = None
    """Bytes per second read from memory by one thread."""
    memory_all: float | None = None
    """Bytes per second read by all threads."""
    float32_one: float | None = None
    """Operations per second of one thread, in float32 matrix products."""
    float32_all: float | None = None
    """The same for all threads."""
    int8_one: float | None = None
    """Operations per second of one thread, in 8-bit integer matrix products."""
    int8_all: float | None = None
    """The same for all threads."""
    memory_samples: tuple[float, ...] = ()
    """Each sample of all threads in bytes per second, half of them after the bench;
    `memory_all` is the best."""
    float32_samples: tuple[float, ...] = ()
    """Each sample of all threads in operations per second."""
    int8_samples: tuple[float, ...] = ()
    """The same for 8-bit integers."""


class StageFloor(Struct, frozen=True, kw_only=True):
    """The least time this machine needs for a stage, and the time it took, in seconds."""

    stage: Literal["recognize", "prefill", "decode", "synthesize"]
    """The stage."""
    per: str
    """The unit of work the seconds belong to."""
    n: int = 0
    """Number of turns measured."""
    floor: float | None = None
    """Least seconds this machine needs, median over the turns; null where unknown."""
    measured: float | None = None
    """Seconds it took, median; null where not measured."""
    share: float | None = None
    """`floor` divided by the measured time, median over the turns."""
    bound: Literal["memory", "compute", ""] = ""
    """What limits the stage; empty where there is no floor."""
    why: str = ""
    """Why there is no floor or no measurement."""


class Roofline(Struct, frozen=True, kw_only=True):
    """The limits of the machine, and each stage compared with them."""

    memory: float | None
    """Bytes per second of all usable cores, as used for the floors; null where unknown."""
    float32: float | None
    """Operations per second, likewise."""
    int8: float | None
    """Operations per second, likewise."""
    cache: int | None
    """Bytes of the last-level caches of all usable cores; null where unknown."""
    floors: tuple[StageFloor, ...]
    """Each stage."""


class Load(Struct, frozen=True, kw_only=True):
    """A model that is loaded at the start."""

    model: str
    """Name of the model."""
    began: float
    """Start of loading, in seconds since the process started."""
    ready: float
    """End of loading."""


class Start(Struct, frozen=True, kw_only=True):
    """One start of the program. Times are seconds since the process started."""

    variant: str
    """`cold start` or `warm start`."""
    program: float
    """The command line was parsed."""
    imported: float
    """The pipeline was imported."""
    loads: Mapping[str, Load]
    """Each model by role; they load in parallel."""
    listening: float
    """Speech is captured from here on, and answered later."""
    ready: float
    """All models are loaded, and the system prompt is in the KV cache."""
    gap: float | None
    """Response time of the first question, asked once ready; null if no reply was audible."""
    cached: float | None
    """Share of the model files' bytes that were in the page cache before, 0 to 1; null where
    unknown."""
    rss: int
    """Memory of the process when ready, in bytes."""

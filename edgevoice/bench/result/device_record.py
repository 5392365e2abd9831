"""What a bench records beside its turns: the machine at work, at rest, and at its limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct


class Sample(Struct, frozen=True, kw_only=True):
    """The machine and the process at one time. Null: not reported by the system."""

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


class Speeds(Struct, frozen=True, kw_only=True):
    """Limits of this machine, measured in a process of its own before any model is loaded.

    `memory` is bytes read per second, `float32` and `int8` are operations per second in matrix
    products, with one thread per usable core.
    """

    threads: int
    working_set: int | None = None
    """Bytes that were read repeatedly."""
    memory_all: float | None = None
    float32_all: float | None = None
    int8_all: float | None = None
    memory_samples: tuple[float, ...] = ()
    """Each sample of all threads in bytes per second, half of them after the bench;
    `memory_all` is the best."""
    float32_samples: tuple[float, ...] = ()
    """Each sample of all threads in operations per second."""
    int8_samples: tuple[float, ...] = ()
    """The same for 8-bit integers."""


class StageFloor(Struct, frozen=True, kw_only=True):
    """The least time this machine needs for a stage, and the time it took, as medians."""

    stage: Literal["recognize", "prefill", "decode", "synthesize"]
    per: str
    """The unit of work the seconds belong to."""
    n: int = 0
    """Number of turns measured."""
    floor: float | None = None
    """Least seconds; null where unknown."""
    measured: float | None = None
    """Seconds it took; null where not measured."""
    share: float | None = None
    """`floor` divided by the measured time."""
    bound: Literal["memory", "compute", ""] = ""
    """What limits the stage; empty where there is no floor."""
    why: str = ""
    """Why there is no floor or no measurement."""


class Roofline(Struct, frozen=True, kw_only=True):
    """The limits of all usable cores, as in `speeds`, and each stage compared with them."""

    memory: float | None
    float32: float | None
    int8: float | None
    cache: int | None
    """Bytes of the last-level caches; null where unknown."""
    floors: tuple[StageFloor, ...]


class Load(Struct, frozen=True, kw_only=True):
    """A model that is loaded at the start, in seconds since the process started."""

    model: str
    began: float
    ready: float


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
    response_time: float | None
    """Of the first question, asked once ready; null if no reply was audible."""
    rss: int
    """Memory of the process when ready, in bytes."""

"""What a bench records beside its turns: the device while it worked, at rest, and at its limits.

docs/bench.md documents every field and its unit. Null stands for what the platform does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct


class Sample(Struct, frozen=True, kw_only=True):
    """The device and this process at session time `t`, in seconds."""

    t: float
    rss: int
    cpu_seconds: float
    threads: int | None = None
    handles: int | None = None
    temperature: float | None = None
    clock: float | None = None
    throttled: bool | None = None
    energy: float | None = None


class Idle(Struct, frozen=True, kw_only=True):
    """What it takes to wait for somebody to speak, measured over `seconds` of silence."""

    seconds: float
    cpu_per_minute: float
    energy_per_minute: float | None = None


class Speeds(Struct, frozen=True, kw_only=True):
    """What this machine can do at most, by one thread and by one on each usable core.

    Memory in bytes read a second, arithmetic in operations a second, where a multiplication and
    its addition are two. `working_set` is how many bytes were read over and over.
    """

    threads: int
    working_set: int | None = None
    memory_one: float | None = None
    memory_all: float | None = None
    float32_one: float | None = None
    float32_all: float | None = None
    int8_one: float | None = None
    int8_all: float | None = None


class Floor(Struct, frozen=True, kw_only=True):
    """The least time that this machine could take for a stage, beside what it took, in seconds."""

    stage: Literal["recognize", "prefill", "decode", "synthesize"]
    per: str
    n: int = 0
    floor: float | None = None
    measured: float | None = None
    share: float | None = None
    bound: Literal["memory", "compute", ""] = ""
    why: str = ""


class Roofline(Struct, frozen=True, kw_only=True):
    """The limits that the floors were reckoned with, and the floor of each stage."""

    memory: float | None
    float32: float | None
    int8: float | None
    cache: int | None
    floors: tuple[Floor, ...]


class Load(Struct, frozen=True, kw_only=True):
    """A model that is loaded while the program starts; others are at the same time."""

    model: str
    began: float
    ready: float


class Start(Struct, frozen=True, kw_only=True):
    """One start of the program in a process of its own, in seconds from that process's beginning.

    `gap` is that of the first question, from its last voiced to the first audible sample.
    """

    variant: str
    program: float
    imported: float
    loads: Mapping[str, Load]
    listening: float
    ready: float
    gap: float | None
    cached: float | None
    rss: int

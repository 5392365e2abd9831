"""What a soak records beside its turns: windows of time, interruptions, and a verdict.

docs/soak.md documents every field and its unit. Null stands for what the platform does not tell.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

State = Literal["well", "bad", "unclear", "unknown"]
"""`unclear`: measured for too short a time to tell; `unknown`: not measured on this machine."""

Outcome = Literal["stopped", "late", "missed"]
"""What became of a reply that was interrupted; `late`: it was over before it could be."""


class Window(Struct, frozen=True, kw_only=True):
    """A stretch of a soak: `turns` asked in it, and the process and the machine meanwhile.

    Times are seconds, `p50` and `p95` those of the gaps of questions that interrupted nothing;
    `rss` is the median in bytes, `threads` and `handles` the most there were, `temperature` the
    highest in °C, `clock` the mean in Hz, `throttled` a share of the samples.
    """

    start: float
    seconds: float
    turns: int
    answered: int
    interrupted: int
    underruns: int
    p50: float | None = None
    p95: float | None = None
    rss: int | None = None
    threads: int | None = None
    handles: int | None = None
    temperature: float | None = None
    clock: float | None = None
    throttled: float | None = None


class Interruption(Struct, frozen=True, kw_only=True):
    """At session time `t` the question `by` was begun while the reply to `question` was heard.

    `silent_after` is how long after its first voiced sample the reply could still be heard.
    """

    t: float
    question: str
    by: str
    outcome: Outcome
    silent_after: float | None = None
    answered: bool = False


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at: `told` is the reason in words, the rest the figures in it."""

    name: str
    state: State
    told: str
    verdict: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    p: float | None = None


class Soak(Struct, frozen=True, kw_only=True):
    """A soak as a whole; `asked_for`, `ran`, `began` and `window` are seconds."""

    verdict: str
    asked_for: float
    ran: float
    began: float
    interrupt_every: int
    window: float
    windows: tuple[Window, ...]
    interruptions: tuple[Interruption, ...]
    findings: tuple[Finding, ...]

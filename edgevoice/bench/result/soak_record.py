"""What a soak records beside its turns: windows of time, interruptions, and a verdict."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Steadiness = Literal["well", "bad", "unclear", "unknown"]
"""`unclear`: measured for too short a time to tell; `unknown`: not measured on this machine."""

InterruptionOutcome = Literal["stopped", "late", "missed"]
"""`late`: the reply was already over; `missed`: it continued."""


class SoakWindow(Struct, frozen=True, kw_only=True):
    """A stretch of a soak, without warm-ups. Null: not reported by the system, or no answer."""

    start: float
    """Seconds since the first question."""
    seconds: float
    """Length; the last window may be shorter."""
    turns: int
    """Questions asked."""
    answered: int
    """Questions with an audible reply."""
    interrupted: int
    """Replies that the bench tried to interrupt."""
    underruns: int
    """Times the speaker ran out of audio."""
    p50: float | None = None
    """Median response time in seconds, without interrupting questions."""
    p95: float | None = None
    rss: int | None = None
    """Median memory in bytes."""
    threads: int | None = None
    """Highest number of threads."""
    handles: int | None = None
    """Highest number of open files, sockets and pipes."""
    temperature: float | None = None
    """Highest temperature in °C."""
    clock: float | None = None
    """Mean clock in Hz."""
    throttled: float | None = None
    """Share of the samples in which the processor was throttled."""


class SoakInterruption(Struct, frozen=True, kw_only=True):
    """An attempt to interrupt a reply."""

    t: float
    """Session time of the first sample of the interrupting question."""
    question: str
    """The question whose reply was interrupted."""
    by: str
    """The interrupting question."""
    outcome: InterruptionOutcome
    """`stopped`; `late`: the reply was already over; `missed`: the reply continued."""
    silent_after: float | None = None
    """Seconds from the first voiced sample of `by` to the end of the sound; null unless stopped."""
    answered: bool = False
    """Whether `by` was answered."""


class SoakFinding(Struct, frozen=True, kw_only=True):
    """One check of a soak."""

    name: str
    """`memory`, `threads`, `handles`, `response time`, `heat`, `answers`, `sound` or
    `interruptions`."""
    state: Steadiness
    """`well`, `bad`, `unclear` (too short to tell) or `unknown` (not measured)."""
    reason: str
    """The finding in words."""
    verdict: str = ""
    """The verdict's name if it is bad."""
    value: float | None = None
    """Slope, change, share or count in `unit`, with its 95 % confidence interval, if any."""
    low: float | None = None
    high: float | None = None
    unit: str = ""
    p: float | None = None
    """Probability of such a change by chance; null where nothing was tested."""


class Soak(Struct, frozen=True, kw_only=True):
    """The verdict and course of a soak. Times are seconds."""

    verdict: str
    """The verdict, or several separated by commas."""
    asked_for: float
    """Requested duration."""
    ran: float
    """Actual duration, from the first counted question to the end of the last reply."""
    began: float
    """Session time of that start."""
    interrupt_every: int
    """Every how many replies are interrupted; 0: none."""
    window: float
    """Length of a window."""
    windows: tuple[SoakWindow, ...]
    interruptions: tuple[SoakInterruption, ...]
    findings: tuple[SoakFinding, ...]

"""A result file as a report reads it: with all that newer benches tell, and older ones do not.

What an older file does not hold is None or empty here, and is then not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec import Struct

from edgevoice.bench import result as made
from edgevoice.bench.result import Result, Summary
from edgevoice.errors import EdgevoiceError


class Spread(Struct, frozen=True, kw_only=True):
    """A quantity over `n` turns, in its own unit; between `_low` and `_high` the true percentile
    lies with 95 % confidence."""

    n: int
    p50: float
    p95: float
    mean: float
    p90: float | None = None
    p99: float | None = None
    p50_low: float | None = None
    p50_high: float | None = None
    p95_low: float | None = None
    p95_high: float | None = None


class Spreads(Struct, frozen=True, kw_only=True):
    """The quantities of a summary."""

    gap: Spread | None = None
    spans: Mapping[str, Spread] = msgspec.field(default_factory=dict)
    ttft: Spread | None = None
    tokens_per_second: Spread | None = None
    prefill_rate: Spread | None = None
    stt_rtf: Spread | None = None
    tts_rtf: Spread | None = None
    words_per_minute: Spread | None = None
    cpu_seconds: Spread | None = None
    energy: Spread | None = None


class Sample(Struct, frozen=True, kw_only=True):
    """The device at session time `t`: °C, Hz, bytes of this process."""

    t: float
    temperature: float | None = None
    clock: float | None = None
    throttled: bool | None = None
    rss: float | None = None


class Floor(Struct, frozen=True, kw_only=True):
    """The least time that the machine could take for a stage, beside what it took, in seconds."""

    stage: str
    per: str = ""
    floor: float | None = None
    measured: float | None = None
    share: float | None = None
    bound: str = ""
    why: str = ""


class Roofline(Struct, frozen=True, kw_only=True):
    """How near each stage came to what the machine could do."""

    floors: tuple[Floor, ...] = ()


class Idle(Struct, frozen=True, kw_only=True):
    """What listening takes: seconds of processor time, and joules, a minute."""

    cpu_per_minute: float
    energy_per_minute: float | None = None


class _Variant(Struct, frozen=True):
    name: str
    summary: Spreads


class Device(Struct, frozen=True):
    """What a result tells of the device beside its turns."""

    samples: tuple[Sample, ...] = ()
    roofline: Roofline | None = None
    idle: Idle | None = None
    steady_rss: int | None = None
    sensors: Mapping[str, str | None] | None = None
    """Where each quantity was read; None where the machine does not offer it."""

    @property
    def missing(self) -> list[str]:
        """What the machine does not tell."""
        return [name for name, source in (self.sensors or {}).items() if source is None]


class _Variants(Struct, frozen=True):
    variants: tuple[_Variant, ...] = ()


@dataclass(frozen=True)
class Source:
    """A file that was read; `spreads` of each variant by its name."""

    name: str
    result: Result
    spreads: Mapping[str, Spreads]
    device: Device = field(default_factory=Device)


def read(path: Path, name: str) -> Source:
    """The result at `path`. Raises EdgevoiceError where there is none, or nothing in it."""
    result = made.read(path)
    if not result.variants:
        raise EdgevoiceError(
            "nothing was measured in it", where=str(path), remedy="run the bench again"
        )
    spreads = {variant.name: _spreads(variant.summary) for variant in result.variants}
    device = Device()
    try:
        data = path.read_bytes()
        told = msgspec.json.decode(data, type=_Variants).variants
        spreads.update({variant.name: variant.summary for variant in told})
        device = msgspec.json.decode(data, type=Device)
    except (OSError, msgspec.MsgspecError):
        # What is more than we know is not of the kind we know: what we know is shown.
        pass
    return Source(name, result, spreads, device)


def _spreads(summary: Summary) -> Spreads:
    return msgspec.convert(msgspec.to_builtins(summary), Spreads)

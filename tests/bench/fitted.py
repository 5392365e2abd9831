"""Machines that never were, calibrated: for tests of what is predicted and chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from edgevoice.bench.fitting.options import Option, Voiced
from edgevoice.bench.fitting.record import Calibration, Hearing, Speaking, Thinking
from edgevoice.bench.fitting.thinking import SIZES
from edgevoice.bench.fitting.unmeasured import Costs
from edgevoice.bench.result.device_record import Speeds
from edgevoice.catalog import Entry, File, Role
from edgevoice.settings import Config

CORES = 2
SPEEDS = Speeds(
    threads=CORES,
    memory_one=15e9,
    memory_all=25e9,
    float32_one=80e9,
    float32_all=150e9,
    int8_one=150e9,
    int8_all=280e9,
)


def thinking(
    name: str, token: float, file: int = 1_000_000_000, cores: int = CORES, **changes: Any
) -> Thinking:
    """A language model of which a token takes so many seconds on all cores."""
    batches = {
        number: {n: token * max(1.0, 0.6 * n) * cores / number for n in SIZES}
        for number in (1, cores)
    }
    made = Thinking(model=name, how="measured", file=file, size=file, batches=batches, closing=5)
    return replace(made, **changes)


def hearing(name: str, seconds: float, size: int = 150_000_000, **changes: Any) -> Hearing:
    """A recognizer that reads a question in so many seconds."""
    made = Hearing(
        model=name, how="measured", size=size, threads=1, alone=seconds, beside=1.5 * seconds
    )
    return replace(made, **changes)


def speaking(name: str = "joe", seconds: float = 0.1, **changes: Any) -> Speaking:
    """A voice whose first sound comes after about so many seconds."""
    first = {12: 0.8 * seconds, 22: seconds, 45: 1.2 * seconds}
    made = Speaking(
        model=name, how="measured", size=63_000_000, threads=1, first=first, saying=0.055
    )
    return replace(made, **changes)


def option(name: str, role: Voiced, size: int, here: bool = True, **entry: Any) -> Option:
    """A model of the catalog with one file of `size` bytes."""
    suffix = {"slm": "gguf", "stt": "bin", "tts": "onnx"}[role]
    kinds: dict[Voiced, Any] = {"slm": "gguf", "stt": "ctranslate2", "tts": "onnx"}
    files = [File("model.bin" if role == "stt" else f"{name}.{suffix}", size, "0" * 64)]
    made: Role = role
    whole = {"ram": size, "rank": 50, **entry}
    return Option(
        name,
        role,
        size,
        Entry(name=name, role=made, format=kinds[role], title=name, files=tuple(files), **whole),
        here=here,
    )


def known(**found: Any) -> Costs:
    """What was measured of a machine."""
    return Costs(calibration(**found), Config())


def calibration(**found: Any) -> Calibration:
    """The same as it is kept."""
    fixed: Mapping[str, Any] = {
        "machine": "0",
        "described": "Quiet 1000",
        "cores": CORES,
        "memory": 8_000_000_000,
        "measured": "2026-01-01T00:00:00+00:00",
        "speeds": SPEEDS,
    }
    return Calibration(**{**fixed, **found})

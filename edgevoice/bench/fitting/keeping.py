"""Where a calibration is kept, and what it holds for: this machine, these versions and settings."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import msgspec

from edgevoice import outside
from edgevoice.bench.fitting.record import VERSION, Calibration
from edgevoice.bench.machine.fingerprint import facts
from edgevoice.bench.machine.host import cpu_name, libraries
from edgevoice.engines.cpu_budget import cores
from edgevoice.files import replace_bytes
from edgevoice.models.machine import total_memory
from edgevoice.outside import Malformed, from_json
from edgevoice.places import user_folder
from edgevoice.settings import Config

_log = logging.getLogger(__name__)

DEPENDS = ("slm.threads", "slm.gpu_layers", "stt.beam", "stt.threads", "stt.window", "stt.language",
           "tts.speed", "tts.threads", "tts.stream", "tts.shorten_silence")  # fmt: skip
"""Settings that change what is measured."""


def folder() -> Path:
    """Where calibrations lie."""
    return user_folder("cache") / "fit"


def fingerprint(config: Config) -> str:
    """What tells this machine, this installation and these settings from others."""
    known = facts()
    settings = [getattr(getattr(config, s), n) for s, n in (key.split(".") for key in DEPENDS)]
    what = (cpu_name(), cores.all, total_memory(), known["instructions"], known["llama"])
    text = repr((VERSION, what, sorted(libraries().items()), settings))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mark(path: Path) -> str:
    """What changes whenever the model's file does."""
    file = path / "model.bin" if path.is_dir() else path
    stat = file.stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def read(path: Path) -> Calibration | None:
    """What was kept; None where nothing of use is there."""
    try:
        found = from_json(outside.read(path), Calibration, strict=False)
    except (OSError, Malformed) as error:
        _log.debug("no calibration: %s", error)
        return None
    return found if found.version == VERSION else None


def keep(path: Path, calibration: Calibration) -> None:
    """Write it for the next time, where that can be done."""
    try:
        replace_bytes(path, [msgspec.json.encode(calibration)])
    except OSError as error:
        _log.debug("the calibration is not kept: %s", error)

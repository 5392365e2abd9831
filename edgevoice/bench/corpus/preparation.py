"""What a bench needs before it can begin: models that are there, and questions as sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from edgevoice.bench.corpus.conversation import with_history
from edgevoice.bench.corpus.corpus import (
    BenchQuestion,
    builtin,
    chosen,
    listed,
    recorded,
    spread,
    synthesized,
)
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.catalog import Role
from edgevoice.errors import UsageError
from edgevoice.models.store import Store
from edgevoice.protocols import SpeechDetector
from edgevoice.settings import Config

ROLES: tuple[Role, ...] = ("vad", "stt", "slm", "tts")
"""What every turn needs a model for."""


def prove_models(config: Config, roles: Iterable[Role] = ROLES) -> None:
    """See that every model is there before anything is loaded. Raises ModelError."""
    store = Store(config)
    for role in dict.fromkeys(roles):
        store.choose(role, shapes=True)


def prove_devices(config: Config, play_to: str) -> None:
    """See that microphone, speaker and what is played to are there. Raises DeviceError."""
    from edgevoice.devices.listing import find

    find("input", config.audio.input)
    find("output", config.audio.output)
    find("output", play_to)


def from_folder(
    folder: Path,
    only: str,
    limit: int,
    least_pause: float,
    config: Config,
    progress: BenchProgress,
    roles: Iterable[Role] = ROLES,
) -> tuple[list[BenchQuestion], list[str]]:
    """The recordings of `folder` that are asked for, and the names of those that are unusable."""
    rows, missing = listed(folder, progress.say)
    rows, unusable = with_history(rows, progress.say)
    rows = spread(chosen(rows, only, least_pause), limit)
    prove_models(config, ("vad", *roles))
    questions, broken = recorded(rows, _detector(config), progress.say)
    return questions, [*missing, *unusable, *broken]


def asked_aloud(
    texts: Sequence[str] | None,
    limit: int,
    config: Config,
    progress: BenchProgress,
    roles: Iterable[Role] = ROLES,
) -> list[BenchQuestion]:
    """The built-in questions, or `texts`, spoken by the voice."""
    from edgevoice.engines.registry import load_chosen

    wanted = spread(list(texts if texts is not None else [q for q, _ in builtin()]), limit)
    prove_models(config, ("vad", *roles, "tts"))
    progress.begin("speaking the questions", 0.0)
    # The same sound every time, so that two runs are asked the same.
    steady = msgspec.structs.replace(config.tts, variation=0.0)
    voice = load_chosen("tts", msgspec.structs.replace(config, tts=steady))
    questions = list(synthesized(wanted, voice, _detector(config)))
    if not questions:
        raise UsageError("none of the questions has words to be spoken", remedy="write sentences")
    return questions


def _detector(config: Config) -> SpeechDetector:
    from edgevoice.engines.registry import load_chosen

    detector: SpeechDetector = load_chosen("vad", config)
    return detector

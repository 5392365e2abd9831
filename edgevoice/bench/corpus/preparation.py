"""What a bench needs before it can begin: its models, and its questions as sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from edgevoice.bench.corpus.corpus import (
    BenchQuestion,
    builtin,
    chosen,
    listed,
    recorded,
    spread,
    synthesized,
    with_history,
)
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.errors import UsageError
from edgevoice.events import Role
from edgevoice.models.store import Store
from edgevoice.protocols import SpeechDetector, Synthesizer
from edgevoice.settings import Config

NEEDED_ROLES: tuple[Role, ...] = ("vad", "stt", "slm", "tts")
"""The models that every turn needs."""


def prove_models(config: Config, roles: Iterable[Role] = NEEDED_ROLES) -> None:
    """Check that every model is there before anything is loaded. Raises ModelError."""
    store = Store(config)
    for role in dict.fromkeys(roles):
        store.choose(role, shapes=True)


def prove_devices(config: Config, play_to: str) -> None:
    """Check that the microphone and both speakers are there. Raises DeviceError."""
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
    roles: Iterable[Role] = NEEDED_ROLES,
) -> tuple[list[BenchQuestion], list[str]]:
    """The chosen recordings of `folder`, and the names of those that cannot be used."""
    rows, missing = listed(folder, progress.say)
    rows, unusable = with_history(rows, progress.say)
    rows = spread(chosen(rows, only, least_pause), limit)
    prove_models(config, ("vad", *roles))
    questions, broken = recorded(rows, detector(config), progress.say)
    return questions, [*missing, *unusable, *broken]


def asked_aloud(
    texts: Sequence[str] | None,
    limit: int,
    config: Config,
    progress: BenchProgress,
    roles: Iterable[Role] = NEEDED_ROLES,
) -> list[BenchQuestion]:
    """The built-in questions, or `texts`, spoken by the configured voice."""
    wanted = spread(list(texts if texts is not None else [q for q, _ in builtin()]), limit)
    prove_models(config, ("vad", *roles, "tts"))
    progress.begin("speaking the questions", 0.0)
    questions = list(synthesized(wanted, steady_voice(config), detector(config)))
    if not questions:
        raise UsageError("none of the questions has words to be spoken", remedy="write sentences")
    return questions


def steady_voice(config: Config) -> Synthesizer:
    """The configured voice without variation, so that two runs hear the same."""
    from edgevoice.engines.registry import load_chosen

    voice: Synthesizer = load_chosen("tts", replace(config, tts=replace(config.tts, variation=0.0)))
    return voice


def detector(config: Config) -> SpeechDetector:
    """The configured speech detector."""
    from edgevoice.engines.registry import load_chosen

    detector: SpeechDetector = load_chosen("vad", config)
    return detector

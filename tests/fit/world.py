"""A machine with some models of the catalog, and measurements by a script."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.errors import ModelError
from edgevoice.fit.candidates import ModelSet, Named, model_sets
from edgevoice.fit.record import Answers
from edgevoice.models.store import Store
from edgevoice.settings import Config, Models

GB = 10**9
USUAL = ("qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b", "whisper-base", "en_US-joe-medium")


def install(store: Store, *names: str) -> None:
    """Files of the right size, which hold nothing and take no disk."""
    for name in names:
        entry = store.catalog.get(name)
        for file in entry.files:
            path = store.file_path(entry, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.truncate(path, file.size)


def store_with(folder: Path, *names: str) -> Store:
    """A models folder with these models."""
    store = Store(Config(models=Models(folder=str(folder))))
    install(store, *names)
    return store


def sets_of(folder: Path, *names: str, named: Named | None = None) -> list[ModelSet]:
    """The sets of a folder with these models."""
    return model_sets(store_with(folder, *names), named or {})[0]


def answers(*times: float, asked: int = 0, memory: int = GB, dropped: bool = False) -> Answers:
    """What a set did: its response times, of so many questions."""
    return Answers(
        times=times, asked=asked or len(times), peak_rss=memory, dropped=dropped, spans={}
    )


@dataclass
class Scripted:
    """Measures by a script: the answers of each language model; one without any does not load."""

    script: Mapping[str, Answers]
    asked: list[str] = field(default_factory=list)

    def expected(self, one: ModelSet) -> float:
        """Seconds that a set takes, roughly."""
        return 30.0

    def __call__(self, one: ModelSet, progress: BenchProgress) -> Answers:
        self.asked.append(one.label)
        progress.done(10.0, "loaded")
        if one.slm.name not in self.script:
            raise ModelError(f"{one.slm.name} cannot be loaded", remedy="edgevoice models pull")
        return self.script[one.slm.name]


@dataclass
class Told:
    """Progress that is remembered."""

    lines: list[str] = field(default_factory=list)
    total: float = 0.0
    work: float = 0.0

    def begin(self, what: str, total: float) -> None:
        self.total = total

    def done(self, seconds: float, line: str) -> None:
        self.work += seconds
        self.lines.append(line)

    def say(self, line: str) -> None:
        self.lines.append(line)


def names(sets: Sequence[ModelSet]) -> list[tuple[str, str]]:
    """Language model and recognizer of each set."""
    return [(one.slm.name, one.stt.name) for one in sets]

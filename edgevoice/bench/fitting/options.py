"""The models that could run, whether they are here or not, and what can be measured of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from edgevoice.bench.fitting.record import Problem
from edgevoice.catalog import SHAPE, Entry, Role
from edgevoice.errors import ModelError, UsageError
from edgevoice.models import shapes
from edgevoice.models.shape_layout import weights_size
from edgevoice.models.shape_table import ARCHITECTURES, Architecture
from edgevoice.models.store import Store
from edgevoice.settings import Config
from edgevoice.transcription.spoken_language import listed

Voiced = Literal["stt", "slm", "tts"]
"""The roles that are chosen."""

SAME_SHAPE = {"phi-3.5-mini": "phi-3-mini"}
"""Models of the catalog with the dimensions of another one."""
ALIKE = 0.02
"""Recognizers whose sizes differ by less do the same work: for all languages or for one."""

_QUANTIZED = re.compile(r"(?i)(?:^|[-_. ])((?:i?q[2-8]|f16|bf16|f32)(?:_[a-z0-9]+)*)(?=$|[-_. ,])")


@dataclass(frozen=True, slots=True)
class Option:
    """One model. `path` is what can be measured: its own files or, if `of_shape`, those of its
    shape; None where nothing is here. `entry` is None of what is known as a shape alone.
    """

    name: str
    role: Voiced
    disk: int
    entry: Entry | None = None
    architecture: Architecture | None = None
    here: bool = False
    path: Path | None = None
    of_shape: bool = False

    @property
    def key(self) -> str:
        """The model that is measured in its place; empty where none can be."""
        if self.path and not self.of_shape:
            return self.name
        if self.architecture is None:
            return ""
        return self.architecture.model if self.path else self.architecture.name

    @property
    def weights(self) -> int:
        """Bytes of the file that holds its weights."""
        return self.entry.main.size if self.entry else self.disk

    @property
    def capability(self) -> tuple[int, int]:
        """What goes for more able: a hundredth of its bytes to the next whole one, then its rank in
        the catalog. Models of a size are ordered by those who made the catalog."""
        return round(self.weights / 1e7), self.entry.rank if self.entry else 0

    @property
    def quantization(self) -> str:
        """How its weights are stored, by its file's name or title; empty if they do not tell."""
        if self.role == "stt":
            return "int8"
        if self.entry is None:
            return "Q4_K_M"
        # The title first: a name such as `…-q4.gguf` tells less.
        for text in (self.entry.title, self.entry.main.name):
            if found := _QUANTIZED.search(text):
                return found[1].upper()
        return ""


def options(
    config: Config, named: Mapping[Voiced, Sequence[str]] | None = None
) -> tuple[dict[Voiced, list[Option]], list[Problem]]:
    """What could run in each role, and what is wrong with files that are here.

    `named` are the only ones wanted, where there are any. Raises UsageError for a name that is
    unknown or of another role.
    """
    store = Store(config)
    found: dict[Voiced, list[Option]] = {}
    problems: list[Problem] = []
    roles: tuple[Voiced, ...] = ("stt", "slm", "tts")
    for role in roles:
        wanted = list((named or {}).get(role, ()))
        if wanted:
            made = [_named(store, name, role) for name in dict.fromkeys(wanted)]
        else:
            made = _usual(store, role)
        found[role] = [looked_at(store, option, problems) for option in made]
    if not (named or {}).get("stt"):
        found["stt"] = _one_of_each_size(found["stt"])
    if not (named or {}).get("tts"):
        found["tts"] = sorted(found["tts"], key=lambda option: not option.here)[:1]
    return found, problems


def spare(config: Config) -> tuple[int, int, int, tuple[str, ...]]:
    """Memory and disk of the detectors that run beside the chosen models, bytes of them that are
    not here, and their names."""
    store = Store(config)
    memory = disk = fetch = 0
    missing: list[str] = []
    roles: tuple[Role, ...] = ("vad", "turn")
    for role in roles:
        ranked = store.ranked(role)
        if not ranked or getattr(config.models, role) == "none":
            continue
        entry = next((e for e in ranked if store.state(e) == "present"), ranked[0])
        memory, disk = memory + entry.ram, disk + entry.size
        if store.state(entry) != "present":
            fetch += entry.size
            missing.append(entry.name)
    return memory, disk, fetch, tuple(missing)


def _usual(store: Store, role: Voiced) -> list[Option]:
    if role == "tts" and store.config.models.tts:
        return [_named(store, store.config.models.tts, role)]
    entries = [entry for entry in store.ranked(role) if not entry.shape]
    if role == "tts" and (codes := listed(store.config.stt.language)):
        entries = [entry for entry in entries if entry.speaks(codes[0])] or entries
    return [_option(entry, role) for entry in entries]


def _named(store: Store, name: str, role: Voiced) -> Option:
    if name in store.catalog:
        entry = store.catalog.get(name)
        if entry.role != role:
            raise UsageError(
                f"{name} is a model for {entry.role}, not for {role}",
                where=f"--{role}",
                remedy=f"edgevoice models list shows those for {role}",
            )
        return _option(entry, role)
    if role == "slm" and name.removeprefix(SHAPE) in ARCHITECTURES:
        model = shapes.known(name)
        return Option(model.model, role, weights_size(model), architecture=model)
    try:
        store.catalog.get(name)
    except ModelError as error:
        raise UsageError(error.what, where=f"--{role}", remedy=error.remedy) from None
    raise AssertionError(name)


def _option(entry: Entry, role: Voiced) -> Option:
    short = entry.name.removeprefix(SHAPE)
    architecture = ARCHITECTURES.get(SAME_SHAPE.get(short, short)) if role == "slm" else None
    return Option(entry.name, role, entry.size, entry, architecture)


def looked_at(store: Store, option: Option, problems: list[Problem]) -> Option:
    """The same with what can be measured of it, if anything is here."""
    entry = option.entry
    if entry is not None and store.state(entry) in ("present", "damaged"):
        try:
            path = store.require(entry.name).path
            return replace(option, here=True, path=path)
        except ModelError as error:
            problems.append(Problem(about=entry.name, what=str(error.what), fix=error.remedy))
    if option.architecture is not None:
        name = option.architecture.model
        if name in store.catalog and store.state(store.catalog.get(name)) == "present":
            return replace(option, path=store.path(store.catalog.get(name)), of_shape=True)
    return option


def _one_of_each_size(found: list[Option]) -> list[Option]:
    """Of recognizers that do the same work, one that is here, or else the first."""
    kept: list[Option] = []
    for option in sorted(found, key=lambda each: not each.here):
        if not any(abs(option.disk - other.disk) < ALIKE * other.disk for other in kept):
            kept.append(option)
    return kept

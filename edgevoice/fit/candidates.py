"""The sets of models that can be measured here, the most capable first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from edgevoice.catalog import ROLE_NAMES, SHAPE, Entry
from edgevoice.errors import ModelError, UsageError
from edgevoice.events import Role
from edgevoice.fit.record import Problem
from edgevoice.models.shape_layout import weights_size
from edgevoice.models.shape_table import ARCHITECTURES, Architecture
from edgevoice.models.store import Store

Voiced = Literal["slm", "stt", "tts"]
"""The roles that are chosen."""

SAME_SHAPE = {"phi-3.5-mini": "phi-3-mini"}
"""Models of the catalog with the dimensions of another one."""

Named = Mapping[Voiced, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model of a role. `here` tells whether its own files are here. `architecture` is of the
    synthetic model that stands in for it otherwise. `entry` is None for a synthetic model whose
    real one is not in the catalog."""

    name: str
    disk: int
    entry: Entry | None = None
    architecture: Architecture | None = None
    here: bool = False

    @property
    def run_as(self) -> str:
        """The model that answers in the measurement."""
        return self.name if self.here or not self.architecture else self.architecture.model

    @property
    def capability(self) -> tuple[int, int]:
        """The larger model counts as more capable, in steps of 10 MB, then the higher rank."""
        size = self.entry.size if self.entry else self.disk
        return round(size / 1e7), self.entry.rank if self.entry else 0


@dataclass(frozen=True, slots=True)
class ModelSet:
    """A model for each role."""

    slm: Candidate
    stt: Candidate
    tts: Candidate

    @property
    def label(self) -> str:
        return f"{self.slm.name}, {self.stt.name}, {self.tts.name}"

    @property
    def disk(self) -> int:
        return self.slm.disk + self.stt.disk + self.tts.disk

    @property
    def fetch(self) -> int:
        """Bytes that must still be downloaded."""
        return 0 if self.slm.here else self.slm.disk

    @property
    def missing(self) -> tuple[str, ...]:
        """Models that must be downloaded before the set can be used."""
        return () if self.slm.here else (self.slm.name,)


def model_sets(
    store: Store, named: Named, synthetic: bool = False
) -> tuple[list[ModelSet], list[Problem]]:
    """Every set that can be measured, the most capable first, and what cannot be, with its remedy.

    Without `named` models: every language model and recognizer that is here, and the voice that
    would run. A language model that is not here counts if its synthetic model is, or with
    `synthetic` if one can be made. Raises UsageError for an unknown name and ModelError if no set
    is complete.
    """
    problems: list[Problem] = []
    language_models = _language_models(store, named.get("slm", ()), synthetic, problems)
    recognizers = _present(store, "stt", named.get("stt", ()), problems)
    voices = _present(store, "tts", named.get("tts", ()), problems)
    if not named.get("tts"):
        voices = voices[:1]
    lists: dict[Role, list[Candidate]] = {
        "slm": language_models, "stt": recognizers, "tts": voices,
    }  # fmt: skip
    for role, found in lists.items():
        if not found:
            raise _nothing(store, role, problems)
    language_models.sort(key=lambda each: each.capability, reverse=True)
    recognizers.sort(key=lambda each: each.capability, reverse=True)
    sets = [
        ModelSet(slm, stt, tts) for slm in language_models for stt in recognizers for tts in voices
    ]
    return sets, problems


def _nothing(store: Store, role: Role, problems: Sequence[Problem]) -> ModelError:
    if problems:
        return ModelError(problems[0].what, where=problems[0].about, remedy=problems[0].fix)
    return ModelError(
        f"no model of the kind {ROLE_NAMES[role]} is installed",
        where=str(store.folder),
        remedy=f"edgevoice models pull {store.starter_of(role)}",
    )


def _present(
    store: Store, role: Role, names: Sequence[str], problems: list[Problem]
) -> list[Candidate]:
    configured = getattr(store.config.models, role)
    if not names and role == "tts" and configured:
        names = [configured]
    entries = [_entry(store, name, role) for name in dict.fromkeys(names)]
    found = []
    for entry in entries or store.ranked(role):
        if store.state(entry) == "present":
            found.append(Candidate(entry.name, entry.size, entry, here=True))
        elif entries:
            problems.append(Problem(about=entry.name, what="it is not here", fix=entry.mend))
    return found


def _language_models(
    store: Store, names: Sequence[str], synthetic: bool, problems: list[Problem]
) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    usual = [entry.name for entry in store.ranked("slm") if not entry.shape]
    for name in dict.fromkeys(names or usual):
        one = _language_model(store, name)
        if one.here or (one.architecture and (synthetic or _is_made(store, one.architecture))):
            # Two models with the same dimensions cost the same: the first one is enough.
            found.setdefault(one.run_as, one)
        elif names:
            fix = one.entry.mend if one.entry else ""
            if one.architecture:
                fix = f"edgevoice fit --synthetic{f', or {fix}' if fix else ''}"
            problems.append(Problem(about=one.name, what="it is not here", fix=fix))
    return list(found.values())


def _language_model(store: Store, name: str) -> Candidate:
    short = name.removeprefix(SHAPE)
    model = ARCHITECTURES.get(SAME_SHAPE.get(short, short))
    if model and model.whole:
        raise UsageError(
            f"{name} cannot be measured whole: {model.title}",
            where="--slm",
            remedy=f"edgevoice bench shape {short}, then edgevoice models why {model.model}",
        )
    if model and short not in store.catalog:
        return Candidate(short, weights_size(model), None, model)
    entry = _entry(store, short if short in store.catalog else name, "slm")
    here = store.state(entry) == "present"
    return Candidate(entry.name, entry.size, entry, model, here)


def _is_made(store: Store, model: Architecture) -> bool:
    return model.model in store.catalog and store.find(model.model) is not None


def _entry(store: Store, name: str, role: Role) -> Entry:
    try:
        entry = store.catalog.get(name)
    except ModelError as error:
        raise UsageError(error.what, where=f"--{role}", remedy=error.remedy) from None
    if entry.role != role:
        raise UsageError(
            f"{name} is a model for {entry.role}, not for {role}",
            where=f"--{role}",
            remedy=f"edgevoice models list shows those for {role}",
        )
    return entry

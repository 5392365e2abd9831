"""The matrix of a sweep: what is varied, and every combination of its values."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgevoice.errors import ConfigError, UsageError

MODEL_AXES = {
    "slm": "models.slm",
    "llm": "models.slm",
    "stt": "models.stt",
    "tts": "models.tts",
    "voice": "models.tts",
    "vad": "models.vad",
    "turn": "models.turn",
}
"""Short names of the models' settings in a sweep."""
SECTION_ALIASES = {"llm": "slm", "voice": "tts"}
"""Other names of sections: `llm.threads` is slm.threads."""
SWEEP_REMEDY = "as in --sweep slm=qwen2.5-coder-0.5b,phi-3-mini --sweep slm.threads=1,2"


@dataclass(frozen=True, slots=True)
class SweepAxis:
    """A setting that is varied: `name` as it was given, `key` as `section.key`."""

    name: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Combination:
    """One combination: values by the axes' names and by the settings' keys."""

    values: Mapping[str, str]
    settings: Mapping[str, str]

    @property
    def label(self) -> str:
        """For example `slm=a slm.threads=2`."""
        return " ".join(f"{name}={value}" for name, value in self.values.items())


def axes(given: Sequence[str], known: Collection[str]) -> list[SweepAxis]:
    """The axes given as `KEY=V1,V2`. Raises UsageError for what cannot be read, and ConfigError for
    a key that is not `known`."""
    found: list[SweepAxis] = []
    for text in given:
        name, equals, rest = (part.strip() for part in text.partition("="))
        values = tuple(dict.fromkeys(value.strip() for value in rest.split(",")))
        key = setting(name)
        if not equals or not name or not all(values):
            what, remedy = f"--sweep takes KEY=VALUE,VALUE…, not {text!r}", SWEEP_REMEDY
            raise UsageError(what, where="--sweep", remedy=remedy)
        if any(axis.key == key for axis in found):
            remedy = f"give all its values at once: --sweep {name}=…,…"
            raise UsageError(f"{key} is varied twice", where="--sweep", remedy=remedy)
        if key not in known:
            near = difflib.get_close_matches(key, [*MODEL_AXES, *known], 1, 0.5)
            remedy = f"did you mean {near[0]}?" if near else "see `edgevoice config show`"
            raise ConfigError(f"unknown setting {name}", where="--sweep", remedy=remedy)
        found.append(SweepAxis(name, key, values))
    return found


def setting(name: str) -> str:
    """The `section.key` that is called `name` in a sweep."""
    section, point, key = name.partition(".")
    return MODEL_AXES.get(name) or f"{SECTION_ALIASES.get(section, section)}{point}{key}"


def cells(given: Sequence[SweepAxis]) -> Iterator[Combination]:
    """Every combination, the values of the last axis next to each other."""
    names, keys = [axis.name for axis in given], [axis.key for axis in given]
    for values in itertools.product(*(axis.values for axis in given)):
        yield Combination(
            dict(zip(names, values, strict=True)), dict(zip(keys, values, strict=True))
        )

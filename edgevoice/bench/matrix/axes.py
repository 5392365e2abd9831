"""The matrix of a sweep: what is varied, and every combination of its values."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgevoice.errors import ConfigError, EdgevoiceError, UsageError

MODELS = {
    "slm": "models.slm",
    "llm": "models.slm",
    "stt": "models.stt",
    "tts": "models.tts",
    "voice": "models.tts",
    "vad": "models.vad",
    "turn": "models.turn",
}
"""What a model's role may be called in a sweep, and the setting that it is."""

SECTIONS = {"llm": "slm", "voice": "tts"}
"""Other names of sections: `llm.threads` is slm.threads."""

REMEDY = "as in --sweep slm=qwen2.5-coder-0.5b,phi-3-mini --sweep slm.threads=1,2"


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
        """What it is called, as `slm=a slm.threads=2`."""
        return " ".join(f"{name}={value}" for name, value in self.values.items())


def axes(
    given: Sequence[str], known: Collection[str]
) -> tuple[list[SweepAxis], list[EdgevoiceError]]:
    """The axes that were given as `KEY=V1,V2`, and what is wrong with those whose key is none of
    the settings that are `known`. Raises UsageError for what cannot be read at all."""
    found: list[SweepAxis] = []
    problems: list[EdgevoiceError] = []
    for text in given:
        name, equals, rest = (part.strip() for part in text.partition("="))
        values = tuple(dict.fromkeys(value.strip() for value in rest.split(",")))
        if not equals or not name or not all(values):
            raise UsageError(
                f"--sweep takes KEY=VALUE,VALUE…, not {text!r}", where="--sweep", remedy=REMEDY
            )
        key = setting(name)
        if key not in known:
            problems.append(_unknown(name, key, known))
        elif any(axis.key == key for axis in found):
            raise UsageError(
                f"{key} is varied twice",
                where="--sweep",
                remedy=f"give all its values at once: --sweep {name}=…,…",
            )
        else:
            found.append(SweepAxis(name, key, values))
    return found, problems


def setting(name: str) -> str:
    """The `section.key` that is called `name` in a sweep."""
    if name in MODELS:
        return MODELS[name]
    section, point, key = name.partition(".")
    return f"{SECTIONS.get(section, section)}{point}{key}"


def cells(given: Sequence[SweepAxis]) -> Iterator[Combination]:
    """Every combination, the values of the last axis next to each other."""
    for values in itertools.product(*(axis.values for axis in given)):
        pairs = list(zip(given, values, strict=True))
        yield Combination(
            {axis.name: value for axis, value in pairs}, {axis.key: value for axis, value in pairs}
        )


def _unknown(name: str, key: str, known: Collection[str]) -> ConfigError:
    names = [*MODELS, *known]
    near = difflib.get_close_matches(key, names, 1, 0.5)
    remedy = f"did you mean {near[0]}?" if near else "edgevoice config show lists every setting"
    return ConfigError(f"unknown setting {name}: not varied", where="--sweep", remedy=remedy)

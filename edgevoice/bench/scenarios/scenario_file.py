"""Reads scenario files. An error names the field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from msgspec.structs import replace

from edgevoice.bench.driver.run_state import changed
from edgevoice.bench.scenarios.noises import Noise
from edgevoice.bench.scenarios.scenario import (
    FORMAT,
    SOURCES,
    VERSION,
    After,
    KeyPress,
    Scenario,
    StepEffect,
)
from edgevoice.config import default, keys
from edgevoice.errors import ConfigError
from edgevoice.outside import Malformed, converted, from_toml, read_text
from edgevoice.settings import Config

SHIPPED = Path(__file__).parent / "files"

ALLOWED = {
    "noise": get_args(Noise),
    "after": get_args(After),
    "part": get_args(StepEffect),
    "press": get_args(KeyPress),
}
"""The values of a key that takes only some words."""


def listed(named: Sequence[Path]) -> list[Path]:
    """The scenario files in these files and folders; without any, those that ship.

    Raises ConfigError if one does not exist.
    """
    found: list[Path] = []
    for path in named or (SHIPPED,):
        shipped = SHIPPED / f"{path}.toml"
        inside = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        if not path.exists():
            inside = [shipped] if shipped.is_file() else []
        if not inside:
            names = ", ".join(file.stem for file in sorted(SHIPPED.glob("*.toml")))
            raise ConfigError(
                "no scenario in it" if path.is_dir() else "no such scenario",
                where=str(path),
                remedy=f"name a file, a folder with files, or one of: {names}",
            )
        found += inside
    return found


def read(path: Path) -> Scenario:
    """The scenario in a file. Raises ConfigError with the file and the field."""
    try:
        text = read_text(path)
    except (OSError, Malformed) as error:
        raise ConfigError(
            f"the scenario cannot be read: {error}", where=str(path), remedy="check the path"
        ) from None
    return parsed(text, path)


def parsed(text: str, path: Path) -> Scenario:
    """The scenario in `text`, which is the content of `path`. Raises ConfigError."""

    def wrong(what: str, remedy: str = "docs/reference/formats.md has every field") -> ConfigError:
        return ConfigError(what, where=str(path), remedy=remedy)

    try:
        data = from_toml(text)
    except Malformed as error:
        raise wrong(f"not valid TOML: {error}") from None
    version = data.get("version")
    if data.get("format") != FORMAT or not isinstance(version, int):
        start = f'start it with: format = "{FORMAT}" and version = {VERSION}'
        raise wrong("not a scenario", start)
    if version > VERSION:
        what = f"of version {version} of the format; this program reads {VERSION}"
        raise wrong(what, "update edgevoice")
    try:
        made = converted(data, Scenario)
    except Malformed as error:
        what = str(error)
        allowed = ALLOWED.get(str(error.place[-1])) if error.place else None
        raise wrong(f"{what}; one of {', '.join(allowed)}" if allowed else what) from None
    for what in _contradictions(made):
        raise wrong(what)
    return made if made.name else replace(made, name=path.stem)


def _contradictions(scenario: Scenario) -> Iterator[str]:
    """What each field allows, but not together, with its place."""
    if sum(bool(s) for s in (scenario.room.noise, scenario.room.file, scenario.room.corpus)) > 1:
        yield "room has more than one of noise, file and corpus"
    for number, step in enumerate(scenario.step):
        place = f"step[{number}]"
        has = [name for name in SOURCES if getattr(step, name) not in ("", None)]
        if len(has) != 1:
            given = " and ".join(has) or "none"
            yield f"{place} needs one of {', '.join(SOURCES)}; has {given}"
        if (step.words or step.fraction) and step.after != "reply":
            yield f'{place}.{"words" if step.words else "fraction"} goes with after = "reply"'
        last = number + 1 == len(scenario.step)
        if step.role == "begun" and (last or scenario.step[number + 1].role == "nothing"):
            yield f"{place} is begun, and no step after it goes on"
        if number == 0 and step.after == "step":
            yield f"{place}.after: there is no step before the first"
    for key, value in scenario.changes.items():
        if key not in keys():
            yield f"settings.{key}: there is no such setting"
            continue
        try:
            changed(Config(), {key: value})
        except ConfigError:
            yield f"settings.{key} cannot be {value!r}; the default is {default(key)!r}"
    if not scenario.step and not scenario.listen:
        yield "there is nothing to do: no step, and no `listen`"

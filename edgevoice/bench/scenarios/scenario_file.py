"""Scenario files, read: whatever is wrong with one is told with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from msgspec.structs import replace

from edgevoice.bench.driver.run_state import changed
from edgevoice.bench.scenarios.noises import Noise
from edgevoice.bench.scenarios.scenario import FORMAT, SOURCES, VERSION, After, Key, Part, Scenario
from edgevoice.config import default, keys
from edgevoice.errors import ConfigError
from edgevoice.outside import Malformed, converted, from_toml, read_text
from edgevoice.settings import Config

SHIPPED = Path(__file__).parent / "files"
"""Those that come with the program."""

ALLOWED = {
    "noise": get_args(Noise),
    "after": get_args(After),
    "part": get_args(Part),
    "press": get_args(Key),
}
"""The words that a key may have for its value."""


def listed(named: Sequence[Path]) -> list[Path]:
    """The scenario files of what was named, files and folders; of nothing, those that ship.

    Raises ConfigError where there is none.
    """
    found: list[Path] = []
    for path in named or (SHIPPED,):
        shipped = SHIPPED / f"{path}.toml"
        if path.is_dir():
            inside = sorted(path.glob("*.toml"))
            if not inside:
                raise ConfigError(
                    "there is no scenario in it",
                    where=str(path),
                    remedy="docs/scenarios.md tells how",
                )
            found += inside
        elif not path.exists() and shipped.is_file():
            found.append(shipped)
        elif not path.exists():
            names = ", ".join(file.stem for file in sorted(SHIPPED.glob("*.toml")))
            raise ConfigError(
                "no such scenario", where=str(path), remedy=f"a file, a folder, or one of: {names}"
            )
        else:
            found.append(path)
    return found


def read(path: Path) -> Scenario:
    """The scenario of a file. Raises ConfigError that names the file and the line."""
    try:
        text = read_text(path)
    except (OSError, Malformed) as error:
        raise ConfigError(
            f"the scenario cannot be read: {error}", where=str(path), remedy="check the path"
        ) from None
    return parsed(text, path)


def parsed(text: str, path: Path) -> Scenario:
    """The same from its text; `path` is where that came from."""
    try:
        data = from_toml(text)
    except Malformed as error:
        found = re.search(r"\(at (line \d+)", str(error))
        where = f"{path}, {found[1]}" if found else str(path)
        raise ConfigError(
            f"not valid TOML: {str(error).split(' (at')[0]}",
            where=where,
            remedy="docs/scenarios.md shows the format",
        ) from None
    version = data.get("version")
    if data.get("format") != FORMAT or not isinstance(version, int):
        raise ConfigError(
            "not a scenario", where=str(path),
            remedy=f'begin it with: format = "{FORMAT}" and version = {VERSION}',
        )  # fmt: skip
    if version > VERSION:
        raise ConfigError(
            f"of version {version} of the format, and this program reads {VERSION}",
            where=f"{path}, line {line_of(text, ('version',))}",
            remedy="update edgevoice",
        )
    try:
        made = converted(data, Scenario)
    except Malformed as error:
        at, what = error.place, str(error)
        if " cannot be " in what and (allowed := ALLOWED.get(str(at[-1]) if at else "")):
            what = f"{what}; one of {', '.join(allowed)}"
        raise _wrong(what, text, path, at) from None
    if not made.name:
        made = replace(made, name=path.stem)
    for at, what in _senseless(made):
        name = ".".join(str(part) for part in at if isinstance(part, str)) or "scenario"
        raise _wrong(f"{name}: {what}", text, path, at)
    return made


def _wrong(what: str, text: str, path: Path, at: Sequence[str | int]) -> ConfigError:
    return ConfigError(
        what,
        where=f"{path}, line {line_of(text, at)}",
        remedy="docs/reference/formats.md has every field",
    )


def _senseless(scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What each field allows and the whole does not, with its place."""
    if sum(bool(s) for s in (scenario.room.noise, scenario.room.file, scenario.room.corpus)) > 1:
        yield ("room", "noise"), "has more than one of noise, file and corpus"
    for number, step in enumerate(scenario.step):
        has = [name for name in SOURCES if getattr(step, name) not in ("", None)]
        if len(has) != 1:
            told = " and ".join(has) or "none"
            yield ("step", number), f"needs one of {', '.join(SOURCES)}; has {told}"
        if (step.words or step.fraction) and step.after != "reply":
            key = "words" if step.words else "fraction"
            yield ("step", number, key), 'goes with after = "reply"'
        last = number + 1 == len(scenario.step)
        if step.role == "begun" and (last or scenario.step[number + 1].role == "nothing"):
            yield ("step", number, "part"), "is begun, and no step after it goes on"
        if number == 0 and step.after == "step":
            yield ("step", number, "after"), "there is no step before the first"
    for key, value in scenario.changes.items():
        at = ("settings", *key.split(".", 1))
        if key not in keys():
            yield at, "there is no such setting"
            continue
        try:
            changed(Config(), {key: value})
        except ConfigError:
            yield at, f"cannot be {value!r}; the default is {default(key)!r}"
    if not scenario.step and not scenario.listen:
        yield ("step",), "there is nothing to do: no step, and nothing to listen for"


def line_of(text: str, at: Sequence[str | int]) -> int:
    """The line (from 1) of a table or key; of its table where the key is not to be found."""
    names = [part for part in at if isinstance(part, str)]
    number = at[1] if len(at) > 1 and isinstance(at[1], int) else 0
    inside, seen, best = "", -1, 1
    for count, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            inside = header[1]
            seen = seen + 1 if inside == (names[0] if names else "") else seen
            if names[:1] == [inside] and seen == number:
                best = count
            if ".".join(names) == inside:
                return count
        elif (
            (key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*[=.]", line))
            and names[-1:] == [key[1]]
            and inside == ".".join(names[:-1])
            and seen in (-1, number)
        ):
            return count
    return best

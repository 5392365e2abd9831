"""Read the configuration: defaults, TOML file, EDGEVOICE_* variables, flags; the last one wins.

A setting is `section.key`: in the file `key` under `[section]`, in the environment
`EDGEVOICE_SECTION_KEY`, on the command line its own flag or `--set section.key=value`.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from edgevoice.compatibility import SECTIONS, SETTINGS
from edgevoice.encoding import well_formed
from edgevoice.errors import ConfigError
from edgevoice.outside import Malformed, TooLarge, check_numbers, from_toml, in_words, read_text
from edgevoice.places import expanded, user_folder
from edgevoice.profiles import PROFILES
from edgevoice.settings import Config

PREFIX = "EDGEVOICE_"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A configuration, and the origin of each `section.key`."""

    config: Config
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    """One sentence about everything that was ignored."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """The old names that were used, and their present names."""


@lru_cache(maxsize=1)
def sections() -> Mapping[str, type[Struct]]:
    """The sections by name, in the order they are shown."""
    return {f.name: f.type for f in msgspec.structs.fields(Config) if f.name != "engines"}


@lru_cache(maxsize=1)
def _types() -> Mapping[str, Any]:
    """The type of each setting, by `section.key`; cached, because reading types is slow."""
    return {
        f"{section}.{f.name}": f.type
        for section, type_ in sections().items()
        for f in msgspec.structs.fields(type_)
    }


def keys() -> Iterator[str]:
    """Every `section.key`."""
    return iter(_types())


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The configuration file: `$EDGEVOICE_CONFIG`, or config.toml in the configuration folder."""
    if named := environ.get(PREFIX + "CONFIG"):
        return expanded(named)
    return user_folder("config") / "config.toml"


def load(
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    flags: Mapping[str, str] | None = None,
    profile: str = "",
) -> Resolved:
    """Resolve the configuration; `flags` maps `section.key` to text.

    `profile`, or else $EDGEVOICE_PROFILE, names settings that all others override. `path` names a
    file that must exist; without it the user's file is read if it exists. Raises ConfigError with
    the file and line, variable or flag, and the most similar key.
    """
    values: dict[str, dict[str, Any]] = {section: {} for section in (*sections(), "engines")}
    origins = dict.fromkeys(keys(), "default")
    if path is not None and not path.exists():
        raise ConfigError(
            "no such configuration file", where=str(path), remedy="edgevoice config init"
        )
    file = path or config_path(environ)
    variables, ignored = _from_environ(environ)
    layers = [
        _from_profile(profile or environ.get(PREFIX + "PROFILE", "").strip()),
        _from_file(file) if file.exists() else [],
        variables,
        [(key, text, f"--set {key}") for key, text in (flags or {}).items()],
    ]
    renamed = {}
    for layer in layers:
        # Old names first, so that a new name in the same place wins.
        for given, value, origin in sorted(layer, key=lambda each: each[0] not in SETTINGS):
            key = SETTINGS.get(given, given)
            if key != given:
                renamed[_named(given, origin)] = _named(key, origin)
            section, _, name = key.partition(".")
            type_ = _types().get(key) or _types_of_engine(section).get(name)
            if type_ is None:
                raise _unknown(key, origin)
            place = values if section in sections() else values["engines"]
            place.setdefault(section, {})[name] = _typed(key, type_, value, origin)
            origins[key] = origin
    warnings = (_ignoring(ignored),) if ignored else ()
    return Resolved(msgspec.convert(values, Config), origins, warnings, renamed)


def _from_profile(name: str) -> list[tuple[str, Any, str]]:
    if not name:
        return []
    if name not in PROFILES:
        raise ConfigError(
            f"unknown profile {name!r}", remedy=f"choose one of: {', '.join(PROFILES)}"
        )
    return [(key, value, f"--profile {name}") for key, value in PROFILES[name].items()]


def _variable(key: str) -> str:
    """The environment variable of `section.key`."""
    return PREFIX + key.replace(".", "_").upper()


def _named(key: str, origin: str) -> str:
    """The name of a setting as the user wrote it, for example the name of a variable."""
    return _variable(key) if origin.startswith(PREFIX) else key


def _ignoring(variables: list[str]) -> str:
    """A warning about variables of other programs."""
    if len(variables) == 1:
        return f"{variables[0]} is ignored: there is no such setting"
    return f"{', '.join(sorted(variables))} are ignored: there are no such settings"


def _unknown(key: str, where: str) -> ConfigError:
    known = list(keys())
    near = difflib.get_close_matches(key, known, 1, 0.5) or [
        k for k in known if k.split(".")[1] == key.split(".")[-1]
    ]
    remedy = f"did you mean {near[0]}?" if near else "edgevoice config show lists every setting"
    return ConfigError(f"unknown setting {key}", where=where, remedy=remedy)


def _types_of_engine(section: str) -> Mapping[str, Any]:
    """The types of the settings in the section of another package's engine, by their names."""
    from edgevoice.engines.registry import settings_of

    if section in sections() or (settings := settings_of(section)) is None:
        return {}
    return {f.name: f.type for f in msgspec.structs.fields(settings)}


def _typed(key: str, type_: Any, value: Any, origin: str) -> Any:
    """`value` checked (text from variables and flags is converted) against the key's own type."""
    from_text = not origin.startswith("file ")
    try:
        if from_text and get_origin(type_) in (Mapping, tuple):
            value = from_toml(f"given = {value}")["given"]
        typed = msgspec.convert(value, type_, strict=not from_text)
        check_numbers(typed)
        return typed
    except (msgspec.ValidationError, Malformed, UnicodeEncodeError) as error:
        text = ", not text" if from_text else ""  # variables and flags are always text
        unreadable = isinstance(error, UnicodeEncodeError)
        reason = "not UTF-8" if unreadable else in_words(str(error)).removesuffix(text)
        allowed = "" if unreadable else _allowed(type_)
        why = "" if allowed else f": {reason}"
        raise ConfigError(
            f"{key} cannot be {_short(value)}{why}",
            where=origin,
            remedy=allowed or _remedy(key),
        ) from None


def _remedy(key: str) -> str:
    """What to do about an invalid value."""
    return (
        f"the default is {default(key)!r}"
        if key in _types()
        else "remove it to use the engine's default"
    )


def _short(value: Any) -> str:
    """The value for an error message, at most 200 characters."""
    text = repr(well_formed(value) if isinstance(value, str) else value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _allowed(type_: Any) -> str:
    """A remedy with the valid values of a setting; empty if its type does not list them."""
    values = get_args(type_) if get_origin(type_) is Literal else ()
    return f"choose one of: {', '.join(map(repr, values))}" if values else ""


def text_of(value: Any) -> str:
    """A setting's value as a variable or `--set` takes it: tables and lists in TOML."""
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False)
    if not isinstance(value, Mapping):
        return str(value)
    pairs = (f"{json.dumps(name)} = {json.dumps(text)}" for name, text in value.items())
    return f"{{{', '.join(pairs)}}}"


def default(key: str) -> Any:
    """The default of `section.key`."""
    section, name = key.split(".", 1)
    return getattr(getattr(Config(), section), name)


def file_text(path: Path) -> str:
    """The text of a configuration file. Raises ConfigError if it is not UTF-8, and OSError."""
    not_text = ConfigError(
        "the file is not UTF-8 text", where=str(path), remedy="save it as UTF-8 in your editor"
    )
    try:
        text = read_text(path)
    except TooLarge as error:
        raise ConfigError(
            f"the file is too large: {error}", where=str(path), remedy=f"edit or delete {path}"
        ) from None
    except Malformed:
        raise not_text from None
    if "\0" in text:  # UTF-16 without a byte order mark
        raise not_text
    return text


def _from_file(path: Path) -> list[tuple[str, Any, str]]:
    try:
        text = file_text(path)
        data = from_toml(text)
    except Malformed as error:
        raise ConfigError(
            f"not valid TOML: {error}", where=str(path), remedy=f"edit or delete {path}"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"the configuration cannot be read: {error.strerror}",
            where=str(path),
            remedy="name another file" if path.is_dir() else "check its permissions",
        ) from None
    found = []
    lines = _lines(text)
    for section, table in data.items():
        known = section in (*sections(), *SECTIONS) or _types_of_engine(section)
        if not isinstance(table, dict) or not known:
            where = f"file {path}, line {lines.get((section, None)) or lines.get(('', section), 1)}"
            if known:
                raise ConfigError(
                    f"{section} is a section, not a setting",
                    where=where,
                    remedy=f"write [{section}] and its settings below it",
                )
            near = difflib.get_close_matches(section, list(sections()), 1)
            remedy = f"did you mean [{near[0]}]?" if near else f"sections: {', '.join(sections())}"
            raise ConfigError(f"unknown section {section}", where=where, remedy=remedy)
        for name, value in table.items():
            where = f"file {path}, line {lines.get((section, name), 1)}"
            found.append((f"{section}.{name}", value, where))
    return found


def _lines(text: str) -> dict[tuple[str, str | None], int]:
    """The line number, from 1, of each section and key, which tomllib does not report.

    A section has the key None; a key before all sections has the section "".
    """
    found: dict[tuple[str, str | None], int] = {}
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\]]+)\]", line):
            inside = header[1].strip()
            found.setdefault((inside, None), number)
        elif key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*[=.]", line):
            found.setdefault((inside, key[1]), number)
    return found


def _from_environ(environ: Mapping[str, str]) -> tuple[list[tuple[str, Any, str]], list[str]]:
    """The settings in variables, and the ignored variables of other programs."""
    by_variable = {_variable(key): key for key in (*keys(), *SETTINGS)}
    found, ignored = [], []
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable in OTHER_VARIABLES or not text.strip():
            continue
        if variable in by_variable:
            found.append((by_variable[variable], text, variable))
        elif key := _key_of_engine(variable):
            found.append((key, text, variable))
        elif _of_a_platform(variable, text):
            ignored.append(variable)
        else:
            name = variable.removeprefix(PREFIX)
            names = [known.removeprefix(PREFIX) for known in (*by_variable, *OTHER_VARIABLES)]
            ours = name.split("_")[0].lower() in sections()
            near = difflib.get_close_matches(name, names, 1, 0.6 if ours else 0.8)
            if not near and not ours:
                ignored.append(variable)
                continue
            raise ConfigError(
                "unknown variable",
                where=variable,
                remedy=f"did you mean {PREFIX}{near[0]}?" if near else f"unset {variable}",
            )
    return found, ignored


def _key_of_engine(variable: str) -> str:
    """The setting of another package's engine that the variable means; empty if there is none."""
    from edgevoice.engines.registry import sections as of_engines

    for section in of_engines():
        if variable.startswith(_variable(f"{section}.")):
            return f"{section}.{variable.removeprefix(_variable(f'{section}.')).lower()}"
    return ""


def _of_a_platform(variable: str, text: str) -> bool:
    """Whether a container platform set the variable, for a service that is called edgevoice."""
    if re.search(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$", variable):
        return True
    return variable.endswith("_PORT") and "://" in text


OTHER_VARIABLES = {
    PREFIX + "CONFIG": "the configuration file",
    PREFIX + "PROFILE": "a profile, as with --profile",
}
"""Other variables with this prefix, and their meaning."""

"""The one configuration: defaults → TOML file → EDGEVOICE_* → flags, each value with its origin.

A setting is addressed as `section.key`, in the file as `key` under `[section]`, in the environment
as `EDGEVOICE_SECTION_KEY`, on the command line as its own flag or `--set section.key=value`.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from edgevoice.errors import ConfigError
from edgevoice.outside import Malformed, check_numbers, from_toml, in_words
from edgevoice.places import expanded, user_folder
from edgevoice.settings import Config

PREFIX = "EDGEVOICE_"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A configuration, and for each `section.key` where its value came from."""

    config: Config
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    """What was ignored, one sentence each."""


def sections() -> dict[str, type[Struct]]:
    """The sections by name, in the order they are shown."""
    return {f.name: f.type for f in msgspec.structs.fields(Config)}


def keys() -> Iterator[str]:
    """Every `section.key` there is."""
    for section, type_ in sections().items():
        for f in msgspec.structs.fields(type_):
            yield f"{section}.{f.name}"


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's file: `$EDGEVOICE_CONFIG`, or config.toml in the user's configuration folder."""
    if named := environ.get(PREFIX + "CONFIG"):
        return expanded(named)
    return user_folder("config") / "config.toml"


def load(
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    flags: Mapping[str, str] | None = None,
) -> Resolved:
    """Resolve the configuration; `flags` maps `section.key` to the text given.

    `path` names a file that must exist; without it the user's own file is read if there is one.
    Raises ConfigError naming the file and line, variable or flag at fault, and the nearest key.
    """
    values: dict[str, dict[str, Any]] = {section: {} for section in sections()}
    origins = dict.fromkeys(keys(), "default")
    if path is not None and not path.exists():
        raise ConfigError(
            "no such configuration file", where=str(path), remedy="edgevoice config init"
        )
    file = path or config_path(environ)
    variables, ignored = _from_environ(environ)
    layers = [
        _from_file(file) if file.exists() else [],
        variables,
        [(key, text, f"--set {key}") for key, text in (flags or {}).items()],
    ]
    for layer in layers:
        for key, value, origin in layer:
            if key not in origins:
                raise _unknown(key, origin)
            section, name = key.split(".", 1)
            values[section][name] = _typed(section, name, value, origin)
            origins[key] = origin
    warnings = (_ignoring(ignored),) if ignored else ()
    return Resolved(msgspec.convert(values, Config), origins, warnings)


def _ignoring(variables: list[str]) -> str:
    """One sentence about variables that other programs set."""
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


def _typed(section: str, name: str, value: Any, origin: str) -> Any:
    """`value` checked (text from variables and flags is converted) against the key's own type."""
    type_ = next(f.type for f in msgspec.structs.fields(sections()[section]) if f.name == name)
    from_text = not origin.startswith("file ")
    try:
        typed = msgspec.convert(value, type_, strict=not from_text)
        check_numbers(typed)
        return typed
    except (msgspec.ValidationError, Malformed) as error:
        text = ", not text" if from_text else ""  # what a variable or a flag always is
        why = "" if (allowed := _allowed(type_)) else f": {in_words(str(error)).removesuffix(text)}"
        raise ConfigError(
            f"{section}.{name} cannot be {value!r}{why}",
            where=origin,
            remedy=allowed or f"the default is {default(f'{section}.{name}')!r}",
        ) from None


def _allowed(type_: Any) -> str:
    """The values of a setting that takes one of a few."""
    values = get_args(type_) if get_origin(type_) is Literal else ()
    return f"choose one of: {', '.join(map(repr, values))}" if values else ""


def default(key: str) -> Any:
    """The default of `section.key`."""
    section, name = key.split(".", 1)
    return getattr(getattr(Config(), section), name)


def file_text(path: Path) -> str:
    """The text of a configuration file. Raises ConfigError where it is not UTF-8, or OSError."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # what UTF-16 without a mark is full of
        raise ConfigError(
            "the file is not UTF-8 text",
            where=str(path),
            remedy="save it as UTF-8 in your editor",
        )
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
    for section, table in data.items():
        if not isinstance(table, dict) or section not in sections():
            where = f"file {path}, line {_line(text, section, None)}"
            if section in sections():
                raise ConfigError(
                    f"{section} is a section, not a setting",
                    where=where,
                    remedy=f"write [{section}] and its settings below it",
                )
            near = difflib.get_close_matches(section, list(sections()), 1)
            remedy = f"did you mean [{near[0]}]?" if near else f"sections: {', '.join(sections())}"
            raise ConfigError(f"unknown section {section}", where=where, remedy=remedy)
        for name, value in table.items():
            line = _line(text, section, name)
            found.append((f"{section}.{name}", value, f"file {path}, line {line}"))
    return found


def _line(text: str, section: str, name: str | None) -> int:
    """The line (from 1) at which a section or one of its keys stands; tomllib does not tell."""
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            inside = header[1]
            if name is None and inside == section:
                return number
        elif re.match(rf"\s*[\"']?{re.escape(name or section)}[\"']?\s*[=.]", line) and inside == (
            section if name else ""
        ):
            return number
    return 1


def _from_environ(environ: Mapping[str, str]) -> tuple[list[tuple[str, Any, str]], list[str]]:
    """The settings in variables, and the variables that other programs mean something by."""
    by_variable = {PREFIX + key.replace(".", "_").upper(): key for key in keys()}
    found, ignored = [], []
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable in OTHER_VARIABLES or not text.strip():
            continue
        if variable in by_variable:
            found.append((by_variable[variable], text, variable))
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


def _of_a_platform(variable: str, text: str) -> bool:
    """Whether a container platform set it, as each does for a service that is called edgevoice."""
    if re.search(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$", variable):
        return True
    return variable.endswith("_PORT") and "://" in text


OTHER_VARIABLES = {PREFIX + "CONFIG": "the configuration file"}
"""Variables with our prefix that are not settings, and what they mean."""

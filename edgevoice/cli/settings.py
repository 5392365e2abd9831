"""`config`: show every setting with its origin, and write a configuration file."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from edgevoice.cli import Context, echo, echo_json, pass_context
from edgevoice.config import default, keys, sections
from edgevoice.errors import UsageError

VALUE_COLUMNS = 34
"""Width up to which values are padded, so that their origins are aligned."""


@click.group()
def config() -> None:
    """Show all settings, or write a configuration file."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@pass_context
def show(context: Context, as_json: bool) -> None:
    """Print every setting, its value, and its origin.

    The lines are valid TOML: you can copy them to the configuration file.
    """
    resolved = context.resolve()
    values = {key: _value(resolved.config, key) for key in keys()}
    for section, given in resolved.config.engines.items():
        values |= {f"{section}.{name}": value for name, value in given.items()}
    if as_json:
        import json

        both = {k: {"value": v, "origin": resolved.origins[k]} for k, v in values.items()}
        echo_json(json.dumps(both, indent=2, ensure_ascii=False))
        return
    width = max(map(len, values))
    for key, value in values.items():
        origin = resolved.origins[key]
        line = f"{key:{width}} = {_toml(value):{VALUE_COLUMNS}}"
        echo(line, nl=False, bold=origin != "default")
        echo(f"  # {origin}", dim=True)


@config.command()
@pass_context
def path(context: Context) -> None:
    """Print the path of the configuration file, even if it does not exist."""
    echo(str(context.path))


@config.command()
@click.option("--force", is_flag=True, help="Replace an existing file.")
@pass_context
def init(context: Context, force: bool) -> None:
    """Write a configuration file with all settings explained.

    It changes none of them.
    """
    from edgevoice.config_file import replace

    target = context.path
    if target.exists() and not force:
        raise UsageError(
            "the configuration file already exists",
            where=str(target),
            remedy="edit it, or replace it with edgevoice config init --force",
        )
    replace(target, template())
    echo(str(target))


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with its description; `bounds` is empty if every value of its type is valid."""

    key: str
    doc: str
    bounds: str
    default: Any


def explained() -> Iterator[Setting]:
    """Every setting, with its docstring in `edgevoice.settings`."""
    for section, type_ in sections().items():
        docs = field_docs(type_)
        for key in (k for k in keys() if k.startswith(f"{section}.")):
            name = key.split(".")[1]
            yield Setting(key, docs.get(name, ""), _bounds(type_, name), default(key))


def template() -> str:
    """The text of a configuration file that explains every setting and changes none."""
    lines = [
        "# The configuration of edgevoice, with the default of every setting. To change a setting,",
        "# remove the # before it and change the value. `edgevoice config show` prints the values",
        "# in use and their origins.",
    ]
    section = ""
    for setting in explained():
        if not setting.key.startswith(f"{section}."):
            section = setting.key.split(".")[0]
            doc = inspect.getdoc(sections()[section]) or ""
            lines += ["", f"# {doc}", f"[{section}]"]
        comment = " ".join(filter(None, (setting.doc, setting.bounds)))
        lines += textwrap.wrap(comment, 98, initial_indent="# ", subsequent_indent="# ")
        lines += [f"#{setting.key.split('.')[1]} = {_toml(setting.default)}", ""]
    return "\n".join(lines).replace("\n\n\n", "\n\n")


def field_docs(type_: type) -> dict[str, str]:
    """The docstring of each field, read from the source, because Python does not keep them."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(type_))).body
    assert isinstance(definition, ast.ClassDef)
    docs = {}
    for statement, after in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            docs[statement.target.id] = inspect.cleandoc(str(after.value.value)).replace("\n", " ")
    return docs


def _bounds(type_: type, name: str) -> str:
    """The valid values of a field in words; empty if its type does not limit them."""
    from msgspec import inspect as types

    info = types.type_info(type_)
    assert isinstance(info, types.StructType)
    kind = next(field.type for field in info.fields if field.name == name)
    if isinstance(kind, types.LiteralType):
        return f"One of: {', '.join(map(str, kind.values))}."
    if isinstance(kind, (types.IntType, types.FloatType)):
        low = kind.ge if kind.ge is not None else kind.gt
        high = kind.le if kind.le is not None else kind.lt
        if low is not None and high is not None:
            return f"{'Above' if kind.ge is None else 'From'} {low:g} to {high:g}."
    return ""


def _value(config: Any, key: str) -> Any:
    section, name = key.split(".")
    return getattr(getattr(config, section), name)


def _toml(value: Any) -> str:
    import tomlkit

    if isinstance(value, dict):
        table = tomlkit.inline_table()
        table.update(value)
        return str(table.as_string())
    return str(tomlkit.item(value).as_string())

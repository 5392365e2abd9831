"""Write docs/reference/*.md from the types and their docstrings; `--check` only compares."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import NODEFAULT, Struct
from msgspec import inspect as types

from edgevoice import events as ev
from edgevoice.bench.compare.compare import ComparisonResult
from edgevoice.bench.quality.quality import QualityResult
from edgevoice.bench.result.result import BenchResult
from edgevoice.bench.scenarios.result import ScenariosResult
from edgevoice.bench.scenarios.scenario import Scenario
from edgevoice.catalog import Catalog
from edgevoice.cli.settings import explained, field_docs
from edgevoice.config import sections
from edgevoice.fit.record import Fit
from edgevoice.languages import codes, language_data
from edgevoice.languages.schema import Language
from edgevoice.metrics.catalog import CATALOG
from edgevoice.models.disk import size_text
from edgevoice.models.shape_layout import weights_size
from edgevoice.models.shape_table import ARCHITECTURES
from edgevoice.recordings.recorded_turn import RecordedTurn
from edgevoice.tui.keys import KEYS

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "Generated from the code by `make docs`; edits here are lost.\n"

MODELS = FOLDER.parent / "models.md"
BEGIN, END = "<!-- models -->\n", "<!-- /models -->\n"
BASE = "refused: base model, no chat template"
REQUESTED = (
    ("Phi-3 mini", "phi-3-mini", "phi-3-mini", ""),
    ("Phi-3.5 mini", "phi-3.5-mini", "phi-3-mini", ""),
    ("Phi-4 mini", "phi-4-mini", "", ""),
    ("Mistral 7B v0.2", "mistral-7b", "mistral-7b", ""),
    ("Llama 3 8B", "", "llama-3-8b", "bartowski/Meta-Llama-3-8B-Instruct-GGUF"),
    ("Llama 2 7B chat", "", "llama-2-7b", "TheBloke/Llama-2-7B-Chat-GGUF"),
    ("Starling LM 7B", "", "starling-7b", "TheBloke/Starling-LM-7B-alpha-GGUF"),
    ("Gemma 7B", "", "gemma-7b", "a `.gguf`"),
    ("Falcon 2 11B", "", "", BASE),
    ("MiniCPM 2B", "", "minicpm-2b", "a `.gguf`"),
    ("Mixtral 8x7B", "", "mixtral-8x7b", "a `.gguf`"),
    ("BioMedLM 2.7B", "", "", BASE),
    ("3 B with LoRA", "llama-3.2-3b", "", "`slm.adapters`"),
)
"""Models of docs/models.md: title, name in the catalog, synthetic model, remark; in that order."""

FORMATS: dict[str, type[Struct]] = {
    "Result of the bench": BenchResult,
    "Comparison of two results": ComparisonResult,
    "Turn-taking scenario (TOML)": Scenario,
    "Result of turn-taking scenarios": ScenariosResult,
    "Result of `edgevoice bench quality`": QualityResult,
    "Recorded turn": RecordedTurn,
    "Result of `edgevoice fit`": Fit,
}

SCALARS: dict[type[types.Type], str] = {
    types.StrType: "string",
    types.IntType: "integer",
    types.FloatType: "number",
    types.BoolType: "boolean",
    types.NoneType: "null",
    types.AnyType: "any",
    types.RawType: "object",
}


def name_of(kind: types.Type) -> str:
    """The JSON name of the type; a struct links to its section."""
    if isinstance(kind, types.Metadata):
        return name_of(kind.type)
    if isinstance(kind, types.StructType):
        name = kind.cls.__name__
        return f"[{name}](#{name.lower()})"
    if isinstance(kind, types.LiteralType):
        return " or ".join(f"`{value}`" if value != "" else "empty" for value in kind.values)
    if isinstance(kind, types.UnionType):
        return " or ".join(map(name_of, kind.types))
    if isinstance(kind, types.DictType):
        return f"object of {inner(kind.value_type)}"
    if isinstance(kind, types.VarTupleType | types.ListType | types.FrozenSetType):
        return f"array of {inner(kind.item_type)}"
    if isinstance(kind, types.TupleType):
        return f"array of {', '.join(map(name_of, kind.item_types))}"
    return SCALARS[type(kind)]


def inner(kind: types.Type) -> str:
    """The type of the elements of an array or object."""
    name = name_of(kind)
    return f"({name})" if " or " in name else name


def structs_in(kind: types.Type) -> Iterator[type]:
    """The structs that a field refers to."""
    if isinstance(kind, types.StructType):
        yield kind.cls
    for part in (*getattr(kind, "types", ()), *getattr(kind, "item_types", ())):
        yield from structs_in(part)
    for attribute in ("type", "value_type", "item_type"):
        if isinstance(part := getattr(kind, attribute, None), types.Type):
            yield from structs_in(part)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [head, ("---",) * len(head), *escaped]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def described(cls: type) -> str:
    """The docstring of a struct."""
    own = cls.__dict__.get("__doc__") or ""
    return inspect.cleandoc(own) + "\n" if own else ""


def fields_of(cls: type, skip: tuple[str, ...] = (), defaults: bool = False) -> str:
    """The fields of a struct as a table, with a column of meanings where there are any."""
    info = types.type_info(cls)
    assert isinstance(info, types.StructType)
    own = [base for base in reversed(cls.__mro__) if inspect.get_annotations(base)]
    docs = {name: text for base in own for name, text in field_docs(base).items()}
    rows = []
    for field in info.fields:
        if field.name in skip:
            continue
        kind = name_of(field.type)
        if defaults and field.default not in (NODEFAULT, None, "", ()):
            kind += f", default {field.default}"
        rows.append((f"`{field.name}`", kind, docs.get(field.name, "")))
    if not rows:
        return ""
    if not any(row[2] for row in rows):
        return table(("Field", "Type"), [row[:2] for row in rows])
    return table(("Field", "Type", "Meaning"), rows)


def settings() -> str:
    parts = ["# Settings\n", NOTE, "How to set them: [settings](../configuration.md).\n"]
    for section, type_ in sections().items():
        rows = []
        for setting in explained():
            if setting.key.startswith(f"{section}."):
                value = setting.default if setting.default != () else []
                value = "the built-in prompt" if len(str(value)) > 60 else value
                shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
                text = " ".join(filter(None, (setting.doc, setting.bounds)))
                rows.append((f"`{setting.key}`", f"`{shown}`", text))
        head = ("Setting", "Default", "Meaning")
        parts.append(f"## {section}\n\n{inspect.getdoc(type_)}\n\n{table(head, rows)}")
    return "\n".join(parts)


def events() -> str:
    parts = ["# Events\n", NOTE, "Common fields and rules: [the trace](../trace.md).\n"]
    parts.append(f"Schema version {ev.SCHEMA}.\n")
    inside: dict[type, None] = {}
    for event in ev.AnyEvent.__args__:  # type: ignore[attr-defined]
        info: Any = types.type_info(event)
        parts += [f"## `{info.tag}`\n", described(event), fields_of(event, ("t", "seq"))]
        inside |= dict.fromkeys(found for f in info.fields for found in structs_in(f.type))
    for cls in inside:
        parts += [f"## {cls.__name__}\n", described(cls), fields_of(cls)]
    return "\n".join(filter(None, parts))


def formats() -> str:
    parts = ["# JSON formats\n", NOTE]
    parts.append("Times are seconds, sizes bytes. Ignore fields that you do not know.\n")
    done: set[type] = set()
    for title, root in FORMATS.items():
        parts.append(f"## {title}\n")
        waiting = [root]
        while waiting:
            cls = waiting.pop(0)
            if cls in done:
                continue
            done.add(cls)
            parts += [f"### {cls.__name__}\n", described(cls)]
            parts.append(fields_of(cls, defaults=root is Scenario))
            info: Any = types.type_info(cls)
            waiting += [found for field in info.fields for found in structs_in(field.type)]
    return "\n".join(filter(None, parts))


def metrics() -> str:
    head = ("Prometheus", "OpenTelemetry", "Kind", "Labels", "Meaning")
    rows = [
        (
            *(f"`{m.prometheus}`", f"`{m.name}`", m.kind),
            *(", ".join(f"`{label}`" for label in m.labels), m.help),
        )
        for m in CATALOG
    ]
    intro = "How to collect them, and the values of labels: [metrics](../metrics.md).\n"
    return "\n".join(["# Metrics\n", NOTE, intro, table(head, rows)])


def keys() -> str:
    rows = [(f"`{key.shown}`", key.meaning) for key in KEYS]
    rows.append(("`Ctrl-P`", "search all of these, and the themes"))
    intro = "What the screen shows: [the screen](../keys.md).\n"
    return "\n".join(["# Keys\n", NOTE, intro, table(("Key", "Meaning"), rows)])


def filled(value: Struct) -> tuple[int, int]:
    """How many fields of a struct, and of those in it, have a value; and how many there are."""
    counts = [
        filled(part) if isinstance(part, Struct) else (int(bool(part)), 1)
        for part in (getattr(value, name) for name in value.__struct_fields__)
    ]
    return sum(count for count, _ in counts), sum(most for _, most in counts)


def languages() -> str:
    parts = [name for name in Language.__struct_fields__ if name != "name"]
    head = ("Code", "Language", *(f"`{part}`" for part in parts))
    rows, bare = [], []
    for code in codes():
        language = language_data(code)
        values = [getattr(language, part) for part in parts]
        if not any(filled(v)[0] if isinstance(v, Struct) else v for v in values):
            bare.append(f"{language.name} (`{code}`)")
            continue
        cells = (
            (" of ".join(map(str, filled(v))) if filled(v)[0] else "")
            if isinstance(v, Struct)
            else ("yes" if v else "")
            for v in values
        )
        rows.append((f"`{code}`", language.name, *cells))
    fields = []
    waiting: list[type] = [Language]
    for cls in waiting:
        fields.append(f"## {cls.__name__}\n\n{described(cls)}\n{fields_of(cls)}")
        info: Any = types.type_info(cls)
        waiting += [found for field in info.fields for found in structs_in(field.type)]
    intro = "How languages are chosen: [languages](../activation.md#languages).\n"
    note = f"Only a name so far: {', '.join(bare)}.\n"
    return "\n".join(["# Languages\n", NOTE, intro, table(head, rows), note, *fields])


def models() -> str:
    """What there is of each requested model, from the catalog and the synthetic models."""
    catalog, rows = Catalog.load(own=Path("/nowhere")), []
    for title, name, shape, remark in REQUESTED:
        entry = catalog.get(name) if name else None
        how = f"`{name}`" if entry else remark
        if entry and remark:
            how += f" with {remark}"
        model = ARCHITECTURES.get(shape)
        measured = f"`{model.name}`, {size_text(weights_size(model))}" if model else ""
        if model and model.whole:
            measured += f": {model.blocks} of {model.whole} blocks, extrapolated"
        rows.append((title, how, measured))
    return table(("Model", "`models pull` or `add`", "`bench shape`"), rows)


PAGES = {
    f"{page.__name__}.md": page for page in (settings, events, formats, metrics, keys, languages)
}


def main() -> None:
    """Write every page, or with `--check` exit with an error if one is out of date."""
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        text = re.sub(r"\n{3,}", "\n\n", page()).rstrip() + "\n"
        path = FOLDER / name
        if "--check" not in sys.argv:
            path.write_text(text, "utf-8")
        elif not path.exists() or path.read_text("utf-8") != text:
            sys.exit(f"docs/reference/{name} is out of date: make docs")
    page = MODELS.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    text = f"{before}{BEGIN}{models()}{END}{rest.partition(END)[2]}"
    if "--check" not in sys.argv:
        MODELS.write_text(text, "utf-8")
    elif page != text:
        sys.exit("the table in docs/models.md is out of date: make docs")


if __name__ == "__main__":
    main()

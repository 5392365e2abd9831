"""Figures, sentences and tables as text of 80 columns, and as Markdown."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Collection, Iterable, Sequence

WIDTH = 80
MISSING = "not available"

Row = Sequence[str]


def counted(number: int, what: str) -> str:
    """`1 question`, `2 questions`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def ms(seconds: float, sign: str = "") -> str:
    """Whole milliseconds; `sign` is that of a format."""
    return f"{round(seconds * 1000):{sign}} ms"


def wrapped(text: str, first: str = "", later: str = "  ") -> list[str]:
    """A sentence in lines that fit, with `first` and `later` as their indents."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False
    )


def packed(parts: Iterable[str]) -> list[str]:
    """The parts with dots between them, in lines that break only there."""
    lines: list[str] = []
    for part in parts:
        if lines and len(longer := f"{lines[-1]} · {part}") <= WIDTH:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def paragraphs(parts: Iterable[Sequence[str]]) -> list[str]:
    """The lines of all parts that are not empty, with an empty line between two parts."""
    return [line for part in parts if part for line in ("", *part)][1:]


def table(heads: Row, rows: Iterable[Row], words: Collection[int] = (0,)) -> list[str]:
    """A table of at most 80 columns; `words` are the columns aligned left, which may wrap."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column, head in enumerate(heads):
        left = column in words
        drawn.add_column(
            Text(head), justify="left" if left else "right", no_wrap=not left, overflow="fold"
        )
    for row in rows:
        drawn.add_row(*map(Text, row))
    console = Console(width=WIDTH, file=io.StringIO(), color_system=None, legacy_windows=False)
    with console.capture() as text:
        console.print(drawn)
    return [line.rstrip() for line in text.get().splitlines()]


def markdown_table(heads: Row, rows: Iterable[Row], words: Collection[int] = (0,)) -> list[str]:
    """The same in Markdown. Cells are text, and are escaped."""
    rules = ["---" if column in words else "---:" for column in range(len(heads))]
    lines = [list(map(escaped, heads)), rules, *(list(map(escaped, row)) for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def escaped(text: str) -> str:
    """Text in one line, without meaning for Markdown."""
    return " ".join("".join(f"\\{c}" if c in "\\|*_`<>[]#" else c for c in text).split())

"""How figures and sentences are written in a terminal of 80 columns and in Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 80
MISSING = "not available"


def counted(number: int, what: str) -> str:
    """`1 question`, `2 questions`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def ms(seconds: float, sign: str = "") -> str:
    """Whole milliseconds; `sign` is that of a format."""
    return f"{round(seconds * 1000):{sign}} ms"


def wrapped(text: str, first: str = "", later: str = "  ") -> list[str]:
    """A sentence in lines that fit a terminal, the `first` and `later` ones set in by that."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False
    )


def packed(parts: Sequence[str]) -> list[str]:
    """The parts with dots between them, broken into lines only there."""
    lines = list(parts[:1])
    for part in parts[1:]:
        longer = f"{lines[-1]} · {part}"
        if len(longer) <= WIDTH:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in Markdown; cells are text, and stay so."""
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(map(escaped, line))} |" for line in lines]


def escaped(text: str) -> str:
    """Names of files and questions in one line, as they are whatever Markdown makes of them."""
    return " ".join("".join(f"\\{c}" if c in "\\|*_`<>[]#" else c for c in text).split())

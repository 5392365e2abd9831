"""Tables for a terminal of 80 columns."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from edgevoice.bench.result.wording import WIDTH


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table whose first column is left-aligned and wraps, and the others neither."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for number, head in enumerate(heads):
        side = "right" if number else "left"
        drawn.add_column(Text(head), justify=side, no_wrap=bool(number))  # type: ignore[arg-type]
    for row in rows:
        drawn.add_row(*map(Text, row))
    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None, legacy_windows=False).print(drawn)
    return [line.rstrip() for line in out.getvalue().splitlines()]

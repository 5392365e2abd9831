"""The waterfall of a turn, and the response times of the last turns."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from edgevoice.scene import Scene
from edgevoice.timings import TurnTimings
from edgevoice.waterfall import (
    HIDDEN,
    MEANING,
    NAME_WIDTH,
    WAIT,
    WORK,
    WaterfallRow,
    bars,
    beside,
    model_figures,
    patience,
    sparkline,
    waits,
)

LABEL_WIDTH = 8
TALL = 10
"""Lines from which the waterfall also shows its axis, a legend, the model's figures and the waits
for silence."""


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{round(seconds * 1000)} ms"


class Waterfall(Widget):
    """One row per span of the response time, on a time axis."""

    DEFAULT_CSS = """
    Waterfall { height: 9; }
    """

    turn: reactive[TurnTimings | None] = reactive(None)
    _seen: object = None

    def show(self, scene: Scene, turn: TurnTimings | None, *, alone: bool) -> None:
        """Show this turn, with its response time in the border.

        `alone`: the widget of the last turns is hidden, so the border also sums those up.
        """
        tall = self.content_size.height >= TALL
        seen = (turn, len(scene.timings.turns), alone, tall)
        if seen == self._seen:
            return
        self._seen = seen
        self.turn = turn
        if turn is None:
            self.border_title = "from your last word to the first sound"
            self.border_subtitle = ""
            return
        learned = "" if tall else patience(turn)
        parts = (f"turn {turn.number}", f"response time {_ms(turn.response_time)}", learned)
        self.border_title = Content(" · ".join(filter(None, parts))).markup
        response_times = [
            t.response_time for t in scene.timings.turns if t.response_time is not None
        ]
        figures = (
            f"p50 {_ms(scene.timings.p50())}  p95 {_ms(scene.timings.p95())}"
            if response_times
            else ""
        )
        self.border_subtitle = (
            f"{sparkline(response_times, 16)}  {figures}" if alone and response_times else figures
        )

    def render(self) -> Content:
        if self.turn is None:
            lines = [
                Content.assemble((f"{name:<{NAME_WIDTH + 1}}", "$foreground-muted"), meaning)
                for name, meaning in MEANING.items()
            ]
            return Content("\n").join(lines)
        width, tall = self.content_size.width, self.content_size.height >= TALL
        axis = max(4, width - NAME_WIDTH - LABEL_WIDTH - 2)
        lines = [_line(bar) for bar in bars(self.turn, axis)]
        if tall:
            lines += [_line(bar) for bar in beside(self.turn, axis)]
            total = f"{_ms(self.turn.response_time):>{LABEL_WIDTH}}"
            lines.append(
                Content.assemble(
                    (f"{'total':<{NAME_WIDTH}} ", "bold"),
                    (f"└{'─' * (axis - 2)}┘ ", "$foreground-muted"),
                    (total, "bold"),
                )
            )
            lines.append(_legend())
            lines += [Content(), Content.styled(model_figures(self.turn), "$foreground-muted")]
            if learned := waits(self.turn):
                lines.append(Content.styled(learned, "$foreground-muted"))
        return Content("\n").join(lines)


def _line(bar: WaterfallRow) -> Content:
    parts: list[tuple[str, str]] = [(f"{bar.name:<{NAME_WIDTH}} ", "$foreground-muted")]
    parts += [(run, _style(run[0], bar.waiting)) for run in _runs(bar.cells)]
    parts.append((f" {f'{bar.ms} ms':>{LABEL_WIDTH}}", "" if bar.ms else "$foreground-disabled"))
    return Content.assemble(*parts)


def _runs(cells: str) -> list[str]:
    runs: list[str] = []
    for cell in cells:
        if runs and runs[-1][-1] == cell:
            runs[-1] += cell
        else:
            runs.append(cell)
    return runs


def _style(cell: str, waiting: bool) -> str:
    if cell == HIDDEN:
        return "$foreground-muted"
    return "$foreground-muted" if waiting else "$primary"


def _legend() -> Content:
    return Content.assemble(
        (" " * (NAME_WIDTH + 1), ""),
        (WORK, "$primary"),
        (" work  ", "$foreground-muted"),
        (WAIT, "$foreground-muted"),
        (" waiting  ", "$foreground-muted"),
        (HIDDEN, "$foreground-muted"),
        (" in parallel", "$foreground-muted"),
    )


class LastTurns(Widget):
    """The response times of the last turns as columns; a mark below shows the selected turn."""

    DEFAULT_CSS = """
    LastTurns { height: 1fr; max-height: 12; }
    """

    picture: reactive[tuple[tuple[tuple[int, float], ...], int | None]] = reactive(((), None))

    def show(self, scene: Scene, turn: TurnTimings | None) -> None:
        """Show the response times, with `turn` marked."""
        response_times = tuple(
            (t.turn, t.response_time) for t in scene.timings.turns if t.response_time is not None
        )
        picture = (response_times, turn.turn if turn else None)
        if picture == self.picture:
            return
        self.picture = picture

    def render(self) -> Content:
        response_times, marked = self.picture
        if not response_times:
            return Content.styled("No replies yet.", "$foreground-muted")
        width, height = self.content_size
        room = max(1, (width - LABEL_WIDTH - 1) // 3)
        shown = response_times[-room:]
        top = max(response_time for _, response_time in shown)
        lines = _columns([response_time for _, response_time in shown], top, max(1, height - 1))
        lines = [
            Content.assemble(
                (f"{_ms(top) if n == 0 else '':>{LABEL_WIDTH}} ", "$foreground-muted"), line
            )
            for n, line in enumerate(lines)
        ]
        marks = "".join("▲▲ " if turn == marked else "   " for turn, _ in shown)
        foot = f"{len(shown)} turns" if len(shown) > 1 else "1 turn"
        lines.append(
            Content.assemble(
                (f"{foot:>{LABEL_WIDTH}} ", "$foreground-muted"), (marks.rstrip(), "$text-accent")
            )
        )
        return Content("\n").join(lines)


def _columns(values: Sequence[float], top: float, height: int) -> list[Content]:
    """Columns two cells wide, in steps of an eighth of a cell, from the top line down."""
    eighths = [max(1, round(value / top * height * 8)) if top > 0 else 1 for value in values]
    lines = []
    for level in reversed(range(height)):
        cells = (" ▁▂▃▄▅▆▇█"[max(0, min(8, e - level * 8))] * 2 for e in eighths)
        lines.append(Content.styled(" ".join(cells), "$primary"))
    return lines

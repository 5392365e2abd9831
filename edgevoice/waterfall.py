"""The time of a turn as text: one row a span, placed on the axis of the gap; no terminal needed.

Shape alone tells what a stretch is: `█` work that held the answer up, `░` waiting, `─` work of
that stage hidden behind something slower, which cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgevoice.timings import SPANS, Span, TurnTimings

WORK, WAIT, HIDDEN, SLIVER = "█", "░", "─", "▏"
WAITING = frozenset({"pause", "confirm", "output"})
"""Spans in which no engine works."""

MEANING = {
    "pause": "silence: you might go on",
    "recognize": "speech to text",
    "prefill": "the model reads the question",
    "first clause": "the model writes a first clause",
    "synthesize": "that clause begins to be sound",
    "confirm": "silence: sure that you are done",
    "output": "on its way out of the speaker",
}
"""What each span of the gap is, in words."""

NAME_WIDTH = max(map(len, SPANS))
_OWN_WORK = {"first clause": "decode"}
_LABEL_WIDTH = 8
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class WaterfallRow:
    """A row of the waterfall: `cells` is exactly as wide as asked for, `ms` a rounded share.

    The rounded shares of a turn add up to its rounded gap.
    """

    name: str
    cells: str
    ms: int
    waiting: bool


def shares(turn: TurnTimings) -> list[tuple[str, int]]:
    """Each span's whole milliseconds; they add up to the gap's, because edges are rounded."""
    if not turn.spans:
        return []
    origin = turn.spans[0].start
    edges = [round((s.start - origin) * 1000) for s in turn.spans]
    edges.append(round((turn.spans[-1].end - origin) * 1000))
    return [(s.name, edges[i + 1] - edges[i]) for i, s in enumerate(turn.spans)]


def bars(turn: TurnTimings, width: int, seconds: float = 0.0) -> list[WaterfallRow]:
    """The turn's rows in order, `width` cells each, over the time from first span to last.

    Or over `seconds`, where that is longer: two turns over the same time can be compared.
    """
    if not turn.spans:
        return []
    width = max(1, width)
    start, end = turn.spans[0].start, turn.spans[-1].end
    scale = width / max(end - start, seconds) if end > start else 0.0

    def cell(time: float) -> int:
        return min(width, max(0, round((time - start) * scale)))

    rows = []
    for span, (name, ms) in zip(turn.spans, shares(turn), strict=True):
        cells = [" "] * width
        for own in _own_work(turn, name):
            for at in range(cell(own.start), cell(own.end)):
                cells[at] = HIDDEN
        first, last = cell(span.start), cell(span.end)
        waiting = name in WAITING
        for at in range(first, last):
            cells[at] = WAIT if waiting else WORK
        if first == last and ms > 0:
            cells[min(first, width - 1)] = SLIVER
        rows.append(WaterfallRow(name, "".join(cells), ms, waiting))
    return rows


def _own_work(turn: TurnTimings, name: str) -> list[Span]:
    return [bar for bar in turn.bars if bar.name == _OWN_WORK.get(name, name)]


def render_waterfall(
    turn: TurnTimings, width: int, title: str = "", seconds: float = 0.0
) -> list[str]:
    """The turn as lines of at most `width` characters: a headline, a row a span, the whole gap, and
    how long a silence was waited for where the speaker has changed that.

    `seconds` as in `bars`; the `title` is its number unless another one is given.
    """
    axis = max(8, width - NAME_WIDTH - _LABEL_WIDTH - 2)
    title = title or f"turn {turn.turn}"
    lines = [f"{title} · {model_figures(turn)}".rstrip(" ·")[:width]]
    lines += [
        f"{bar.name:<{NAME_WIDTH}} {bar.cells} {f'{bar.ms} ms':>{_LABEL_WIDTH}}"
        for bar in bars(turn, axis, seconds)
    ]
    if turn.gap is not None:
        total = f"{round(turn.gap * 1000)} ms"
        inside = max(0, round(axis * min(1.0, turn.gap / seconds)) if seconds else axis) - 2
        line = f"└{'─' * max(0, inside)}┘"
        lines.append(f"{'gap':<{NAME_WIDTH}} {line:<{axis}} {total:>{_LABEL_WIDTH}}")
    if learned := waits(turn):
        lines.append(learned[:width])
    return lines


def patience(turn: TurnTimings) -> str:
    """By how much longer or shorter it waited than at first; empty where that was the same."""
    return f"patience ×{turn.pace.factor:.2f}" if turn.pace and turn.pace.factor != 1 else ""


def waits(turn: TurnTimings) -> str:
    """The same, with how long a silence was to end the turn."""
    pace, learned = turn.pace, patience(turn)
    if pace is None or not learned:
        return ""
    return f"{learned}: {pace.shortest_ms} to {pace.longest_ms} ms of silence"


def model_figures(turn: TurnTimings) -> str:
    """What the language model did, in one line; empty when it did nothing."""
    parts = []
    if turn.prompt_tokens:
        parts.append(f"prompt {turn.prompt_tokens} tokens, {turn.reused_tokens} reused")
    if turn.reply_tokens:
        rate = f" at {turn.tokens_per_second:.0f}/s" if turn.tokens_per_second else ""
        parts.append(f"reply {turn.reply_tokens}{rate}")
    if turn.interrupted:
        parts.append("interrupted")
    return " · ".join(parts)


def sentence(turn: TurnTimings) -> str:
    """`gap 812 ms = pause 250 + recognize 130 + …`, or nothing when nothing was audible."""
    if turn.gap is None:
        return ""
    summands = [f"{name} {ms}" for name, ms in shares(turn) if ms]
    total = sum(ms for _, ms in shares(turn))
    return f"gap {total} ms" + (f" = {' + '.join(summands)}" if summands else "")


def sparkline(values: Sequence[float], width: int) -> str:
    """The last `width` values as blocks from zero up to the largest of them."""
    shown = list(values)[-width:] if width > 0 else []
    top = max(shown, default=0.0)
    if top <= 0:
        return _BLOCKS[0] * len(shown)
    return "".join(_BLOCKS[min(7, int(value / top * 7.999))] for value in shown)

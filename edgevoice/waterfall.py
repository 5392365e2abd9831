"""The waterfall of a turn as text: one row per span of the response time, on a time axis.

`█` is work that delayed the reply, `░` is waiting, and `─` is work in parallel with something
slower, which took no extra time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgevoice.timings import SPANS, Span, TurnTimings

WORK, WAIT, HIDDEN, SLIVER = "█", "░", "─", "▏"
WAITING = frozenset({"pause", "confirm", "output"})
"""Spans in which no engine works."""

MEANING = {
    "pause": "silence: you may continue",
    "recognize": "transcription",
    "prefill": "the model reads the question",
    "first clause": "the model writes a first clause",
    "synthesize": "the first audio of that clause",
    "confirm": "silence until the turn is over",
    "output": "from the queue to the speaker",
}
"""A description of each span."""
BESIDE = frozenset({"draft", "verify"})
"""Bars with rows of their own: a draft model opens the reply, the language model verifies that."""

NAME_WIDTH = max(map(len, SPANS))
_OWN_WORK = {"first clause": "decode"}
_LABEL_WIDTH = 8
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class WaterfallRow:
    """A row of the waterfall: `cells` has exactly the requested width, `ms` is rounded.

    The rounded times of a turn add up to its rounded response time.
    """

    name: str
    cells: str
    ms: int
    waiting: bool


def shares(turn: TurnTimings) -> list[tuple[str, int]]:
    """Each span in whole milliseconds. Their edges are rounded, so that they add up."""
    if not turn.spans:
        return []
    origin = turn.spans[0].start
    edges = [round((s.start - origin) * 1000) for s in turn.spans]
    edges.append(round((turn.spans[-1].end - origin) * 1000))
    return [(s.name, edges[i + 1] - edges[i]) for i, s in enumerate(turn.spans)]


def bars(turn: TurnTimings, width: int, seconds: float = 0.0) -> list[WaterfallRow]:
    """The turn's rows in order, `width` cells each, from its first span to its last.

    A longer axis of `seconds` makes two turns comparable.
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


def beside(turn: TurnTimings, width: int, seconds: float = 0.0) -> list[WaterfallRow]:
    """The draft model's work and its verification, on the axis of `bars`; often none."""
    if not turn.spans:
        return []
    start, end = turn.spans[0].start, turn.spans[-1].end
    scale = max(1, width) / max(end - start, seconds) if end > start else 0.0
    rows = []
    for bar in turn.bars:
        if bar.name in BESIDE:
            first, last = (
                min(max(1, width), max(0, round((time - start) * scale)))
                for time in (bar.start, bar.end)
            )
            cells = (" " * first + HIDDEN * (last - first)).ljust(max(1, width))
            rows.append(WaterfallRow(bar.name, cells, round(bar.seconds * 1000), False))
    return rows


def _own_work(turn: TurnTimings, name: str) -> list[Span]:
    return [bar for bar in turn.bars if bar.name == _OWN_WORK.get(name, name)]


def render_waterfall(
    turn: TurnTimings, width: int, title: str = "", seconds: float = 0.0
) -> list[str]:
    """The turn as lines of at most `width` characters.

    A headline, a row per span and for work beside them, the total, and the adapted waits for
    silence, if any. `seconds` is that of `bars`; the default `title` is the number of the turn.
    """
    axis = max(8, width - NAME_WIDTH - _LABEL_WIDTH - 2)
    title = title or f"turn {turn.number}"
    lines = [f"{title} · {model_figures(turn)}".rstrip(" ·")[:width]]
    lines += [
        f"{bar.name:<{NAME_WIDTH}} {bar.cells} {f'{bar.ms} ms':>{_LABEL_WIDTH}}"
        for bar in (*bars(turn, axis, seconds), *beside(turn, axis, seconds))
    ]
    if turn.response_time is not None:
        total = f"{round(turn.response_time * 1000)} ms"
        inside = (
            max(0, round(axis * min(1.0, turn.response_time / seconds)) if seconds else axis) - 2
        )
        line = f"└{'─' * max(0, inside)}┘"
        lines.append(f"{'total':<{NAME_WIDTH}} {line:<{axis}} {total:>{_LABEL_WIDTH}}")
    if learned := waits(turn):
        lines.append(learned[:width])
    return lines


def patience(turn: TurnTimings) -> str:
    """The adapted wait for silence as a factor; empty if it is not adapted."""
    return f"patience ×{turn.pace.factor:.2f}" if turn.pace and turn.pace.factor != 1 else ""


def waits(turn: TurnTimings) -> str:
    """The factor, and the silences that would have ended the turn."""
    pace, learned = turn.pace, patience(turn)
    if pace is None or not learned:
        return ""
    return f"{learned}: {pace.shortest_ms} to {pace.longest_ms} ms of silence"


def model_figures(turn: TurnTimings) -> str:
    """The language model's figures on one line; may be empty."""
    parts = []
    if turn.prompt_tokens:
        parts.append(f"prompt {turn.prompt_tokens} tokens, {turn.reused_tokens} reused")
    if turn.reply_tokens:
        rate = f" at {turn.tokens_per_second:.0f}/s" if turn.tokens_per_second else ""
        parts.append(f"reply {turn.reply_tokens}{rate}")
    if turn.draft:
        parts.append(f"draft {turn.draft.verified} of {turn.draft.drafted} words")
    if turn.interrupted:
        parts.append("interrupted")
    return " · ".join(parts)


def sentence(turn: TurnTimings) -> str:
    """`response time 812 ms = pause 250 + recognize 130 + …`; empty without an audible reply."""
    if turn.response_time is None:
        return ""
    summands = [f"{name} {ms}" for name, ms in shares(turn) if ms]
    total = sum(ms for _, ms in shares(turn))
    return f"response time {total} ms" + (f" = {' + '.join(summands)}" if summands else "")


def sparkline(values: Sequence[float], width: int) -> str:
    """The last `width` values as block characters, from zero to the largest value."""
    shown = list(values)[-width:] if width > 0 else []
    top = max(shown, default=0.0)
    if top <= 0:
        return _BLOCKS[0] * len(shown)
    return "".join(_BLOCKS[min(7, int(value / top * 7.999))] for value in shown)

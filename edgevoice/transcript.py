"""What people keep of a session: its transcript as Markdown, and a summary at its end."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from edgevoice import events as ev
from edgevoice.exchange import Exchange
from edgevoice.harmless import harmless_event
from edgevoice.scene import Remark, Scene
from edgevoice.timings import Timings, TurnTimings


def markdown(events: Iterable[ev.Event]) -> Iterator[str]:
    """The conversation as Markdown, in pieces: each question, and what was played of its reply."""
    scene = Scene(max_rows=sys.maxsize)
    begun = False
    for event in map(harmless_event, events):
        if isinstance(event, ev.SessionStarted) and not begun:
            begun = True
            yield f"# Conversation of {event.wall[:16].replace('T', ' ')}\n"
        if isinstance(event, ev.ConversationCleared):
            yield from _rows(scene)
        scene.apply(event)
    yield from _rows(scene)


def _rows(scene: Scene) -> Iterator[str]:
    timings = {turn.turn: turn for turn in scene.timings.turns}
    current = scene.timings.current
    if current is not None:
        timings[current.turn] = current
    for row in scene.rows:
        if isinstance(row, Remark):
            fix = f" Fix: {row.remedy}" if row.remedy else ""
            yield f"\n> {_line(row.text)}{_line(fix)}\n"
        elif row.question or row.heard:
            yield from _exchange(row, timings.get(row.turn))


def _exchange(row: Exchange, timing: TurnTimings | None) -> Iterator[str]:
    if timing is not None and timing.number and timing.response_time is not None:
        yield f"\n## Turn {timing.number} · {round(timing.response_time * 1000)} ms\n"
    yield f"\n**You:** {_line(row.question)}\n"
    if row.heard.strip():
        cut = " *(interrupted)*" if row.ending == "interrupted" else ""
        yield f"\n**edgevoice:** {row.heard.strip()}{cut}\n"
    elif row.ending == "failed":
        yield f"\n*(no reply: {_line(row.detail)})*\n"


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def summary(timings: Timings, written: Sequence[Path]) -> list[str]:
    """How a session went, as lines: its turns, the median response time, and the files."""
    count = timings.answered
    line = f"{count or 'no'} {'turn' if count == 1 else 'turns'}"
    if (median := timings.p50()) is not None:
        line += f", median response time {round(median * 1000)} ms"
    return [line, *(f"written: {path.absolute()}" for path in dict.fromkeys(written))]

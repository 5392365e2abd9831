"""What a client is shown of its conversation, as messages, folded from events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from edgevoice import events as ev
from edgevoice.exchange import Exchange
from edgevoice.scene import Remark, Scene
from edgevoice.timings import TurnTimings

Outgoing = dict[str, Any]
"""A JSON message to a client."""

MAX_FOLLOWED = 8
"""Turns whose captions may still change."""


class ClientFeed:
    """Turns the events of a conversation into messages."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.scene = Scene(max_rows=100)
        self.rtt = 0.0
        """Seconds that a message takes there and back."""
        self._state = ""
        self._heard: dict[int, tuple[str, bool]] = {}
        self._replies: dict[int, str] = {}
        self._remarks: list[tuple[int, int]] = []

    def again(self) -> list[Outgoing]:
        """The messages for a client that knows only what the history has."""
        with self._lock:
            self._heard.clear()
            self._replies.clear()
            self._state = self._present()
            live = self.scene.live
            messages = [] if live is None else list(self._captions(live))
            return [*messages, {"type": "state", "state": self._state}]

    def add(self, event: ev.Event) -> list[Outgoing]:
        """The messages that follow from the next event."""
        with self._lock:
            return list(self._add(event))

    def _add(self, event: ev.Event) -> Iterator[Outgoing]:
        scene = self.scene
        scene.apply(event)
        if isinstance(event, ev.Ready):
            yield {"type": "ready"}
        turn = getattr(event, "turn", None)
        exchange = scene.exchange(turn) if isinstance(turn, int) else None
        if isinstance(event, ev.TurnCancelled) and exchange is None:
            self._replies.pop(event.turn, None)
            if self._heard.pop(event.turn, None):
                yield {"type": "dropped", "turn": event.turn}
        if exchange is not None:
            yield from self._captions(exchange)
        if isinstance(event, ev.PlaybackProgress):
            yield {"type": "spoken", "turn": event.turn, "chars": event.chars}
        if isinstance(event, ev.TurnCompleted):
            yield self._turn(event)
        yield from self._new_remarks()
        if (state := self._present()) != self._state:
            self._state = state
            yield {"type": "state", "state": state}

    @property
    def ready(self) -> bool:
        """Whether it can answer at once."""
        return self.scene.ready and self.scene.ended is None

    def _present(self) -> str:
        # Between two settings a session ends and another one loads.
        return "loading" if self.scene.state == "ended" else self.scene.state

    def _captions(self, exchange: Exchange) -> Iterator[Outgoing]:
        turn = exchange.turn
        heard = exchange.question, exchange.final
        if exchange.question and self._heard.get(turn) != heard:
            _limited(self._heard)[turn] = heard
            yield {
                "type": "heard",
                "turn": turn,
                "text": exchange.question,
                "final": exchange.final,
                "language": exchange.language,
            }
        before = self._replies.get(turn, "")
        if exchange.committed and exchange.reply != before:
            _limited(self._replies)[turn] = exchange.reply
            same = _common(before, exchange.reply)
            yield {"type": "reply", "turn": turn, "from": same, "text": exchange.reply[same:]}

    def _turn(self, event: ev.TurnCompleted) -> Outgoing:
        timing = self.scene.timing(event.turn)
        return {
            "type": "turn",
            "turn": event.turn,
            "answered": timing is not None,
            "interrupted": event.interrupted,
            "heard": event.heard,
            "network_ms": round(self.rtt * 1000),
            **_timing(timing, self.rtt),
        }

    def _new_remarks(self) -> Iterator[Outgoing]:
        rows = [row for row in self.scene.rows[-4:] if isinstance(row, Remark)]
        shown = [(id(row), row.revision) for row in rows]
        for row, mark in zip(rows, shown, strict=True):
            if mark not in self._remarks:
                yield {
                    "type": "notice",
                    "kind": row.kind,
                    "text": row.text,
                    "remedy": row.remedy,
                }
        self._remarks = shown


def _timing(timing: TurnTimings | None, rtt: float) -> Outgoing:
    """The number, the response time and its spans. The network's part of the last span, `output`,
    is a span of its own: there and back, because the client's clock is known by its messages."""
    if timing is None or timing.response_time is None:
        return {"number": 0, "response_ms": None, "spans": []}
    began = timing.spans[0].start if timing.spans else 0.0
    spans = []
    for span in timing.spans:
        start, seconds = span.start - began, span.seconds
        if span.name == "output":
            network = min(rtt, seconds)
            spans.append(_span("network", start, network))
            start, seconds = start + network, seconds - network
        spans.append(_span(span.name, start, seconds))
    return {
        "number": timing.number,
        "response_ms": round(timing.response_time * 1000, 1),
        "spans": spans,
    }


def _span(name: str, start: float, seconds: float) -> Outgoing:
    return {"name": name, "start_ms": round(start * 1000, 1), "ms": round(seconds * 1000, 1)}


def _common(old: str, new: str) -> int:
    """How many characters both begin with."""
    if new.startswith(old):
        return len(old)
    pairs = enumerate(zip(old, new, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(old), len(new)))


def _limited(turns: dict[int, Any]) -> dict[int, Any]:
    while len(turns) >= MAX_FOLLOWED:
        del turns[next(iter(turns))]
    return turns

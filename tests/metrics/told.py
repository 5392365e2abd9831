"""Sessions and what the metrics make of them, shared by the tests of each way out."""

from __future__ import annotations

from collections.abc import Iterable

from edgevoice import events as ev
from edgevoice.metrics.catalog import Metric, Reading
from edgevoice.metrics.exchanges import Exchanges, FinishedExchange
from edgevoice.metrics.readings import Readings, of
from edgevoice.testing.rehearsal import Rehearsal
from tests import sessions

QUESTION = "What is the capital of Zanzibar?"
REPLY = "It is called the Stone Town, on the western coast."
WORDS = ("zanzibar", "capital", "called", "stone", "town", "western", "coast")
"""What is said in `spoken`, and in nothing else that there is."""


def spoken() -> list[ev.Event]:
    """A session of the real pipeline: one question, asked aloud and answered to the end."""
    show = Rehearsal(REPLY)
    show.hear((0.5, QUESTION, 1.6))
    return [*sessions.Session().start().events, *show.run()]


def exchanges(events: Iterable[ev.Event]) -> list[FinishedExchange]:
    """Everything that was over in the course of these events."""
    fold = Exchanges()
    return [exchange for event in events for exchange in fold.add(event)]


def readings(events: Iterable[ev.Event]) -> list[Reading]:
    """Everything that these events have the metrics told."""
    fold, whole = Readings(), Exchanges()
    found: list[Reading] = []
    for event in events:
        found += fold.add(event)
        for exchange in whole.add(event):
            found += of(exchange)
    return found


def values(found: Iterable[Reading], metric: Metric) -> dict[tuple[str, ...], list[float]]:
    """The values of one metric, by their labels."""
    by: dict[tuple[str, ...], list[float]] = {}
    for reading in found:
        if reading.metric is metric:
            by.setdefault(reading.labels, []).append(reading.value)
    return by

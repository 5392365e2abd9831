"""How the screen looks: dark and light, small and large, with and without colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from edgevoice.events import Event, PlaybackDucked
from edgevoice.tui.widgets import conversation as widget
from tests.sessions import (
    Session,
    asleep,
    conversation,
    failed,
    hearing,
    loading,
    patient,
    paused,
)
from tests.tui.stage import stage

SMALL, LARGE = (80, 24), (120, 40)

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the terminal the tests run in nor the machine's speed shows in a picture."""
    for variable in ("NO_COLOR", "TEXTUAL", "COLORTERM", "TERM"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(widget, "monotonic", lambda: 0.0)


def looks(
    snap_compare: Compare,
    events: Iterable[Event],
    size: tuple[int, int],
    press: Iterable[str] = (),
    **options: Any,
) -> bool:
    app, _, _ = stage(events, **options)
    return snap_compare(app, terminal_size=size, press=press)


class TestLoading:
    def test_small(self, snap_compare: Compare) -> None:
        """Each engine says whether it is there while the others are still on their way."""
        assert looks(snap_compare, loading().events, SMALL)

    def test_large_light(self, snap_compare: Compare) -> None:
        """The same in the light, with all panels."""
        assert looks(snap_compare, loading().events, LARGE, theme="light")


class TestReady:
    def test_small(self, snap_compare: Compare) -> None:
        """The first screen says what to do and what the waterfall will show."""
        assert looks(snap_compare, Session().ready().events, SMALL)


class TestAsleep:
    def test_small(self, snap_compare: Compare) -> None:
        """It says how it is woken."""
        assert looks(snap_compare, asleep().events, SMALL)


class TestHearing:
    def test_small(self, snap_compare: Compare) -> None:
        """What was understood so far shows while the user speaks."""
        assert looks(snap_compare, hearing().events, SMALL)

    def test_large(self, snap_compare: Compare) -> None:
        """The same with all panels."""
        assert looks(snap_compare, hearing().events, LARGE)


class TestSpeaking:
    def test_small(self, snap_compare: Compare) -> None:
        """The part already spoken is told apart by brightness and by a mark."""
        assert looks(snap_compare, conversation().events, SMALL)

    def test_small_light(self, snap_compare: Compare) -> None:
        """The same in the light."""
        assert looks(snap_compare, conversation().events, SMALL, theme="light")

    def test_large(self, snap_compare: Compare) -> None:
        """In wide terminals the panels stand beside the conversation."""
        assert looks(snap_compare, conversation().events, LARGE)

    def test_large_light(self, snap_compare: Compare) -> None:
        """The same in the light."""
        assert looks(snap_compare, conversation().events, LARGE, theme="light")

    def test_without_colour(self, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
        """With NO_COLOR everything is still told, by words and shapes."""
        monkeypatch.setenv("NO_COLOR", "1")
        assert looks(snap_compare, conversation().events, SMALL)

    def test_tiny(self, snap_compare: Compare) -> None:
        """In 40×12 the conversation has what room there is."""
        assert looks(snap_compare, conversation().events, (40, 12))

    def test_an_older_turn_is_marked(self, snap_compare: Compare) -> None:
        """The exchange whose waterfall is shown has a bar beside it."""
        assert looks(snap_compare, conversation().events, SMALL, press=["up"])


class TestPatience:
    def test_small(self, snap_compare: Compare) -> None:
        """Above the waterfall stands by how much longer it waited, if it has learned to."""
        assert looks(snap_compare, patient().events, SMALL)

    def test_large(self, snap_compare: Compare) -> None:
        """With more room it says how long that was."""
        assert looks(snap_compare, patient().events, LARGE)


class TestPaused:
    def test_small(self, snap_compare: Compare) -> None:
        """A reply that somebody speaks into waits, and says for whom."""
        assert looks(snap_compare, paused().events, SMALL)

    def test_without_colour(self, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
        """The same in words and shapes alone."""
        monkeypatch.setenv("NO_COLOR", "1")
        assert looks(snap_compare, paused().events, SMALL)

    def test_tiny(self, snap_compare: Compare) -> None:
        """In 40×12 there is room for it, too."""
        assert looks(snap_compare, paused().events, (40, 12))

    def test_quieter(self, snap_compare: Compare) -> None:
        """Before that it only speaks more quietly, and says why."""
        events = conversation().add(PlaybackDucked(turn=2)).events
        assert looks(snap_compare, events, SMALL)


class TestFailed:
    def test_small(self, snap_compare: Compare) -> None:
        """A failure stands in the conversation with its remedy; a lost device across the screen."""
        assert looks(snap_compare, failed().events, SMALL)

    def test_large_light(self, snap_compare: Compare) -> None:
        """The same in the light, with all panels."""
        assert looks(snap_compare, failed().events, LARGE, theme="light")


class TestOverlays:
    def test_help_small(self, snap_compare: Compare) -> None:
        """The help fits a small terminal by scrolling."""
        assert looks(snap_compare, conversation().events, SMALL, press=["question_mark"])

    def test_help_large(self, snap_compare: Compare) -> None:
        """The help shows every key and every span at once."""
        assert looks(snap_compare, conversation().events, LARGE, press=["question_mark"])

    def test_typing(self, snap_compare: Compare) -> None:
        """A question is typed in a line below the conversation."""
        assert looks(snap_compare, conversation().events, SMALL, press=["slash", *"Why"])

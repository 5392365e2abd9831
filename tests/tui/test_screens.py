"""Pictures of the screen: dark and light, small and large, with and without colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from edgevoice.events import Event, PlaybackDucked
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
    """Pictures do not depend on the terminal of the tests."""
    for variable in ("NO_COLOR", "TEXTUAL", "COLORTERM", "TERM"):
        monkeypatch.delenv(variable, raising=False)


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
        """Each engine shows whether it has loaded."""
        assert looks(snap_compare, loading().events, SMALL)

    def test_large_light(self, snap_compare: Compare) -> None:
        """The same in the light, with all panels."""
        assert looks(snap_compare, loading().events, LARGE, theme="light")


class TestReady:
    def test_small(self, snap_compare: Compare) -> None:
        """The first screen says what to do and explains the waterfall."""
        assert looks(snap_compare, Session().ready().events, SMALL)


class TestAsleep:
    def test_small(self, snap_compare: Compare) -> None:
        """It says how to activate the assistant."""
        assert looks(snap_compare, asleep().events, SMALL)


class TestHearing:
    def test_small(self, snap_compare: Compare) -> None:
        """The interim transcript is shown while the user speaks."""
        assert looks(snap_compare, hearing().events, SMALL)

    def test_large(self, snap_compare: Compare) -> None:
        """The same with all panels."""
        assert looks(snap_compare, hearing().events, LARGE)


class TestSpeaking:
    def test_small(self, snap_compare: Compare) -> None:
        """Brightness and a mark show the played part."""
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
        """With NO_COLOR, words and shapes show everything."""
        monkeypatch.setenv("NO_COLOR", "1")
        assert looks(snap_compare, conversation().events, SMALL)

    def test_tiny(self, snap_compare: Compare) -> None:
        """In 40×12 the conversation fills the screen."""
        assert looks(snap_compare, conversation().events, (40, 12))

    def test_an_older_turn_is_marked(self, snap_compare: Compare) -> None:
        """A bar marks the exchange in the waterfall."""
        assert looks(snap_compare, conversation().events, SMALL, press=["up"])


class TestPatience:
    def test_small(self, snap_compare: Compare) -> None:
        """The border shows the adapted wait as a factor."""
        assert looks(snap_compare, patient().events, SMALL)

    def test_large(self, snap_compare: Compare) -> None:
        """A large screen also shows the waits in milliseconds."""
        assert looks(snap_compare, patient().events, LARGE)


class TestPaused:
    def test_small(self, snap_compare: Compare) -> None:
        """A reply pauses while somebody speaks, and the screen says so."""
        assert looks(snap_compare, paused().events, SMALL)

    def test_without_colour(self, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
        """The same in words and shapes alone."""
        monkeypatch.setenv("NO_COLOR", "1")
        assert looks(snap_compare, paused().events, SMALL)

    def test_tiny(self, snap_compare: Compare) -> None:
        """In 40×12 there is room for it, too."""
        assert looks(snap_compare, paused().events, (40, 12))

    def test_quieter(self, snap_compare: Compare) -> None:
        """Before that, the reply is ducked, and the screen says why."""
        events = conversation().add(PlaybackDucked(turn=2)).events
        assert looks(snap_compare, events, SMALL)


class TestFailed:
    def test_small(self, snap_compare: Compare) -> None:
        """A failure is in the conversation with its fix; a lost device is in the banner."""
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

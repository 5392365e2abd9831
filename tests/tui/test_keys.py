"""Every key does what the help says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input

from edgevoice import events as ev
from edgevoice.errors import DeviceError, StorageError
from edgevoice.events import Event
from edgevoice.tui.app import EdgevoiceApp
from edgevoice.tui.keys import KEYS
from edgevoice.tui.screens.choose import Choose
from edgevoice.tui.screens.help import Help
from edgevoice.tui.screens.save import Save
from edgevoice.tui.widgets.conversation import Conversation
from edgevoice.tui.widgets.footer import KEY_LINES, Below, wrapped
from edgevoice.tui.widgets.status import Status
from tests.sessions import Session, conversation, failed, loading
from tests.tui.stage import Feed, Noted, stage

Play = Callable[[EdgevoiceApp, Noted, Feed, "Pilot[None]"], Awaitable[None]]


def play(
    script: Play, events: Iterable[Event] | None = None, size: tuple[int, int] = (80, 24)
) -> Noted:
    """Run the screen after these events (default: a conversation) with this script."""
    app, noted, feed = stage(conversation().events if events is None else events)

    async def run() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            app.drain()
            await script(app, noted, feed, pilot)

    asyncio.run(run())
    return noted


def pressing(*keys: str, events: Iterable[Event] | None = None) -> list[tuple[object, ...]]:
    """The commands that these keys send."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        await pilot.press(*keys)

    return play(script, events).calls


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Run the screen until a background task has shown its result."""
    for _ in range(2000):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("it never happened")


COMMANDS: list[tuple[list[str], list[tuple[object, ...]]]] = [
    (["escape"], [("interrupt",)]),
    (["i"], [("interrupt",)]),
    (["m"], [("mute", True)]),
    (["v"], [("speak", False)]),
    (["n"], [("new",)]),
    (["slash", *"Why", "enter"], [("say", "Why")]),
    (["enter", *"Why", "space", *"me", "enter"], [("say", "Why me")]),
    (["slash", "q", "m", "escape"], []),
    (["slash", "enter"], []),
    (["space"], [("talk", True)]),
]


def test_a_key_is_a_command() -> None:
    """Each key sends its command; typed letters send none."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        for keys, calls in COMMANDS:
            noted.calls.clear()
            await pilot.press(*keys)
            assert noted.calls == calls, keys

    play(script)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_a_key_ends_the_session(key: str) -> None:
    """Both are pressed by people who want to leave."""
    assert pressing(key) == [("close",)]


def test_the_talk_key_tapped_twice_begins_and_ends_an_utterance() -> None:
    """A second press that is not repeated is a tap."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        await pilot.press("space", "space")
        await until(pilot, lambda: len(noted.calls) == 2)

    assert play(script).calls == [("talk", True), ("talk", False)]


def test_mute_toggles_what_is_so() -> None:
    """The key unmutes if the assistant is muted."""
    events = conversation().add(ev.Muted(on=True)).events
    assert pressing("m", events=events) == [("mute", False)]


def test_a_quiet_conversation_is_typed_line_after_line() -> None:
    """Where replies are only shown, the input line stays open until Escape closes it."""
    events = conversation().add(ev.SpeechOutput(on=False)).events
    typed = ["slash", *"Why", "enter", *"How", "enter", "escape", "v"]
    assert pressing(*typed, events=events) == [("say", "Why"), ("say", "How"), ("speak", True)]


def test_talking_ends_with_the_utterance() -> None:
    """After an utterance that ended by itself, the talk key starts another one."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        await pilot.press("space")
        feed.send(ev.TurnStarted(turn=9, origin="talk_key"))
        app.drain()
        assert "space" in app.query_one(Status).picture.hint
        feed.send(ev.SpeechEnded(turn=9, at=1.0, seconds=60.0))
        app.drain()
        await pilot.press("space")

    assert play(script).calls == [("talk", True), ("talk", True)]


@pytest.mark.parametrize("keys", [["space"], ["slash", "h", "i", "enter"]])
def test_nothing_is_asked_before_it_is_ready(keys: list[str]) -> None:
    """While models load, talking and asking only show a warning."""
    assert pressing(*keys, events=loading().events) == []


def test_quitting_works_before_anything_is_loaded() -> None:
    """Quitting works from the start."""
    assert pressing("q", events=[]) == [("close",)]


def test_help_opens_and_closes() -> None:
    """? shows every key; ?, Escape or q close the help without quitting."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        for key in ("question_mark", "escape", "q"):
            await pilot.press("question_mark")
            assert isinstance(app.screen, Help)
            await pilot.press(key)
            assert not isinstance(app.screen, Help)

    assert play(script).calls == []


@pytest.mark.parametrize("opened", ["question_mark", "d", "s"])
def test_ctrl_c_ends_the_session_from_every_screen(opened: str) -> None:
    """Ctrl-C quits at once, whatever is open."""
    assert pressing(opened, "ctrl+c") == [("close",)]


def test_devices_are_chosen_from_a_list() -> None:
    """d lists microphones and speakers; Enter chooses the selected one."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        await pilot.press("d")
        assert isinstance(app.screen, Choose)
        await until(pilot, lambda: bool(app.screen.query("OptionList")))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: bool(noted.calls))

    assert play(script).calls == [("choose", "output", "1", False)]


def test_models_are_chosen_from_a_list() -> None:
    """o lists the models; the first one is selected, and k also keeps it for later sessions."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        await pilot.press("o")
        await until(pilot, lambda: bool(app.screen.query("OptionList")))
        await pilot.press("k")
        await until(pilot, lambda: bool(noted.calls))

    assert play(script).calls == [("choose", "slm", "qwen2.5-coder-0.5b", True)]


def test_a_refused_choice_is_told() -> None:
    """If a device cannot be used, the screen shows the reason and the fix, and continues."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        await pilot.press("d")
        await until(pilot, lambda: bool(app.screen.query("OptionList")))
        await pilot.press("down", "enter")
        await until(pilot, lambda: bool(app.screen.query("Toast")))
        told = app.screen.query_one("Toast")
        assert told.has_class("-error")
        assert str(told.render()) == "failed\nrefuses 16 kHz (USB headset)\nchoose another one"

    assert play(script).calls == []


def test_a_list_that_cannot_be_made_is_told() -> None:
    """If devices cannot be listed, the list closes and the reason is shown."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        noted.broken = DeviceError("no sound system", remedy="install PortAudio")
        await pilot.press("d")
        await until(pilot, lambda: bool(app.screen.query("Toast")))
        assert "no sound system" in str(app.screen.query_one("Toast").render())
        assert not isinstance(app.screen, Choose)

    play(script)


def test_the_session_is_saved_where_the_user_says() -> None:
    """s proposes a transcript with the time in its name, Tab a trace; both can be renamed."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        await pilot.press("s")
        assert isinstance(app.screen, Save)
        field = app.screen.query_one(Input)
        assert field.value.startswith("edgevoice-")
        assert field.value.endswith("-transcript.md")
        await pilot.press("tab")
        assert field.value.endswith("-trace.jsonl")
        field.value = "mine.jsonl"
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.screen.query("Toast")))
        told = str(app.screen.query_one("Toast").render())
        assert str(Path("mine.jsonl").absolute()) in told.replace("\n", "")

    assert play(script).calls == [("save", Path("mine.jsonl"))]


def test_what_cannot_be_saved_is_told() -> None:
    """A full disk shows a message, and the conversation continues."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        noted.broken = StorageError("the disk is full", remedy="free some space")
        await pilot.press("s", "enter")
        await until(pilot, lambda: bool(app.screen.query("Toast")))
        assert "the disk is full" in str(app.screen.query_one("Toast").render())

    assert play(script).calls == []


def test_the_transcript_is_copied() -> None:
    """c puts the conversation on the clipboard."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        await pilot.press("c")
        assert app.clipboard == noted.said

    play(script)


def test_an_empty_transcript_leaves_the_clipboard_alone() -> None:
    """Without a conversation, the clipboard does not change."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        noted.said = ""
        await pilot.press("c")
        assert app.clipboard == ""

    play(script)


def test_the_theme_switches_and_comes_back() -> None:
    """t goes from dark to light and back."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        seen = [app.current_theme.dark]
        for _ in range(2):
            await pilot.press("t")
            seen.append(app.current_theme.dark)
        assert seen == [True, False, True]

    play(script)


@pytest.mark.parametrize(("older", "newer"), [("up", "down"), ("[", "]")])
def test_turns_are_walked_through(older: str, newer: str) -> None:
    """Older stops at the first turn; newer after the last one follows the newest again."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        walked = [app.turn.turn if app.turn else None]
        for key in (older, older, older, newer, newer, newer):
            await pilot.press(key)
            walked.append(app.turn.turn if app.turn else None)
        assert walked == [2, 1, 0, 0, 1, 2, 2]

    play(script)


def test_the_conversation_follows_its_end_unless_scrolled_back() -> None:
    """New text scrolls into view, unless the user has scrolled back; a new reply is announced."""
    session = Session().ready()
    for turn in range(8):
        session.asked(turn, 3.0 + 10 * turn, f"Question {turn}?")
        session.answered(turn, 3.0 + 10 * turn, ["Answer."])

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        shown = app.query_one(Conversation)
        assert shown.following
        await pilot.press("pageup")
        at = shown.scroll_offset.y
        feed.send(ev.Notice(text="something new"))
        app.drain()
        await pilot.pause()
        assert (shown.following, shown.scroll_offset.y) == (False, at)
        below = app.query_one(Below)
        assert not below.display
        more = Session().asked(8, 90.0, "Question 8?").answered(8, 90.0, ["Answer."])
        feed.send(*more.events)
        app.drain()
        await pilot.pause()
        assert (below.display, shown.scroll_offset.y) == (True, at)
        await pilot.press("end")
        app.drain()
        assert not below.display
        feed.send(ev.Notice(text="something newer"))
        app.drain()
        await pilot.pause()
        assert shown.following
        assert shown.scroll_offset.y == shown.max_scroll_y
        await pilot.press("home")
        assert shown.scroll_offset.y == 0

    play(script, session.events)


def test_a_lost_device_is_shown_until_it_is_found() -> None:
    """The banner is shown exactly while the device is lost."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        banner = app.query_one("Banner")
        assert banner.display
        feed.send(ev.DeviceRestored(kind="input", name="USB headset"))
        app.drain()
        assert not banner.display

    play(script, failed().events)


@pytest.mark.parametrize("columns", [120, 80, 60])
def test_no_key_is_lost_in_a_narrow_terminal(columns: int) -> None:
    """The footer shows every key that has a label; in a tiny terminal at least the help."""
    shown = [key for line in wrapped(columns - 2, KEY_LINES) for key in line]
    assert shown == [key for key in KEYS if key.label]
    assert "help" in [key.action for key in wrapped(38, 1)[0]]


def test_every_key_is_in_the_palette() -> None:
    """The palette finds and runs the command of every key."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert titles == [*(key.title for key in KEYS), "Theme"]
        await pilot.press("ctrl+p")
        assert isinstance(app.screen, CommandPalette)
        await pilot.press(*"interrupt")
        palette = app.screen
        await until(pilot, lambda: bool(palette.query("OptionList").first().option_count))  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: bool(noted.calls))

    assert play(script).calls == [("interrupt",)]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(40, 12), (20, 5), (10, 3), (80, 8), (300, 100)])
def test_no_size_breaks_the_screen(size: tuple[int, int]) -> None:
    """Keys work in terminals of any size, and during a resize."""

    async def script(app: EdgevoiceApp, noted: Noted, feed: Feed, pilot: Pilot[None]) -> None:
        await pilot.resize_terminal(120, 40)
        await pilot.resize_terminal(*size)
        await pilot.press("question_mark", "escape", "slash", "h", "i", "enter")

    assert play(script, size=size).calls == [("say", "hi")]


def test_the_bus_is_left_at_the_end() -> None:
    """A closed screen gets no more events."""
    app, _, feed = stage(conversation().events)

    async def run() -> None:
        async with app.run_test():
            assert len(feed.subscribers) == 1

    asyncio.run(run())
    assert feed.subscribers == []

"""Nothing that was said, written by a model or read from elsewhere commands a terminal."""

from __future__ import annotations

import asyncio
import io
import json
import re
import subprocess
import sys
import typing
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest
from click.testing import CliRunner
from textual.pilot import Pilot

from edgevoice import events as ev
from edgevoice.bench.jobs.progress import BenchProgressLines
from edgevoice.cli import cli
from edgevoice.devices import listing
from edgevoice.devices.listing import Device
from edgevoice.errors import EdgevoiceError
from edgevoice.events import Event
from edgevoice.harmless import harmless, harmless_event, harmless_json, one_line
from edgevoice.plain import PlainPrinter
from edgevoice.protocols import Token
from edgevoice.tui.app import EdgevoiceApp
from tests.hostile import CLIPBOARD, COMMANDS, EVIL
from tests.sessions import Session, asleep, conversation, failed, hearing, loading, patient, paused
from tests.tui.stage import CHOICES, Feed, stage

SCENES = (conversation, patient, paused, asleep, loading, hearing, failed)
KINDS = get_args(ev.AnyEvent)


def filled(hint: Any, option: int) -> Any:
    """A value of this type with evil in all its text; of a choice, the one with that number."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return inner[option % len(inner)]
    if origin in (typing.Union, UnionType):
        return filled(inner[0], option)
    if origin is tuple:
        return (filled(inner[0], option),)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint(**{name: filled(each, option) for name, each in get_type_hints(hint).items()})
    if origin is dict:
        return {"slm": EVIL, EVIL: EVIL}
    return {str: EVIL, int: 0, float: 0.0, bool: True}[hint]


def evil_events() -> Iterator[Event]:
    """Every kind of event with every field filled, once for each of its choices."""
    for kind in KINDS:
        hints = get_type_hints(kind)
        choices = max(len(get_args(hint)) if get_origin(hint) is Literal else 1
                      for hint in hints.values())  # fmt: skip
        for option in range(choices):
            fields = {n: filled(h, option) for n, h in hints.items() if n not in ("t", "seq")}
            yield kind(**fields)


def poisoned(event: Event) -> Event:
    """The event with evil after all its text, where that is not one of a few words."""
    hints = get_type_hints(type(event))
    text = {n: getattr(event, n) + EVIL for n, hint in hints.items() if hint is str}
    return msgspec.structs.replace(event, **text)


def told(scene: Callable[[], Session]) -> list[Event]:
    """The session, in which all text is evil."""
    return [poisoned(event) for event in scene().events]


def test_every_field_of_every_event_is_made_harmless() -> None:
    """No kind of event, and no field that is added to one, can bring a command past this."""
    kinds = set()
    for event in evil_events():
        kinds.add(type(event))
        text = repr([*msgspec.structs.asdict(harmless_event(event)).values()])
        assert not re.search(r"\\x[01789]|\\u20|\\r", text), event
        assert harmless_event(harmless_event(event)) == harmless_event(event)
    assert kinds == set(KINDS)


def test_no_plain_line_holds_a_command() -> None:
    """Whatever is told, it is text in one line, brackets and all."""
    lines: list[str] = []
    for events in (*map(told, SCENES), [*told(conversation), *evil_events()]):
        printer = PlainPrinter(lines.append, waterfall=True)
        for event in events:
            printer(event)
    for line in lines:
        assert not COMMANDS.search(line.removesuffix("\n")), line
        assert line.count("\n") == 1
    said = {line.split(":")[0] for line in lines if "evil" in line and "[red]" in line}
    assert {"you", "edgevoice", "note", "! failed", "  fix", "microphone"} <= said


Play = Callable[[EdgevoiceApp, Feed, "Pilot[None]"], AsyncIterator[None]]


def pictures(app: EdgevoiceApp, feed: Feed, play: Play) -> list[str]:
    """What is on the screen whenever `play` stops to look."""
    seen = []

    async def run() -> None:
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            async for _ in play(app, feed, pilot):
                await pilot.pause()
                app.drain()
                await pilot.pause()
                seen.append(app.export_screenshot())

    asyncio.run(run())
    for picture in seen:
        assert not COMMANDS.search(picture.replace("\n", ""))
    return seen


@pytest.mark.slow
def test_no_picture_of_a_conversation_holds_a_command() -> None:
    """Words, models, devices, notices and failures are text, brackets and all."""

    async def play(app: EdgevoiceApp, feed: Feed, pilot: Pilot[None]) -> AsyncIterator[None]:
        yield
        # What is lost stands over all else, and what has ended stays as it is.
        late = (ev.DeviceLost, ev.SessionEnded)
        for event in sorted(evil_events(), key=lambda event: isinstance(event, late)):
            feed.send(event)
            yield

    for scene in SCENES[1:]:
        app, _, feed = stage(told(scene))
        (picture,) = pictures(app, feed, just_look)
        assert "evil" in picture
    app, _, feed = stage(told(conversation))
    seen = pictures(app, feed, play)
    assert len(seen) > len(KINDS)
    assert all("evil" in picture for picture in seen)
    assert any("[red]text[/red]" in picture for picture in seen)


async def just_look(app: EdgevoiceApp, feed: Feed, pilot: Pilot[None]) -> AsyncIterator[None]:
    yield


def test_no_picture_of_choices_and_errors_holds_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The title of a model and the name of a device may be anything, and so may what went wrong."""

    async def until(app: EdgevoiceApp, pilot: Pilot[None], word: str) -> None:
        for _ in range(2000):
            if word in app.export_screenshot():
                return
            await pilot.pause(0.005)
        pytest.fail(f"{word} was never shown")

    async def play(app: EdgevoiceApp, feed: Feed, pilot: Pilot[None]) -> AsyncIterator[None]:
        for key, word in (("o", "chosen"), ("d", "headset")):
            await pilot.press(key)
            await until(app, pilot, word)
            yield
            await pilot.press("escape")
        noted.broken = EdgevoiceError(f"failure {EVIL}", where=EVIL, remedy=EVIL)
        await pilot.press("o")
        await until(app, pilot, "failure")
        yield

    monkeypatch.setitem(CHOICES, "slm", [(EVIL, f"chosen {EVIL}")])
    monkeypatch.setitem(CHOICES, "input", [(EVIL, f"headset {EVIL}")])
    app, noted, feed = stage(())
    for picture in pictures(app, feed, play):
        assert "[red]text[/red]" in picture


def test_the_clipboard_gets_text_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pasted into a shell later must not be a command to the terminal either."""
    app, noted, _ = stage(())
    noted.said = f"you: {EVIL}\n"
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)

    async def copy() -> None:
        async with app.run_test():
            app.action_copy()

    asyncio.run(copy())
    assert not COMMANDS.search(copied[0])
    assert "evil" in copied[0]


def test_an_error_about_a_file_with_such_a_name_is_text(tmp_path: Path) -> None:
    """The name stands in the message without what it would do, and so does a mistyped option."""
    for words in (
        ["transcribe", f"{EVIL[:-20]}.wav".replace("\x00", "")],
        ["ask", f"--{CLIPBOARD}"],
    ):
        command = [sys.executable, "-m", "edgevoice", *words]
        done = subprocess.run(command, capture_output=True, timeout=60, cwd=tmp_path)
        assert done.returncode in (1, 2)
        assert done.stderr
        assert not COMMANDS.search(done.stderr.decode())


def test_devices_and_progress_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A headset may call itself anything, and JSON still says exactly what."""
    headset = Device(3, EVIL, EVIL, 1, 2, 48000.0, True, True)
    monkeypatch.setattr(listing, "listed", lambda: [headset])
    shown = CliRunner().invoke(cli, ["devices"]).output
    assert "evil" in shown
    assert len(shown.splitlines()) == 2
    as_json = CliRunner().invoke(cli, ["devices", "--json"]).output
    assert json.loads(as_json)[0]["name"] == EVIL
    out = io.StringIO()
    BenchProgressLines(out).done(1.0, EVIL)
    for text in (shown, as_json, out.getvalue()):
        assert not COMMANDS.search(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"a{CLIPBOARD}b", "ab"),
        ("a\x1b[31;1mb\x9b0mc", "abc"),
        ("a\x1bP1$r\x1b\\b\x1b(Bc\x1bc", "abc"),
        ("never ended \x1b]52;c;ZXZ and more", "never ended 52;c;ZXZ and more"),
        ("one\r\ntwo\tthree\n", "one\r\ntwo\tthree\n"),
        ("shown\rhidden", "shown hidden"),
        ("half\ud800", "half "),
        ("a\u202eb\u2069c", "abc"),
        ("می‌خواهم 👩‍💻 שלום\u200f!", "می‌خواهم 👩‍💻 שלום\u200f!"),
    ],
)
def test_what_is_taken_out_and_what_stays(text: str, left: str) -> None:
    """Commands go, whole where they have an end; words of every script stay as they are written."""
    assert harmless(text) == left


def test_one_line_is_one_line() -> None:
    """A name cannot make up a line of its own."""
    assert one_line("name\nyou: hello\r\n\tthere") == "name you: hello  there"


def test_json_means_the_same() -> None:
    """Characters that are commands are written as escapes."""
    text = json.dumps({"text": EVIL}, ensure_ascii=False)
    assert not COMMANDS.search(harmless_json(text))
    assert json.loads(harmless_json(text)) == {"text": EVIL}


def test_an_answer_that_comes_in_pieces_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that begins in one token and ends in another does not get together."""

    class Model:
        """Writes evil, a character a token."""

        context = 4096

        def count(self, *_: object) -> int:
            return 1

        def reply(self, *_: object) -> Iterator[Token]:
            yield from (Token(character) for character in EVIL)

        def session(self) -> Model:
            return self

        def close(self) -> None: ...

    monkeypatch.setattr("edgevoice.engines.registry.load_chosen", lambda *_: Model())
    output = CliRunner().invoke(cli, ["ask", "Who are you?"]).output
    assert "evil" in output
    assert not COMMANDS.search(output)

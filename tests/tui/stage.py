"""The screen without a session: commands are recorded, events come from a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from edgevoice.bus import Subscriber
from edgevoice.errors import DeviceError, EdgevoiceError
from edgevoice.events import Event
from edgevoice.tui.app import EdgevoiceApp
from edgevoice.tui.commands import ChoiceKind

CHOICES: dict[ChoiceKind, list[tuple[str, str]]] = {
    "input": [("0", "Built-in microphone"), ("3", "USB headset")],
    "output": [("1", "Built-in speaker"), ("4", "USB headset")],
    "slm": [
        ("qwen2.5-coder-0.5b", "Qwen2.5-Coder 0.5B · 0.5 GB"),
        ("qwen2.5-coder-1.5b", "Qwen2.5-Coder 1.5B · 1.1 GB"),
    ],
    "stt": [("whisper-base", "Whisper base · 145 MB")],
    "tts": [("en_US-joe-medium", "Joe, American English · 63 MB")],
}


class Noted:
    """Commands that record their calls; with `broken`, the slow ones fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.said = "you: hello\nedgevoice: Hello to you.\n"
        self.broken: EdgevoiceError | None = None

    def interrupt(self) -> None:
        self.calls.append(("interrupt",))

    def mute(self, on: bool) -> None:
        self.calls.append(("mute", on))

    def speak(self, on: bool) -> None:
        self.calls.append(("speak", on))

    def say(self, text: str) -> None:
        self.calls.append(("say", text))

    def talk(self, on: bool) -> None:
        self.calls.append(("talk", on))

    def new_conversation(self) -> None:
        self.calls.append(("new",))

    def close(self) -> None:
        self.calls.append(("close",))

    def transcript(self) -> str:
        return self.said

    def save(self, path: Path) -> None:
        self._fail()
        self.calls.append(("save", path))

    def choices(self, kind: ChoiceKind) -> list[tuple[str, str]]:
        self._fail()
        return CHOICES[kind]

    def choose(self, kind: ChoiceKind, value: str, keep: bool) -> None:
        if value == "3":
            raise DeviceError("refuses 16 kHz", where="USB headset", remedy="choose another one")
        self.calls.append(("choose", kind, value, keep))

    def _fail(self) -> None:
        if self.broken:
            raise self.broken


class Feed:
    """A bus: a subscriber gets the past events first, and then new ones."""

    def __init__(self, past: Iterable[Event] = ()) -> None:
        self.past = list(past)
        self.subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        self.subscribers.append(subscriber)
        for event in self.past:
            subscriber(event)
        return lambda: self.subscribers.remove(subscriber)

    def send(self, *events: Event) -> None:
        for event in events:
            for subscriber in list(self.subscribers):
                subscriber(event)


def stage(
    past: Iterable[Event] = (), theme: Literal["dark", "light"] = "dark"
) -> tuple[EdgevoiceApp, Noted, Feed]:
    """The app after these events, its commands, and a function that sends more events."""
    noted, feed = Noted(), Feed(past)
    return EdgevoiceApp(noted, feed.subscribe, theme, "edgevoice 0.1.0"), noted, feed

"""A session as its user drives it: one conversation, through changes of devices and models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from edgevoice.assistant import Assistant
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.config import Config
from edgevoice.errors import UsageError
from edgevoice.history import History
from edgevoice.trace import Recorder

Kind = Literal["input", "output", "slm", "stt", "tts"]

Build = Callable[[Config, History, int], Assistant]
"""Makes an assistant from a configuration, the conversation so far and its first turn's number."""

Remember = Callable[[str, str], Config]
"""Keeps a setting for this session and the ones to come, and returns the configuration with it."""


class Session:
    """Runs an assistant, and another one in its place when the user chooses a model or device.

    The conversation, the bus and the clock go on; only the pipeline is built anew. The commands
    may be called from any thread.
    """

    def __init__(
        self, config: Config, clock: Clock, bus: Bus, build: Build, remember: Remember
    ) -> None:
        self.clock = clock
        self.bus = bus
        self.recorder = Recorder()
        bus.subscribe(self.recorder)
        self._config = config
        self._build = build
        self._remember = remember
        self._history = History(config.slm.system_prompt)
        self._assistant: Assistant | None = None
        self._again = True
        self._closed = False

    def run(self) -> None:
        """Hold the conversation until it is closed. Raises what the assistant raises."""
        first_turn = 0
        while self._again and not self._closed:
            self._again = False
            assistant = self._build(self._config, self._history, first_turn)
            self._assistant = assistant
            if self._closed:
                assistant.close()
            assistant.run()
            first_turn = assistant.next_turn
            self._assistant = None

    def interrupt(self) -> None:
        if self._assistant:
            self._assistant.interrupt()

    def mute(self, on: bool) -> None:
        if self._assistant:
            self._assistant.mute(on)

    def say(self, text: str) -> None:
        if self._assistant and text.strip():
            self._assistant.say(text)

    def talk(self, on: bool) -> None:
        if self._assistant:
            self._assistant.talk(on)

    def new_conversation(self) -> None:
        if self._assistant:
            self._assistant.new_conversation()

    def close(self) -> None:
        self._closed = True
        if self._assistant:
            self._assistant.close()

    def transcript(self) -> str:
        """What was said and heard so far, one line a message."""
        names = {"user": "you", "assistant": "edgevoice"}
        return "\n".join(
            f"{names[m.role]}: {m.text}" for m in self._history.messages if m.role in names
        )

    def save_trace(self, path: Path) -> None:
        """Write the events so far as JSON lines. Raises StorageError."""
        self.recorder.save(path)

    def choices(self, kind: Kind) -> list[tuple[str, str]]:
        """What can be chosen: the value to `choose`, and how to show it."""
        if kind in ("input", "output"):
            from edgevoice.devices.portaudio import listed

            return [
                (d.name, f"{d.name} ({d.api}, {d.rate:.0f} Hz)")
                for d in listed()
                if (d.inputs if kind == "input" else d.outputs) > 0
            ]
        from edgevoice.weights.store import Store

        store = Store(self._config)
        return [
            (model.name, f"{model.name}: {model.entry.title}")
            for model in store.installed()
            if model.entry.role == kind
        ]

    def choose(self, kind: Kind, value: str) -> None:
        """Go on with this device or model, and remember the choice in the user's settings.

        Raises EdgevoiceError, with everything left as it was, when it cannot be used.
        """
        key = f"audio.{kind}" if kind in ("input", "output") else f"models.{kind}"
        if value not in (value for value, _ in self.choices(kind)):
            raise UsageError(f"{value!r} is not there any more", remedy="choose another one")
        self._config = self._remember(key, value)
        self._again = True
        if self._assistant:
            self._assistant.close()

"""A session: one conversation that continues when the user changes a device or model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from edgevoice.assistant import Assistant
from edgevoice.bus import Bus
from edgevoice.clock import Clock
from edgevoice.context import Resume
from edgevoice.errors import EdgevoiceError, UsageError
from edgevoice.events import Event, Ready
from edgevoice.history import History
from edgevoice.settings import Config
from edgevoice.trace import Recorder

ChoiceKind = Literal["input", "output", "slm", "stt", "tts"]

Build = Callable[[Config, Resume], Assistant]
"""Builds an assistant from a configuration, to go on with a conversation."""


class SettingsStore(Protocol):
    """Settings that the user changes during the session."""

    def changed(self, key: str, value: str) -> Config:
        """The configuration with `section.key` set to `value`. Raises ConfigError."""

    def keep(self, key: str, value: str) -> None:
        """Write it to the user's configuration file. Raises StorageError or ConfigError."""


class Session:
    """Runs an assistant, and replaces it when the user chooses another model or device.

    The history, the bus and the clock stay; only the pipeline is rebuilt. The commands may be
    called from any thread.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        bus: Bus,
        build: Build,
        settings: SettingsStore,
        quiet: bool = False,
        resume: Resume | None = None,
    ) -> None:
        """`quiet`: with a closed microphone, and replies that are only shown. `resume`: goes on
        with an earlier conversation."""
        self.clock = clock
        self.bus = bus
        self.recorder = Recorder()
        self.saved: list[Path] = []
        """The files that were saved on request, oldest first."""
        bus.subscribe(self.recorder)
        bus.subscribe(self._watch)
        self._config = config
        self._build = build
        self._settings = settings
        self.resume = resume or Resume(History(config.slm.system_prompt))
        """Where the conversation goes on, once `run` has ended."""
        self._history = self.resume.history
        self._assistant: Assistant | None = None
        self.status: Callable[[], str] = lambda: "{}"
        """What `edgevoice kiosk status` is answered with, as JSON without any words."""
        self._closed = self._hurry = self._again = False
        self._mute, self._speaks = quiet, not quiet
        self._monitor = clock.monitor()
        self._former: Config | None = None
        """The configuration to restore if the change being tried fails; else None."""
        self._failure: EdgevoiceError | None = None

    def run(self) -> None:
        """Run until `close` is called or the input ends. Raises the assistant's errors."""
        while True:
            tried = self._config
            try:
                assistant = self._build(tried, self.resume)
                self._assistant = assistant
                if self._closed:
                    assistant.close(self._hurry)
                if self._mute:
                    # A new device or model must not unmute the microphone.
                    assistant.mute(True)
                if not self._speaks:
                    assistant.speak(False)
                assistant.run()
                self.resume = Resume(self._history, assistant.next_turn, assistant.answered)
            except EdgevoiceError as error:
                if not self._take_back(error):
                    raise
            finally:
                self._assistant = None
            if self._closed or (self._config is tried and not self._again):
                return
            self._again = False

    def _watch(self, event: Event) -> None:
        if isinstance(event, Ready) and self._former is not None:
            with self._monitor:
                self._former = None
                self._monitor.notify_all()

    def _take_back(self, error: EdgevoiceError) -> bool:
        """Restore the configuration before the failed change; false if there was no change."""
        with self._monitor:
            if self._former is None:
                return False
            self._config, self._former = self._former, None
            self._failure = error
            self._monitor.notify_all()
            return True

    def interrupt(self) -> None:
        if assistant := self._assistant:
            assistant.interrupt()

    def mute(self, on: bool) -> None:
        self._mute = on
        if assistant := self._assistant:
            assistant.mute(on)

    def speak(self, on: bool) -> None:
        """Speak the replies, or only show them."""
        self._speaks = on
        if assistant := self._assistant:
            assistant.speak(on)

    def say(self, text: str) -> None:
        if (assistant := self._assistant) and text.strip():
            assistant.say(text)

    def talk(self, on: bool) -> None:
        if assistant := self._assistant:
            assistant.talk(on)

    @property
    def listens(self) -> bool:
        """Whether speech is captured by now."""
        assistant = self._assistant
        return assistant is not None and assistant.listens

    @property
    def talking(self) -> bool:
        """Whether push-to-talk is on."""
        assistant = self._assistant
        return assistant is not None and assistant.talking

    @property
    def muted(self) -> bool:
        """Whether the microphone is muted."""
        assistant = self._assistant
        return assistant is not None and assistant.muted

    def new_conversation(self) -> None:
        if assistant := self._assistant:
            assistant.new_conversation()

    def forget(self) -> None:
        """Begin a new conversation, and keep nothing of the former one in memory."""
        self.new_conversation()
        self.recorder.events.clear()

    def restart(self) -> None:
        """Build the pipeline again: engines and devices are opened again, the conversation stays.

        Does not wait for a thread that hangs.
        """
        with self._monitor:
            self._again = True
        if assistant := self._assistant:
            assistant.close(hurry=True)

    def close(self, hurry: bool = False) -> None:
        """End the session. `hurry`: do not wait for a model that is loading."""
        with self._monitor:
            self._closed = True
            self._hurry = self._hurry or hurry
            self._monitor.notify_all()
        if assistant := self._assistant:
            assistant.close(hurry)

    def transcript(self) -> str:
        """The conversation so far, one line per message."""
        names = {"user": "you", "assistant": "edgevoice"}
        return "\n".join(
            f"{names[m.role]}: {m.text}{'— (interrupted)' if m.interrupted else ''}"
            for m in self._history.messages
            if m.role in names
        )

    def save(self, path: Path) -> None:
        """Write the transcript so far if `path` ends in .md, else the events as JSON lines.

        Only the owner can read the file. Raises StorageError.
        """
        self.recorder.save(path)
        self.saved.append(path)

    def choices(self, kind: ChoiceKind) -> list[tuple[str, str]]:
        """The available choices: each value for `choose`, and its label."""
        if kind in ("input", "output"):
            from edgevoice.devices.listing import listed_now
            from edgevoice.devices.names import shown_name

            return [
                (d.name, f"{shown_name(kind, d.name)} ({d.api}, {d.rate:.0f} Hz)")
                for d in listed_now()
                if (d.inputs if kind == "input" else d.outputs) > 0
            ]
        from edgevoice.models.store import Store

        store = Store(self._config)
        return [
            (model.name, f"{model.name}: {model.entry.title}")
            for model in store.installed()
            if model.entry.role == kind and not model.entry.shape
        ]

    def choose(self, kind: ChoiceKind, value: str, keep: bool = False) -> None:
        """Switch to this device or model; with `keep` also in the user's settings.

        Returns when it is in use. Raises EdgevoiceError if it cannot be used; the session then
        continues with the previous one.
        """
        key = f"audio.{kind}" if kind in ("input", "output") else f"models.{kind}"
        if value not in (value for value, _ in self.choices(kind)):
            raise UsageError(f"{value!r} is not there any more", remedy="choose another one")
        self.change(self._settings.changed(key, value))
        if keep:
            self._settings.keep(key, value)

    def change(self, config: Config) -> None:
        """Go on with this configuration.

        Returns when it is in use. Raises EdgevoiceError if it cannot be used; the session then
        continues with the previous one.
        """
        with self._monitor:
            self._former, self._config, self._failure = self._config, config, None
        if assistant := self._assistant:
            assistant.close()
        with self._monitor:
            self._monitor.wait_for(lambda: self._former is None or self._closed)
            if self._failure is not None:
                raise self._failure

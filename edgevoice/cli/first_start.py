"""The first start in a terminal: ask for language, voice and microphone, once."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from edgevoice.cli import Context, complain
from edgevoice.errors import EdgevoiceError, StorageError

if TYPE_CHECKING:
    from edgevoice.settings import Config
    from edgevoice.tui.first_start import Choices, FirstStart

SAMPLE = "{name}. 1, 2, 3, 4, 5."
"""What a voice says; it reads the figures in its own language."""

END_TIMEOUT = 5.0
"""Seconds that the screen has to end after a signal."""


def is_first(origins: Mapping[str, str], path: Path) -> bool:
    """Whether nothing was ever set: no configuration file, variable or option.

    `origins` are those of a resolved configuration, `path` is the configuration file.
    """
    return not path.exists() and all(origin == "default" for origin in origins.values())


def ask(context: Context, config: Config, screen: bool) -> None:
    """Ask on the screen or as plain lines, and write the choices to the configuration file.

    Raises KeyboardInterrupt after Ctrl-C, and SystemExit after a signal or the loss of the
    terminal; nothing is written then, and the next start asks again.
    """
    from edgevoice.cli.first_start_lines import ask_lines

    about = MachineSetup(config)
    try:
        chosen = _ask_on_screen(about) if screen else ask_lines(about)
    finally:
        about.close()
    try:
        context.remember_all(chosen)
    except StorageError as error:
        complain(f"{error}; the choices hold for this session only")
    context.settings.update(chosen)


def _ask_on_screen(about: FirstStart) -> dict[str, str]:
    from edgevoice.tui.end_watch import EndWatch, end_screen
    from edgevoice.tui.first_start import FirstStartApp

    app = FirstStartApp(about)
    ended = threading.Event()
    watch = EndWatch(lambda code: end_screen(app, ended, END_TIMEOUT, code))
    try:
        with watch:
            try:
                chosen = app.run()
            finally:
                ended.set()
    finally:
        if watch.code is not None:
            raise SystemExit(watch.code)
    if chosen is None:
        raise KeyboardInterrupt
    return chosen


def wanted_download(config: Config) -> str:
    """The name of the reference model if it is to be downloaded during the conversation.

    Says why not, if it is wanted and does not suit this machine; that may measure it first.
    """
    if config.models.reference != "yes" or config.audio.wait:
        return ""
    from edgevoice.catalog import REFERENCE
    from edgevoice.fit.reference import is_missing, obstacle, slowness
    from edgevoice.models.progress import shown
    from edgevoice.models.store import Store
    from edgevoice.models.voices import languages

    store = Store(config)
    if not is_missing(store):
        return ""
    with shown() as progress:
        why = obstacle(store, languages(store)) or slowness(progress)
    if why:
        complain(f"{REFERENCE} is not downloaded: {why}; models.reference=no stops this message")
    return "" if why else REFERENCE


class MachineSetup:
    """Languages, voices and the microphone of this machine."""

    def __init__(self, config: Config) -> None:
        from edgevoice.models.store import Store

        self._config = config
        self._store = Store(config)
        self._closed = False
        self._thread: threading.Thread | None = None
        self.status = ""
        self.level = self.loudest = -120.0

    def languages(self) -> Choices:
        """The languages with a voice; the one of the system first."""
        from edgevoice.languages import codes
        from edgevoice.models.voices import best
        from edgevoice.transcription.spoken_language import named

        system = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
        voiced = [code for code in codes() if best(self._store, code)]
        voiced.sort(key=lambda code: (code != system[:2], code != "en", named(code)))
        return [(code, named(code)) for code in voiced]

    def voices(self, language: str) -> Choices:
        """The voices of a language; first the one that speaks it if none is chosen."""
        from edgevoice.catalog import STARTER
        from edgevoice.models.disk import size_text

        entries = [e for e in self._store.ranked("tts") if e.languages and e.speaks(language)]
        here = {entry.name for entry in entries if self._is_here(entry.name)}
        entries.sort(key=lambda e: 0 if e.name in here else 1 if e.name in STARTER else 2)
        return [
            (e.name, e.title if e.name in here else f"{e.title} · {size_text(e.size)}")
            for e in entries
        ]

    def _is_here(self, name: str) -> bool:
        return self._store.find(name) is not None

    def listen(self, language: str, voice: str) -> None:
        """Play a sample, as `edgevoice say` does; a voice that is not here is pulled first."""
        from edgevoice.clock import SystemClock
        from edgevoice.engines.registry import load
        from edgevoice.models.pull import pull
        from edgevoice.open_devices import open_sink
        from edgevoice.synthesis.streaming_tts import StreamingSpeech

        clock = SystemClock()
        self.status = "loading the voice …"
        if not self._is_here(voice):
            pull([voice], self._store, self)
        engine = load(self._store.require(voice), self._config)
        sink = open_sink(self._config, clock)
        with StreamingSpeech(engine, sink, clock, self._config.tts, language) as speech:
            self.status = "playing …"
            name = self._store.catalog.get(voice).title.split(",")[0]
            speech.push(SAMPLE.format(name=name))

    def offers_reference(self, language: str) -> bool:
        """Whether the reference model is missing here, and fits apart from its speed."""
        from edgevoice.fit.reference import is_missing, obstacle

        kiosk = self._config.audio.wait
        return not kiosk and is_missing(self._store) and not obstacle(self._store, [language])

    def reference(self) -> str:
        """What the reference model offers and costs; empty if it is too slow here."""
        from edgevoice.catalog import REFERENCE
        from edgevoice.fit.reference import slowness
        from edgevoice.models.disk import size_text
        from edgevoice.models.progress import NoProgress

        entry = self._store.catalog.get(REFERENCE)
        title = entry.title.split(",")[0]
        offer = f"{title} answers better: {size_text(entry.size)}, in the background"
        return "" if slowness(NoProgress()) else offer

    def begin(self, label: str, total: int, done: int = 0) -> None:
        """Progress of a download."""
        self._label, self._total = label, max(1, total)
        self.reach(done)

    def reach(self, done: int) -> None:
        """Progress of a download, in bytes."""
        self.status = f"{self._label}: {done * 100 // self._total} %"

    def end(self) -> None:
        """The download has ended."""
        self.status = "loading the voice …"

    def say(self, line: str) -> None:
        """A message of a download."""
        self.status = line

    def open_microphone(self) -> str:
        """Open the microphone, and follow its level in a thread; returns its name."""
        from edgevoice.audio import dbfs
        from edgevoice.clock import SystemClock
        from edgevoice.devices.names import shown_name
        from edgevoice.open_devices import open_source

        microphone = open_source(self._config, SystemClock())

        def follow() -> None:
            try:
                while not self._closed and (frame := microphone.read()) is not None:
                    self.level = dbfs(frame.samples)
                    self.loudest = max(self.loudest, self.level)
            except EdgevoiceError:
                self.level = -120.0
            finally:
                microphone.close()

        self._thread = threading.Thread(target=follow, name="level", daemon=True)
        self._thread.start()
        return shown_name("input", microphone.name)

    def close(self) -> None:
        """Close the microphone, so that the conversation can open it."""
        self._closed = True
        if self._thread is not None:
            self._thread.join(timeout=1.0)

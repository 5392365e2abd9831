"""A conversation from the command line: built, shown on the screen or as lines, and traced."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgevoice.cli import Context, complain, metrics, unfinished
from edgevoice.cli.keeping import keeping
from edgevoice.errors import EdgevoiceError

if TYPE_CHECKING:
    from edgevoice.build import Devices
    from edgevoice.bus import Bus
    from edgevoice.player import Player
    from edgevoice.session import Session
    from edgevoice.settings import Config


def is_screen(options: dict[str, Any], record: str | None) -> bool:
    """Whether the conversation is shown on the screen, and not as lines."""
    if options["plain"] or record == "-" or not sys.stdout.isatty():
        return False
    return sys.platform == "win32" or os.environ.get("TERM", "dumb") != "dumb"


def converse(
    context: Context,
    config: Config,
    overrides: dict[str, str],
    options: dict[str, Any],
    source: Callable[[Config, Devices], Any],
    sink: Callable[[Config, Devices], Player],
    record: str | None = None,
    title: str = "edgevoice",
    keep: str = "",
) -> None:
    """Hold the conversation until it ends; `sink` records it to the file `record`, - for stdout."""
    from edgevoice.assistant import Assistant
    from edgevoice.build import Devices, build, echo_free
    from edgevoice.bus import Bus
    from edgevoice.clock import SystemClock, local_time
    from edgevoice.context import AudioIO, Resume, SessionContext
    from edgevoice.events import Notice
    from edgevoice.session import Session

    clock = SystemClock()
    bus = Bus(clock)
    devices = Devices(clock, bus)

    def assemble(config: Config, resume: Resume) -> Assistant:
        listener = source(config, devices)
        try:
            speaker = sink(config, devices)
            if not callable(listener):
                # A microphone; what is made of files hears no speaker.
                listener = echo_free(config, clock, bus, listener, speaker)
            heard = recorder.listen(listener, config, resume.history) if recorder else listener
            session = SessionContext(config, clock, bus, wall=local_time)
            assistant = build(session, AudioIO(heard, speaker), resume)
        except BaseException:
            if hasattr(listener, "close"):
                listener.close()
            raise
        while found:
            bus.emit(Notice(text=found.pop()))
        return assistant

    found = [text] if (text := unfinished.saved(record, options["trace"], keep)) else []
    late: list[str] = []
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: list(map(complain, late)))
        with contextlib.ExitStack() as written:
            written.enter_context(_traced(bus, options["trace"]))
            written.enter_context(metrics.collected(config.metrics, bus, late.append))
            recorder = written.enter_context(keeping(clock, bus, config, keep, late.append))
            session = Session(config, clock, bus, assemble, _Settings(context, overrides))
            stack.enter_context(_reachable(session))

            def hold() -> None:
                # Completed by the thread that holds the conversation, whatever becomes of a screen.
                with written.pop_all():
                    session.run()

            if is_screen(options, record):
                from edgevoice.tui.show import show

                show(session, hold, config.ui.theme, title)
            else:
                _plainly(session, hold, bus, options, record == "-")


class _Settings:
    """Choices made on the screen, over the overrides of the command line."""

    def __init__(self, context: Context, overrides: dict[str, str]) -> None:
        self._context = context
        self._overrides = overrides

    def changed(self, key: str, value: str) -> Config:
        self._overrides = {**self._overrides, key: value}
        return self._context.load(self._overrides).config

    def keep(self, key: str, value: str) -> None:
        self._context.remember(key, value)


@contextlib.contextmanager
def _reachable(session: Session) -> Iterator[None]:
    """Let `edgevoice ptt` and its like reach the session; without that it goes on all the same."""
    from edgevoice.control import controlled
    from edgevoice.events import Event, Ready

    with contextlib.ExitStack() as stack:
        try:
            loaded = stack.enter_context(controlled(session))
        except EdgevoiceError as error:
            complain(str(error))
        else:

            def hear(event: Event) -> None:
                if isinstance(event, Ready):
                    loaded()

            session.bus.subscribe(hear)
        yield


@contextlib.contextmanager
def _traced(bus: Bus, path: Path | None) -> Iterator[None]:
    if path is None:
        yield
        return
    from edgevoice.trace import TraceFile

    trace = TraceFile(path)
    bus.subscribe(trace)
    try:
        yield
    finally:
        trace.close()


def _plainly(
    session: Session, hold: Callable[[], None], bus: Bus, options: dict[str, Any], binary: bool
) -> None:
    from edgevoice.plain import LineWriter, PlainPrinter

    # Sound on stdout leaves the lines to stderr.
    stream = sys.stderr if binary else sys.stdout
    with LineWriter(stream, session.close) as write:
        bus.subscribe(PlainPrinter(write, waterfall=options["waterfall"]))
        hold()
    if write.failure is not None:
        raise write.failure

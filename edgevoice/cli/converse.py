"""Run a conversation: build it, show it on the screen or as lines, and write its trace."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgevoice.cli import Context, complain, echo, metrics, unfinished
from edgevoice.cli.record_turns import turn_recorder
from edgevoice.errors import EdgevoiceError
from edgevoice.harmless import harmless
from edgevoice.places import expanded
from edgevoice.terminal import redraws

if TYPE_CHECKING:
    from edgevoice.bus import Bus
    from edgevoice.engines.pool import EnginePool
    from edgevoice.open_devices import Devices
    from edgevoice.player import Player
    from edgevoice.server.remote_session import RemoteSession
    from edgevoice.session import Session
    from edgevoice.settings import Config


def is_screen(options: dict[str, Any], record: str | None) -> bool:
    """Whether the conversation is shown on the screen, not as lines."""
    return not options["plain"] and record != "-" and redraws(sys.stdout)


def converse(
    context: Context,
    config: Config,
    overrides: dict[str, str],
    options: dict[str, Any],
    source: Callable[[Config, Devices], Any],
    sink: Callable[[Config, Devices], Player],
    record: str | None = None,
    title: str = "edgevoice",
    recordings_folder: str = "",
    quiet: bool = False,
    beside: Callable[[Session, EnginePool], contextlib.AbstractContextManager[None]] | None = None,
    download: str = "",
) -> None:
    """Run a conversation until it ends.

    `source` and `sink` open the devices. `record` is the file that the sink writes, - for standard
    output. Turns are recorded in `recordings_folder`, unless it is empty. `quiet`: replies are only
    shown, and without a screen the questions are the lines of standard input. `beside`: what shows
    and attends the session instead of a screen or lines. `download` names a model to be downloaded
    meanwhile.
    """
    from edgevoice.assistant import Assistant
    from edgevoice.build import build
    from edgevoice.bus import Bus
    from edgevoice.cli.typed import TypedQuestions
    from edgevoice.clock import SystemClock, local_time
    from edgevoice.context import AudioIO, Resume, SessionContext
    from edgevoice.engines.pool import EnginePool
    from edgevoice.events import Notice
    from edgevoice.open_devices import Devices, echo_free
    from edgevoice.session import Session
    from edgevoice.timings import Timings
    from edgevoice.transcript import summary

    clock = SystemClock()
    bus = Bus(clock)
    devices = Devices(clock, bus)
    pool = EnginePool()

    def assemble(config: Config, resume: Resume) -> Assistant:
        input_source = source(config, devices)
        try:
            speaker = sink(config, devices)
            if not callable(input_source):
                # A microphone, which picks up the speaker. Files do not.
                input_source = echo_free(config, clock, bus, input_source, speaker)
            tapped = (
                recorder.tap(input_source, config, resume.history) if recorder else input_source
            )
            session = SessionContext(config, clock, bus, wall=local_time)
            assistant = build(session, AudioIO(tapped, speaker), resume, pool)
        except BaseException:
            if hasattr(input_source, "close"):
                input_source.close()
            raise
        while notices:
            bus.emit(Notice(text=notices.pop()))
        return assistant

    recovered = unfinished.recover(record, options["trace"], recordings_folder)
    notices = list(filter(None, (unfinished.migrate(recordings_folder), recovered)))
    late: list[str] = []
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: list(map(complain, late)))
        with contextlib.ExitStack() as outputs:
            outputs.enter_context(traced(bus, options["trace"]))
            outputs.enter_context(metrics.collected(config.metrics, bus, late.append))
            recorder = outputs.enter_context(
                turn_recorder(clock, bus, config, recordings_folder, late.append)
            )
            outputs.callback(pool.close)
            if download:
                from edgevoice.cli.background_pull import BackgroundPull
                from edgevoice.models.store import Store

                store, words = Store(config), context.words
                stack.enter_context(
                    BackgroundPull(store.catalog.get(download), store, words, bus, late.append)
                )
            session = Session(config, clock, bus, assemble, _Settings(context, overrides), quiet)
            timings = Timings()
            bus.subscribe(timings.add)

            def summed_up() -> list[str]:
                recorded = expanded(recordings_folder) if recordings_folder else None
                output = None if record in (None, "-") else Path(record)
                places = (output, options["trace"], recorded)
                written = [place for place in places if place and place.exists()]
                return summary(timings, [*written, *session.saved])

            stack.enter_context(controllable(session))
            stack.enter_context(_power_watched(session, config))

            def run_session() -> None:
                # The session's thread completes the files, even if the screen fails.
                with outputs.pop_all():
                    session.run()

            if beside is not None:
                with beside(session, pool):
                    run_session()
            else:
                if quiet and not is_screen(options, record):
                    typed = TypedQuestions(session, sys.stdin)
                    bus.subscribe(typed)
                    typed.start()
                shown(session, run_session, summed_up, options, config, title, record)


class _Settings:
    """Settings changed on the screen, which override those of the command line."""

    def __init__(self, context: Context, overrides: dict[str, str]) -> None:
        self._context = context
        self._overrides = overrides

    def changed(self, key: str, value: str) -> Config:
        self._overrides = {**self._overrides, key: value}
        return self._context.load(self._overrides).config

    def keep(self, key: str, value: str) -> None:
        self._context.remember(key, value)


@contextlib.contextmanager
def controllable(session: RemoteSession | Session) -> Iterator[None]:
    """Let `edgevoice ptt`, `mute` and `stop` reach the session; if that fails, only warn."""
    from edgevoice.control import controlled
    from edgevoice.events import Event, Ready

    with contextlib.ExitStack() as stack:
        try:
            loaded = stack.enter_context(controlled(session))
        except EdgevoiceError as error:
            complain(str(error))
        else:

            def on_event(event: Event) -> None:
                if isinstance(event, Ready):
                    loaded()

            session.bus.subscribe(on_event)
        yield


@contextlib.contextmanager
def _power_watched(session: Session, config: Config) -> Iterator[None]:
    """Look after battery and heat during the block, if the settings ask for it."""
    if not config.power.watch:
        yield
        return
    from edgevoice.engines.cpu_budget import cores
    from edgevoice.power import PowerWatch

    def spare(on: bool) -> None:
        cores.reserve((cores.all + 1) // 2 if on else 0, "power")

    watch = PowerWatch(session, config.power, spare)
    task = session.clock.spawn(watch.run, "power")
    try:
        yield
    finally:
        watch.close()
        task.join(1.0)


@contextlib.contextmanager
def traced(bus: Bus, path: Path | None) -> Iterator[None]:
    """Write the events of the block to the file `path`, if there is one."""
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


def shown(
    session: RemoteSession | Session,
    run: Callable[[], None],
    summed_up: Callable[[], list[str]],
    options: dict[str, Any],
    config: Config,
    title: str,
    record: str | None = None,
) -> None:
    """Run the session on the screen or as lines, and print its summary at the end."""
    if is_screen(options, record):
        from edgevoice.tui.show import show

        try:
            show(session, run, config.ui.theme, title)
        finally:
            with contextlib.suppress(OSError):  # the terminal may be gone
                echo("\n".join(summed_up()))
        return
    from edgevoice.plain import LineWriter, PlainPrinter

    stream = sys.stderr if record == "-" else sys.stdout
    with LineWriter(stream, session.close) as write:
        session.bus.subscribe(PlainPrinter(write, waterfall=options["waterfall"]))
        try:
            run()
        finally:
            for line in summed_up():
                write(harmless(line) + "\n")
    if write.failure is not None:
        raise write.failure

"""Run the screen in the main thread, and the session in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, Protocol

from edgevoice.bus import Bus, Subscriber
from edgevoice.tui.app import INTERRUPTED, EdgevoiceApp
from edgevoice.tui.commands import Commands
from edgevoice.tui.end_watch import EndWatch, close_screen, end_screen

SESSION_END_TIMEOUT = 10.0
"""Seconds that the session has to end and complete its files; then as many to end in a hurry."""

SCREEN_END_TIMEOUT = 10.0
"""Seconds that the screen has to end after the session; without a terminal it may wait for ever."""


class Shown(Commands, Protocol):
    """A session on this machine or another one."""

    bus: Bus

    def close(self, hurry: bool = False) -> None:
        """End the session. `hurry`: do not wait for a model that is loading."""


def show(
    session: Shown, run: Callable[[], None], theme: Literal["dark", "light"], title: str
) -> None:
    """Show `session`, which `run` runs, until it or the screen ends.

    Raises what `run` raised, KeyboardInterrupt after Ctrl-C, or SystemExit after a signal or the
    loss of the terminal. By then all files that `run` writes are complete.
    """
    failures: list[BaseException] = []
    session_ended, screen_ended = threading.Event(), threading.Event()

    def subscribe(subscriber: Subscriber) -> Callable[[], None]:
        return session.bus.subscribe(subscriber)

    def work() -> None:
        try:
            run()
        except BaseException as error:
            failures.append(error)
        session_ended.set()
        close_screen(app)

    worker = threading.Thread(target=work, name="session", daemon=True)

    def end(hurry: bool) -> None:
        session.close(hurry)
        if worker.ident is not None and not session_ended.wait(SESSION_END_TIMEOUT):
            session.close(hurry=True)
            session_ended.wait(SESSION_END_TIMEOUT)

    def end_all(code: int) -> None:
        # The session ends first: its files must not wait for a terminal that is gone.
        end(hurry=True)
        end_screen(app, screen_ended, SCREEN_END_TIMEOUT, code)

    class App(EdgevoiceApp):
        # The screen starts first, to show the loading and to be closed by a failure.
        def on_ready(self) -> None:
            if watch.code is None:
                worker.start()
            else:
                self.exit()

    app = App(session, subscribe, theme, title)
    watch = EndWatch(end_all)
    try:
        with watch:
            try:
                app.run()
            finally:
                screen_ended.set()
                # The user does not wait for models that are still loading.
                end(hurry=not app.scene.ready or watch.code is not None)
    finally:
        if failures:
            raise failures[0]
        if watch.code is not None:
            raise SystemExit(watch.code)
    if app.return_code == INTERRUPTED:
        raise KeyboardInterrupt

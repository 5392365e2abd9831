"""Screen and session side by side: the screen has the main thread, the session one of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Literal

from edgevoice.bus import Subscriber
from edgevoice.session import Session
from edgevoice.tui.app import INTERRUPTED, EdgevoiceApp
from edgevoice.tui.outside import Outside

PATIENCE = 10.0
"""Seconds that the session has to end and to complete its files; as many again in a hurry."""

LEAVING = 10.0
"""Seconds that the screen has to go once the session is over. It may wait for ever for a terminal
that is gone."""


def show(
    session: Session, hold: Callable[[], None], theme: Literal["dark", "light"], title: str
) -> None:
    """Show the conversation that `hold` holds, with `session`, until either of them ends.

    Raises what `hold` raised, KeyboardInterrupt after Ctrl-C, or SystemExit after a signal or the
    loss of the terminal. By then everything that `hold` writes is complete.
    """
    failures: list[BaseException] = []
    over, left = threading.Event(), threading.Event()

    def subscribe(subscriber: Subscriber) -> Callable[[], None]:
        return session.bus.subscribe(subscriber)

    def work() -> None:
        try:
            hold()
        except BaseException as error:
            failures.append(error)
        over.set()
        leave()

    def leave() -> None:
        if app.is_running:
            app.call_from_thread(app.exit)

    worker = threading.Thread(target=work, name="session", daemon=True)

    def end(hurry: bool) -> None:
        session.close(hurry)
        if worker.ident is not None and not over.wait(PATIENCE):
            session.close(hurry=True)
            over.wait(PATIENCE)

    def from_outside(code: int) -> None:
        # Before the screen goes, which may take long: nothing that was said waits for a terminal.
        end(hurry=True)
        threading.Thread(target=leave, name="leaving", daemon=True).start()
        if not left.wait(LEAVING):
            os._exit(code)

    class Shown(EdgevoiceApp):
        # The screen first: loading shows on it, and a failure can close it again.
        def on_ready(self) -> None:
            if outside.code is None:
                worker.start()
            else:
                self.exit()

    app = Shown(session, subscribe, theme, title)
    outside = Outside(from_outside)
    try:
        with outside:
            try:
                app.run()
            finally:
                left.set()
                # The user does not wait for models that are still being loaded.
                end(hurry=not app.scene.ready or outside.code is not None)
    finally:
        if failures:
            raise failures[0]
        if outside.code is not None:
            raise SystemExit(outside.code)
    if app.return_code == INTERRUPTED:
        raise KeyboardInterrupt

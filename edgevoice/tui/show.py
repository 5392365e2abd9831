"""Screen and session side by side: the screen has the main thread, the session one of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

from edgevoice.bus import Subscriber
from edgevoice.session import Session
from edgevoice.tui.app import INTERRUPTED, EdgevoiceApp


def show(session: Session, theme: Literal["dark", "light"], title: str) -> None:
    """Hold the session's conversation on the screen until either of them ends.

    Raises what the session raised, or KeyboardInterrupt after Ctrl-C, once the terminal is its old
    self again.
    """
    failures: list[BaseException] = []

    def subscribe(subscriber: Subscriber) -> Callable[[], None]:
        return session.bus.subscribe(subscriber)

    def work() -> None:
        try:
            session.run()
        except BaseException as error:
            failures.append(error)
        if app.is_running:
            app.call_from_thread(app.exit)

    worker = threading.Thread(target=work, name="session", daemon=True)

    class Shown(EdgevoiceApp):
        # The screen first: loading shows on it, and a failure can close it again.
        def on_ready(self) -> None:
            worker.start()

    app = Shown(session, subscribe, theme, title)
    app.run()
    session.close()
    if worker.ident is not None:
        # Nobody waits for models that are still being loaded; what is recorded is completed.
        worker.join(timeout=10.0 if app.scene.ready else 0.5)
    if failures:
        raise failures[0]
    if app.return_code == INTERRUPTED:
        raise KeyboardInterrupt

"""End the screen on a signal, or when its terminal is gone."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

END_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class EndWatch:
    """Calls `end` with the exit code, in a thread of its own, when the screen must end.

    It watches during a `with` block of the main thread. A signal handler that raises would
    interrupt the screen anywhere, so the handlers only write to a pipe. A second SIGTERM or SIGINT
    ends the program at once. On Windows it does nothing.
    """

    def __init__(self, end: Callable[[int], None]) -> None:
        self.code: int | None = None
        """The exit code, once the screen must end; None before."""
        self._end = end
        self._old_handlers: dict[int, object] = {}
        self._received: set[int] = set()

    def __enter__(self) -> EndWatch:
        if not hasattr(select, "poll"):
            return self
        self._pipe_out, self._pipe_in = os.pipe()
        self._terminal = [stream for stream in (0, 1, 2) if os.isatty(stream)]
        for number in (getattr(signal, name) for name in END_SIGNALS):
            old = signal.getsignal(number)
            # An ignored signal stays ignored, for example under nohup.
            if old not in (signal.SIG_IGN, None):
                self._old_handlers[number] = signal.signal(number, self._on_signal)
        self._thread = threading.Thread(target=self._watch, name="end watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if not hasattr(select, "poll"):
            return
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        # The screen may notice that its terminal is gone, and end, before the thread does.
        if self.code is None and self._hangups().poll(0):
            self.code = 128 + signal.SIGHUP
        os.close(self._pipe_in)

    def _hangups(self) -> select.poll:
        """A poll that reports only that the terminal is gone."""
        hangups = select.poll()
        for stream in self._terminal:
            hangups.register(stream, 0)
        return hangups

    def _write_to_nowhere(self) -> None:
        """Keep the screen's writer alive, which the lost terminal would end: the screen would wait
        for it."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in self._terminal:
            os.dup2(nowhere, stream)

    def _on_signal(self, number: int, frame: object) -> None:
        if number in self._received and number != signal.SIGHUP:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._received.add(number)
        os.write(self._pipe_in, bytes([number]))

    def _watch(self) -> None:
        poll = self._hangups()
        poll.register(self._pipe_out, select.POLLIN)
        if any(stream != self._pipe_out for stream, _ in poll.poll()):
            number = int(signal.SIGHUP)
        else:
            received = os.read(self._pipe_out, 1)
            if not received:
                return
            number = received[0]
        if self._hangups().poll(0):
            self._write_to_nowhere()
        self.code = 128 + number
        self._end(self.code)


def close_screen(app: App[Any]) -> None:
    """Close the screen if it runs; called from another thread."""
    if app.is_running:
        app.call_from_thread(app.exit)


def end_screen(app: App[Any], ended: threading.Event, patience: float, code: int) -> None:
    """Close the screen; if it has not `ended` after `patience` seconds, exit with `code`.

    Without a terminal the screen may wait for ever.
    """
    threading.Thread(target=close_screen, args=(app,), name="close screen", daemon=True).start()
    if not ended.wait(patience):
        os._exit(code)

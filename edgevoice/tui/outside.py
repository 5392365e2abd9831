"""What ends the screen from outside: a signal, or a terminal that is gone."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Outside:
    """Calls `end` with the exit code, in a thread of its own, when the screen is to end.

    It does so while the block lasts, which the main thread enters and leaves. A signal handler that
    raises would break off whatever the screen is doing; these only leave a note. A second SIGTERM
    or SIGINT ends the program there and then. Windows has neither of them.
    """

    def __init__(self, end: Callable[[int], None]) -> None:
        self.code: int | None = None
        """The exit code that says why it is to end; None as long as it is not."""
        self._end = end
        self._former: dict[int, object] = {}
        self._noted: set[int] = set()

    def __enter__(self) -> Outside:
        if not hasattr(select, "poll"):
            return self
        self._notes, self._note_to = os.pipe()
        self._terminal = [stream for stream in (0, 1, 2) if os.isatty(stream)]
        for number in (getattr(signal, name) for name in SIGNALS):
            former = signal.getsignal(number)
            # One that is ignored stays so: that is what nohup is for.
            if former not in (signal.SIG_IGN, None):
                self._former[number] = signal.signal(number, self._note)
        self._thread = threading.Thread(target=self._watch, name="outside", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if not hasattr(select, "poll"):
            return
        for number, former in self._former.items():
            signal.signal(number, former)  # type: ignore[arg-type]
        # The screen may have ended because its terminal is gone, before that was noticed here.
        if self.code is None and self._ends().poll(0):
            self.code = 128 + signal.SIGHUP
        os.close(self._note_to)

    def _ends(self) -> select.poll:
        """A poll that tells when the terminal is gone, and nothing else."""
        ends = select.poll()
        for stream in self._terminal:
            ends.register(stream, 0)
        return ends

    def _note(self, number: int, frame: object) -> None:
        if number in self._noted and number != signal.SIGHUP:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._noted.add(number)
        os.write(self._note_to, bytes([number]))

    def _watch(self) -> None:
        either = self._ends()
        either.register(self._notes, select.POLLIN)
        if any(stream != self._notes for stream, _ in either.poll()):
            number = int(signal.SIGHUP)
        else:
            note = os.read(self._notes, 1)
            if not note:
                return
            number = note[0]
        self.code = 128 + number
        self._end(self.code)

"""Work that may take seconds, done away from the screen, which then shows what came of it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial

from edgevoice.errors import EdgevoiceError


class BackgroundTasks:
    """`tell` shows an error; like what came of any work, it is told only when `drain` is called."""

    def __init__(self, tell: Callable[[EdgevoiceError], object]) -> None:
        self._tell = tell
        self._results: deque[Callable[[], object]] = deque()

    def do(self, work: Callable[[], Callable[[], object]]) -> None:
        """Do `work` in a thread of its own; what it returns is to be done by the screen's."""

        def run() -> None:
            try:
                self._results.append(work())
            except EdgevoiceError as error:
                self._results.append(partial(self._tell, error))
            except Exception as error:
                unexpected = EdgevoiceError(
                    f"unexpected {type(error).__name__}: {error}",
                    remedy="see it with --debug --plain",
                )
                self._results.append(partial(self._tell, unexpected))

        # No Textual worker: quitting would wait for it, and a model may take long to load.
        threading.Thread(target=run, name="meanwhile", daemon=True).start()

    def drain(self) -> None:
        """Do what is to be done by now."""
        while self._results:
            self._results.popleft()()

"""Run slow work in background threads, and show its results on the screen."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial

from edgevoice.errors import EdgevoiceError


class BackgroundTasks:
    """Runs work in threads; `drain` calls the results, and `show_error` for errors."""

    def __init__(self, show_error: Callable[[EdgevoiceError], object]) -> None:
        self._show_error = show_error
        self._results: deque[Callable[[], object]] = deque()

    def do(self, work: Callable[[], Callable[[], object]]) -> None:
        """Run `work` in a new thread; the function it returns is called by `drain`."""

        def run() -> None:
            try:
                self._results.append(work())
            except EdgevoiceError as error:
                self._results.append(partial(self._show_error, error))
            except Exception as error:
                unexpected = EdgevoiceError(
                    f"unexpected {type(error).__name__}: {error}",
                    remedy="run again with --debug and --plain, and report what it prints",
                )
                self._results.append(partial(self._show_error, unexpected))

        # Not a Textual worker: quitting would wait for it, and a model may take long to load.
        threading.Thread(target=run, name="background", daemon=True).start()

    def drain(self) -> None:
        """Call the results of finished work, in the thread of the screen."""
        while self._results:
            self._results.popleft()()

"""Child processes of tests: they start with default signals and end with their block."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

PATIENCE = 300.0
"""Seconds after which a process that does nothing has failed. It only ends a test that hangs."""


@contextlib.contextmanager
def running(command: Sequence[object], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run `command` in text mode; `options` are those of `subprocess.Popen`.

    The end of the block kills the process and all that it started, if they still run.
    """
    process = subprocess.Popen(
        [str(word) for word in command], text=True, start_new_session=True, **options
    )
    with process:
        try:
            yield process
        finally:
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.kill()


def until(there: Callable[[], bool]) -> None:
    """Return once `there`, which another process brings about in its own time."""
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def let_children_be_stopped() -> Callable[[], None]:
    """Have child processes start with the default action of the signals that this one ignores.

    A child inherits an ignored signal, for example from `nohup` or a background job, but not a
    handler. So this process handles the signal and does nothing: for itself it stays ignored.
    Returns a function that undoes this.
    """
    ignored = []
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
            ignored.append(number)

    def undo() -> None:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    return undo

"""edgevoice in a terminal of its own, which can be typed into and closed."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from tests.command import LIMITED
from tests.conftest import ROOT
from tests.processes import PATIENCE

ROWS, COLUMNS = 30, 100


class Terminal:
    """A window in which `edgevoice WORDS` has just been started. Where the window does not control
    the program, as a shell's does, the program gets no signal when it is closed."""

    def __init__(
        self,
        *words: str | Path,
        controls: bool = True,
        env: Mapping[str, str] = os.environ,
        cwd: Path = ROOT,
        module: str = "edgevoice",
    ) -> None:
        self._window, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        before = [sys.executable, LIMITED, "terminal"] if controls else []
        command = [*before, sys.executable, "-m", module, *map(str, words)]
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**env, "TERM": "xterm-256color"},
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
        )
        os.close(end)
        self.shown = b""
        """Everything that was written to it, as it was written."""
        self._open = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while self._open:
            if select.select([self._window], [], [], 0.05)[0]:
                try:
                    self.shown += os.read(self._window, 65_536)
                except OSError:  # Nothing has it open any more.
                    return

    def type(self, keys: str) -> None:
        """Press these keys."""
        os.write(self._window, keys.encode())

    def close(self) -> None:
        """Close the window."""
        if self._open:
            self._open = False
            self._reader.join()
            os.close(self._window)

    @property
    def restored(self) -> bool:
        """Whether the screen was shown, and then what had been there before."""
        return self.shown.rpartition(b"\x1b[?1049")[2].startswith(b"l")

    def end(self) -> int:
        """Wait for the end of the program; returns its exit code."""
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            self._reader.join(1.0)
            self.close()

    def wait_for(self, event: str, trace: Path) -> None:
        """Wait until an event of this type stands in the trace that is being written."""
        end = time.monotonic() + PATIENCE
        while not (trace.exists() and f'"type":"{event}"' in trace.read_text("utf-8")):
            assert self.process.poll() is None, self.shown.decode(errors="replace")
            assert time.monotonic() < end, self.shown.decode(errors="replace")
            time.sleep(0.02)

"""Download a model while a conversation runs: `edgevoice models pull` in a process of its own.

The conversation opens no socket. It starts the process at the lowest priority,
watches the file grow, and ends the process with itself; the next conversation resumes.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.catalog import Entry
from edgevoice.models.store import Store

LOOK_SECONDS = 1.0
"""Time between two looks at the file."""
END_SECONDS = 5.0
"""Time that the process has to end."""


class BackgroundPull:
    """The download of one model, in a `with` block around a session on `bus`."""

    def __init__(
        self, entry: Entry, store: Store, words: list[str], bus: Bus, say: Callable[[str], object]
    ) -> None:
        """`words`: global options of edgevoice; `say` gets a line if the block ends first."""
        self._entry, self._store, self._bus, self._say = entry, store, bus, say
        self._command = [
            *(sys.executable, "-m", "edgevoice", *words),
            *("--set", f"models.folder={store.folder}", "models", "pull", entry.name),
        ]
        self._begun, self._end = threading.Event(), threading.Event()
        self._lasts = False
        """Whether the session has not ended, so that its events may follow."""
        self._percent = -1
        self._thread = threading.Thread(target=self._run, name="download", daemon=True)

    def __enter__(self) -> BackgroundPull:
        self._bus.subscribe(self._on_event)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._begun.set()
        self._thread.join()

    def _on_event(self, event: ev.Event) -> None:
        if isinstance(event, (ev.SessionStarted, ev.SessionEnded)):
            self._lasts = isinstance(event, ev.SessionStarted)
            self._begun.set()

    def _run(self) -> None:
        self._begun.wait()
        if self._end.is_set():
            return
        with tempfile.TemporaryFile() as messages:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=messages,
                start_new_session=True,
            )
            try:
                _be_humble(process.pid)
                while process.poll() is None and not self._end.wait(LOOK_SECONDS):
                    self._report()
            finally:
                left = process.poll() is None
                _stop(process)
            if not left:
                problem = _problem(messages) if process.returncode else ""
                self._emit(ev.DownloadEnded(model=self._entry.name, problem=problem))
            elif self._percent >= 0:
                self._say(
                    f"{self._entry.name} is downloaded to {self._percent} %; the next conversation "
                    f"continues, or edgevoice models pull {self._entry.name}"
                )

    def _report(self) -> None:
        done = sum(
            file.size
            if self._store.file_path(self._entry, file).exists()
            else self._store.partial_bytes(file)
            for file in self._entry.files
        )
        percent = done * 100 // self._entry.size
        if percent != self._percent:
            self._percent = percent
            self._emit(
                ev.DownloadProgress(model=self._entry.name, done=done, total=self._entry.size)
            )

    def _emit(self, event: ev.Event) -> None:
        if self._lasts:
            self._bus.emit(event)


def _be_humble(pid: int) -> None:
    """Give the process the lowest priority for the processor and the disk, where that exists."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        process.nice(19 if sys.platform != "win32" else psutil.IDLE_PRIORITY_CLASS)
        if sys.platform.startswith("linux"):
            process.ionice(psutil.IOPRIO_CLASS_IDLE)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _problem(messages: BinaryIO) -> str:
    """The error and the remedy among the messages of the process."""
    messages.seek(0)
    lines = messages.read().decode("utf-8", "replace").splitlines()
    at = next((n for n, line in enumerate(lines) if line.startswith("edgevoice: ")), len(lines))
    found = [line.strip().removeprefix("edgevoice: ").removeprefix("- ") for line in lines[at:]]
    return "; ".join(found) or "the download ended early"

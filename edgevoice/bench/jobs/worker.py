"""Work in a process of its own.

`python -m edgevoice.cli.job` is that process. It reads the work from standard input, and writes
progress, result and failure to standard output. Both are pickled: either end is this program.

Ctrl-C on a terminal reaches both processes. The worker ignores it and ends when the program
terminates it, so that it can hand over what it has measured.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.errors import EdgevoiceError, UsageError

WORKER_COMMAND = ("-m", "edgevoice.cli.job")
T = TypeVar("T")


def python_environment() -> dict[str, str]:
    """The environment of this process, in which Python finds this package."""
    package = Path(__file__).parent.parent.parent.parent
    paths = os.pathsep.join(filter(None, (str(package), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, "PYTHONPATH": paths}


def start_python(words: tuple[str, ...], errors: IO[bytes] | None) -> subprocess.Popen[bytes]:
    """Start Python with this package and pipes for input and output."""
    return subprocess.Popen(
        [sys.executable, *words],
        env=python_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
    )


def claim_stdout() -> IO[bytes]:
    """Standard output for pickles only: what anything else prints goes to standard error."""
    sys.stdout.flush()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


class Worker(Generic[T]):
    """Has `task` done by another process; `made` is its result, whole or in part."""

    def __init__(self, task: object, command: tuple[str, ...] = WORKER_COMMAND) -> None:
        self.made: T | None = None
        self._task = task
        self._command = command

    def run(self, progress: BenchProgress) -> None:
        """Wait for its end. Raises what the work failed with.

        An interruption ends the work too. It is raised once `made` holds what was done until then.
        """
        with tempfile.TemporaryFile() as errors:
            process = start_python(self._command, errors)
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(pickle.dumps(self._task))
                process.stdin.close()
            except BrokenPipeError:
                pass  # its exit code says why
            try:
                failed = self._follow(process.stdout, progress)
            except BaseException:
                process.terminate()
                try:
                    self._follow(process.stdout, progress)
                except BaseException:
                    process.kill()  # interrupted twice: do not wait
                    raise
                raise
            finally:
                process.stdout.close()
                code = process.wait()
            if failed is None and (code != 0 or self.made is None):
                failed = _unexplained(code, errors)
        if failed is not None:
            raise failed

    def _follow(self, messages: IO[bytes], progress: BenchProgress) -> EdgevoiceError | None:
        """Read all messages; returns what the work failed with."""
        failed: EdgevoiceError | None = None
        while True:
            try:
                name, arguments = pickle.load(messages)
            except (EOFError, pickle.UnpicklingError):
                return failed
            if name == "made":
                (self.made,) = arguments
            elif name == "failed":
                (failed,) = arguments
            else:
                getattr(progress, name)(*arguments)


def _unexplained(code: int, errors: IO[bytes]) -> EdgevoiceError:
    errors.seek(0)
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    if code == -9:
        return EdgevoiceError(
            "the system killed the process that measures",
            remedy="memory probably ran out: measure a smaller model, or close other programs",
        )
    last = f": {lines[-1].strip()}" if lines else ""
    return EdgevoiceError(
        f"the process that measures ended with code {code}{last}",
        remedy="measure this alone, with --debug, and report what that prints",
    )


class WorkerProgress:
    """A BenchProgress in the worker; everything goes to the program."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def _send(self, name: str, *arguments: Any) -> None:
        pickle.dump((name, arguments), self._out)
        self._out.flush()

    def begin(self, what: str, total: float) -> None:
        self._send("begin", what, total)

    def done(self, seconds: float, line: str) -> None:
        self._send("done", seconds, line)

    def say(self, line: str) -> None:
        self._send("say", line)

    def made(self, result: object) -> None:
        """Hand over a result."""
        self._send("made", result)

    def failed(self, error: EdgevoiceError) -> None:
        """Hand over a failure."""
        self._send("failed", error)


def task() -> Any:
    """The work from standard input. Ctrl-C is ignored from now on. Raises UsageError."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        if sys.stdin.isatty():
            raise EOFError
        return pickle.load(sys.stdin.buffer)
    except (EOFError, pickle.UnpicklingError):
        raise UsageError(
            "no work on standard input: edgevoice runs this command itself",
            remedy="edgevoice bench run",
        ) from None


@contextmanager
def reporting() -> Iterator[WorkerProgress]:
    """The way to report to the program. An EdgevoiceError in the block is handed over, and ends
    the process with its exit code."""
    with claim_stdout() as out:
        progress = WorkerProgress(out)
        try:
            yield progress
        except EdgevoiceError as error:
            progress.failed(error)
            raise SystemExit(error.exit_code) from None

"""Work in a process of its own: handed over on its standard input, told of line by line.

`python -m edgevoice.cli.job` is that process. It gets the work pickled from the program itself,
and nothing else may write to what it tells its progress and its result through.

A Ctrl-C on the terminal reaches both. That process does not heed it, and is told once by the
program to end: a second time would keep it from telling what it has done.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Generic, TypeVar, Union

import msgspec
from msgspec import Struct

from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.encoding import json_bytes
from edgevoice.errors import (
    AudioFileError,
    ConfigError,
    DeviceError,
    EdgevoiceError,
    EngineError,
    ModelError,
    PullError,
    StorageError,
    UsageError,
)

COMMAND = ("-m", "edgevoice.cli.job")

KINDS: dict[str, type[EdgevoiceError]] = {
    kind.__name__: kind
    for kind in (
        EdgevoiceError,
        UsageError,
        ConfigError,
        AudioFileError,
        DeviceError,
        ModelError,
        PullError,
        StorageError,
        EngineError,
    )
}


class JobBegan(Struct, frozen=True, tag="began"):
    what: str
    total: float


class JobDone(Struct, frozen=True, tag="done"):
    seconds: float
    line: str


class JobSaid(Struct, frozen=True, tag="said"):
    line: str


class JobFailed(Struct, frozen=True, tag="failed"):
    kind: str
    what: str
    where: str
    remedy: str

    def error(self) -> EdgevoiceError:
        """As it was raised there."""
        kind = KINDS.get(self.kind, EdgevoiceError)
        return kind(self.what, where=self.where, remedy=self.remedy)


class JobMade(Struct, frozen=True, tag="made"):
    data: msgspec.Raw


Line = Union[JobBegan, JobDone, JobSaid, JobFailed, JobMade]
T = TypeVar("T", bound=Struct)


class Worker(Generic[T]):
    """Has `task` done by another process; what that makes, whole or in part, is in `made`."""

    def __init__(self, task: object, kind: type[T], command: tuple[str, ...] = COMMAND) -> None:
        self.made: T | None = None
        self._task = task
        self._kind = kind
        self._command = command

    def run(self, progress: BenchProgress) -> None:
        """Wait for its end. Raises what it failed with; whatever interrupts this interrupts it,
        and is raised once it has told what it had done until then."""
        with tempfile.TemporaryFile() as errors:
            process = self._started(errors)
            failed: EdgevoiceError | None = None
            try:
                failed = self._follow(process, progress)
            except BaseException:
                _interrupt(process)
                try:
                    self._follow(process, progress)
                except BaseException:
                    process.kill()  # whoever asks twice does not want to wait
                    raise
                raise
            finally:
                assert process.stdout is not None
                process.stdout.close()
                code = process.wait()
            if failed is None and (code != 0 or self.made is None):
                failed = _unexplained(code, errors)
        if failed is not None:
            raise failed

    def _started(self, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        package = Path(__file__).parent.parent.parent
        paths = os.pathsep.join(filter(None, (str(package), os.environ.get("PYTHONPATH", ""))))
        data = pickle.dumps(self._task)
        process = subprocess.Popen(
            [sys.executable, *self._command],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(data)
        return process

    def _follow(
        self, process: subprocess.Popen[bytes], progress: BenchProgress
    ) -> EdgevoiceError | None:
        """Read what it tells, to the end of it; returns what it failed with."""
        failed: EdgevoiceError | None = None
        assert process.stdout is not None
        for line in process.stdout:
            match msgspec.json.decode(line, type=Line):
                case JobBegan(what, total):
                    progress.begin(what, total)
                case JobDone(seconds, text):
                    progress.done(seconds, text)
                case JobSaid(text):
                    progress.say(text)
                case JobFailed() as told:
                    failed = told.error()
                case JobMade(data):
                    self.made = msgspec.json.decode(data, type=self._kind)
        return failed


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """As `heed_only_the_program` leaves it."""
    with contextlib.suppress(OSError):
        process.terminate()


def _unexplained(code: int, errors: IO[bytes]) -> EdgevoiceError:
    errors.seek(0)
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    if code == -9:
        return EdgevoiceError(
            "the process that measured it was killed by the system",
            remedy="most likely memory ran out: measure a smaller model, or close other programs",
        )
    last = f": {lines[-1].strip()}" if lines else ""
    return EdgevoiceError(
        f"the process that measured it ended with code {code}{last}",
        remedy="measure it by itself, with --debug, and report what that prints",
    )


class WorkerProgress:
    """The other end: a Progress whose lines go to the process that asked."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def _tell(self, line: Line) -> None:
        self._out.write(json_bytes(line) + b"\n")
        self._out.flush()

    def begin(self, what: str, total: float) -> None:
        self._tell(JobBegan(what, total))

    def done(self, seconds: float, line: str) -> None:
        self._tell(JobDone(seconds, line))

    def say(self, line: str) -> None:
        self._tell(JobSaid(line))

    def made(self, result: Struct) -> None:
        """Hand over what was made."""
        self._tell(JobMade(msgspec.Raw(json_bytes(result))))

    def failed(self, error: EdgevoiceError) -> None:
        """Hand over why it was not."""
        self._tell(JobFailed(type(error).__name__, error.what, error.where, error.remedy))


def heed_only_the_program() -> None:
    """Leave it to the program that asked to say when to stop."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


@contextlib.contextmanager
def telling() -> Iterator[WorkerProgress]:
    """Standard output for what is told and nothing else: what anything prints goes to stderr.

    An EdgevoiceError in the block is told, and ends the process with its code.
    """
    sys.stdout.flush()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    told = WorkerProgress(out)
    with out:
        try:
            yield told
        except EdgevoiceError as error:
            told.failed(error)
            raise SystemExit(error.exit_code) from None


def task() -> Any:
    """What was asked for on standard input, by the program itself. Raises UsageError."""
    try:
        if sys.stdin.isatty():
            raise EOFError
        return pickle.load(sys.stdin.buffer)
    except (EOFError, pickle.UnpicklingError):
        raise UsageError(
            "nothing to be done was handed over: the program runs this command itself",
            remedy="edgevoice bench run",
        ) from None

"""Give a reader many inputs, and stop at the first that it takes too long or too much memory for,
or that ends in an error without a name.

    python -m tests.fuzz.batch READER COUNT SEED FOLDER

does so in a process of its own, and prints what became of the inputs.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from types import FrameType

from tests.fuzz.readers import NAMED, READERS

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

SECONDS = 5.0
"""Of processor time, for one input; a busy machine does not count."""
STUCK = 120.0
"""Seconds after which a reader that uses no processor is stuck."""
BYTES = 1 << 30


class Hung(BaseException):
    """No error of the reader: nothing in it may catch this."""


def given(reader: str, number: int, seed: int) -> tuple[bytes, Random]:
    """The input of this number, always the same, and the random numbers it goes on with."""
    chosen, random = READERS[reader], Random(f"{seed} {reader} {number}")
    seeds = _seeds(reader)
    return chosen.mutate(random, random.choice(seeds), seeds), random


@cache
def _seeds(reader: str) -> list[bytes]:
    return list(READERS[reader].seeds())


def run(reader: str, count: int, seed: int, folder: Path) -> dict[str, float]:
    """Give `reader` so many inputs; returns how many it took and refused, and what that cost.

    Raises AssertionError that tells the input at fault.
    """
    read, path = READERS[reader].read, folder / "file"
    given(reader, 0, seed)  # The valid inputs are made before anything is measured.
    began, before = time.process_time(), _peak()
    slowest, refused = 0.0, 0
    for number in range(count):
        data, random = given(reader, number, seed)
        path.write_bytes(data)
        (folder / "number").write_text(str(number))
        start = time.process_time()
        try:
            with _bounded():
                read(data, path, random)
        except NAMED as error:
            refused += 1
            if _out_of_memory(error):
                _fail(reader, number, seed, data, error)
        except (Exception, Hung) as error:
            _fail(reader, number, seed, data, error)
        slowest = max(slowest, time.process_time() - start)
        if _peak() - before > BYTES:
            _fail(reader, number, seed, data, MemoryError(f"{_peak() - before:,} bytes"))
    return {
        "inputs": count,
        "taken": count - refused,
        "refused": refused,
        "seconds": round(time.process_time() - began, 1),
        "slowest": round(slowest, 2),
        "megabytes": round((_peak() - before) / 1e6),
    }


def _fail(reader: str, number: int, seed: int, data: bytes, error: BaseException) -> None:
    shown = repr(data) if len(data) < 2000 else f"{data[:1000]!r} … {data[-500:]!r}"
    raise AssertionError(
        f"{reader}, input {number} of seed {seed} ({len(data):,} bytes): {error!r}\n{shown}"
    ) from error


def _out_of_memory(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, MemoryError):
        error = error.__context__
    return error is not None


def _peak() -> int:
    """The most memory in bytes that this process has had so far; 0 where nothing tells."""
    if resource is None:
        return 0
    if sys.platform.startswith("linux"):
        # What getrusage tells begins with what the process had that started this one.
        (line,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
        return int(line) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Break off what takes too long, and have threads that fail fail it too."""
    lost: list[BaseException | None] = []
    hook, threading.excepthook = threading.excepthook, lambda args: lost.append(args.exc_value)
    timers = {}
    if hasattr(signal, "setitimer"):
        timers = {signal.ITIMER_PROF: (signal.SIGPROF, SECONDS),
                  signal.ITIMER_REAL: (signal.SIGALRM, STUCK)}  # fmt: skip
    former = {number: signal.signal(number, _hung) for number, _ in timers.values()}
    for timer, (_, seconds) in timers.items():
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for timer in timers:
            signal.setitimer(timer, 0)
        for number, handler in former.items():
            signal.signal(number, handler)
        threading.excepthook = hook
    if lost:
        raise RuntimeError("a thread failed") from lost[0]


def _hung(number: int, frame: FrameType | None) -> None:
    raise Hung(f"more than {SECONDS} s")


def _limit_memory() -> None:
    """Let no input take the machine's memory with it: what asks for more gets a MemoryError."""
    if sys.platform.startswith("linux"):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + 4 * BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    name, many, fixed, where = sys.argv[1:]
    given(name, 0, int(fixed))
    _limit_memory()
    print(json.dumps(run(name, int(many), int(fixed), Path(where))))

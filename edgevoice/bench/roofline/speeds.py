"""How fast this machine reads memory and multiplies, measured in a process of its own.

`python -m edgevoice.bench.roofline.speeds` prints it. In a process of its own because the
memory that is read would else be the bench's, and because only before they start can BLAS libraries
be told to use one thread each.

Memory: threads read a stretch of float32 of their own, by numpy's dot product and by its largest
value, whichever is faster. All stretches together are several times the last cache. Writing is not
measured: a language model hardly does.

Arithmetic: numpy's product of two square matrices of float32, and onnxruntime's (MatMulInteger) of
uint8 and int8. They are what good libraries reach here, not what the processor could do at best;
one that is better tuned could be faster.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from edgevoice.audio import Samples
from edgevoice.bench.result.device_record import Speeds

WINDOW = 0.1
"""Seconds of one measurement. The best of several counts: nothing makes a machine too fast."""
ROUNDS = 3
CACHES = 8
"""How many times the last cache is read, if there is memory for that."""
LEAST_CACHES = 2
"""With fewer, no bandwidth is told."""
USUAL_CACHE = 16 << 20
"""Bytes of the last cache where the machine does not tell."""
SMALLEST, LARGEST = 128 << 20, 1 << 30
SHARE = 4
"""Of the memory that is free, one part in so many may be used."""
SIDE = 512
"""Rows and columns of the matrices."""
PATIENCE = 60.0
ONE_THREAD = dict.fromkeys(
    (
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "BLIS_NUM_THREADS",
    ),
    "1",
)

Piece = Callable[[], float]
"""A piece of work; gives how much it was."""


def measured_elsewhere() -> Speeds | None:
    """The speeds, from a process of its own; None if that fails. Takes two or three seconds."""
    package = Path(__file__).parent.parent.parent
    paths = os.pathsep.join(filter(None, (str(package), os.environ.get("PYTHONPATH", ""))))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "edgevoice.bench.roofline.speeds"],
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        return msgspec.json.decode(done.stdout, type=Speeds)
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError):
        return None


def measure() -> Speeds:
    """The speeds of this machine, in this process, which must run BLAS on one thread."""
    from edgevoice.bench.machine.fingerprint import last_level
    from edgevoice.models.machine import cores, free_memory

    threads = cores()
    size = working_set(last_level(), free_memory())
    rates: dict[str, tuple[float | None, float | None]] = {}
    if size:
        rates["memory"] = _reading(size, threads)
    rates["float32"] = multiplying(_float32, threads)
    rates["int8"] = multiplying(_int8, threads)
    found = {
        f"{name}_{which}": value
        for name, pair in rates.items()
        for which, value in zip(("one", "all"), pair, strict=True)
    }
    return Speeds(threads=threads, working_set=size, **found)


def working_set(cache: int | None, free: int) -> int | None:
    """How many bytes to read: well beyond the last `cache`, and no large part of what is free."""
    wanted = max(SMALLEST, min(LARGEST, (cache or USUAL_CACHE) * CACHES))
    size = min(wanted, free // SHARE)
    return size if size >= (cache or USUAL_CACHE) * LEAST_CACHES else None


def together(pieces: Sequence[Piece], seconds: float = WINDOW) -> float:
    """How much a second all `pieces` do at once, each over and over on a thread of its own."""
    rates = [0.0] * len(pieces)
    barrier = threading.Barrier(len(pieces))

    def run(number: int) -> None:
        done, piece = 0.0, pieces[number]
        barrier.wait()
        began = now = time.perf_counter()
        while now - began < seconds:
            done += piece()
            now = time.perf_counter()
        rates[number] = done / (now - began)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(pieces))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(rates)


def _best(pieces: Sequence[Piece]) -> float:
    return max(together(pieces) for _ in range(ROUNDS))


def _reading(size: int, threads: int) -> tuple[float, float]:
    """Bytes a second that one thread reads, and all of them."""
    whole = np.ones(size // 4, dtype=np.float32)
    stretches = np.array_split(whole, threads)

    def dot(part: Samples) -> Piece:
        return lambda: part.nbytes if np.dot(part, part) > 0 else 0.0

    def largest(part: Samples) -> Piece:
        return lambda: part.nbytes if part.max() > 0 else 0.0

    ways = (dot, largest)
    # One thread reads all of it, too: a part might stay in the cache.
    one = max(_best([way(whole)]) for way in ways)
    return one, max(one, max(_best([way(part) for part in stretches]) for way in ways))


def multiplying(make: Callable[[], Piece], threads: int) -> tuple[float | None, float | None]:
    """Operations a second of one thread, and of all; None where the library does not do it."""
    try:
        pieces = [make() for _ in range(threads)]
        for piece in pieces:
            piece()
    except Exception:  # numpy and onnxruntime share no base class
        return None, None
    one = _best(pieces[:1])
    return one, max(one, _best(pieces))


def _float32() -> Piece:
    random = np.random.default_rng(1)
    a, b = (random.random((SIDE, SIDE), dtype=np.float32) for _ in range(2))
    out = np.empty((SIDE, SIDE), dtype=np.float32)

    def piece() -> float:
        np.matmul(a, b, out=out)
        return 2.0 * SIDE**3

    return piece


def _int8() -> Piece:
    from edgevoice.engines.onnx import open_model

    session = open_model(integer_product(SIDE), 1)
    random = np.random.default_rng(1)
    feed = {
        "a": random.integers(0, 128, (SIDE, SIDE), dtype=np.uint8),
        "b": random.integers(-128, 128, (SIDE, SIDE), dtype=np.int8),
    }

    def piece() -> float:
        session.run(None, feed)
        return 2.0 * SIDE**3

    return piece


def integer_product(side: int) -> bytes:
    """An ONNX model of one node: int32 [side, side] = uint8 [side, side] · int8 [side, side]."""
    uint8, int8, int32 = 2, 3, 6
    shape = b"".join(_field(1, _field(1, side)) for _ in range(2))

    def value(name: str, kind: int) -> bytes:
        tensor = _field(1, kind) + _field(2, shape)
        return _field(1, name.encode()) + _field(2, _field(1, tensor))

    node = _field(1, b"a") + _field(1, b"b") + _field(2, b"c") + _field(4, b"MatMulInteger")
    graph = (
        _field(1, node)
        + _field(2, b"product")
        + _field(11, value("a", uint8))
        + _field(11, value("b", int8))
        + _field(12, value("c", int32))
    )
    return _field(1, 8) + _field(8, _field(1, b"") + _field(2, 13)) + _field(7, graph)


def _field(number: int, value: int | bytes) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(measure()))

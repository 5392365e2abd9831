"""How fast this machine reads memory and multiplies, measured in a process of its own.

`python -m edgevoice.bench.roofline.speeds` prints it. BLAS libraries take their number of threads
from the environment when they start, and the memory that is read must not count as the bench's.

Memory: each thread reads a stretch of float32 of its own, by numpy's dot product and by its
largest value; the faster one counts. Arithmetic: products of square matrices, float32 by numpy,
uint8 and int8 by onnxruntime. A better tuned library could be faster than either.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import asdict

from edgevoice.audio import Samples
from edgevoice.bench.jobs.worker import python_environment
from edgevoice.bench.result.device_record import Speeds

PROBE_SECONDS = 0.1  # seconds of one sample
ROUNDS = 5
CACHES, LEAST_CACHES = 8, 2
"""How many times the last-level cache is read; with fewer, nothing is measured."""
USUAL_CACHE = 16 << 20  # bytes of the last-level cache where the system does not report it
SMALLEST, LARGEST = 128 << 20, 1 << 30
MEMORY_PART = 4  # one part in so many of the free memory may be used
SIDE = 512  # rows and columns of the matrices
MEASURE_PATIENCE = 60.0
ONE_THREAD = dict.fromkeys(
    (
        *("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"),
        *("VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS"),
    ),
    "1",
)

WorkPiece = Callable[[], float]
"""Does a piece of work; returns how much it was."""
Rates = tuple[float, ...]
"""Each sample of all threads, a second."""


def measured_elsewhere() -> Speeds | None:
    """The speeds, from a process of its own; None if that fails. Takes about four seconds."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "edgevoice.bench.roofline.speeds"],
            env={**python_environment(), **ONE_THREAD},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=MEASURE_PATIENCE,
            check=True,
        )
        return msgspec.json.decode(done.stdout, type=Speeds)
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError):
        return None


def combined(first: Speeds | None, second: Speeds | None) -> Speeds | None:
    """Both measurements as one: the best of each speed, and all samples."""
    if first is None or second is None:
        return first or second
    made, more = asdict(first), asdict(second)
    for name, value in more.items():
        if name.endswith("_samples"):
            made[name] += value
        elif value is not None:
            made[name] = max(value, made[name] or 0)
    return Speeds(**made)


def measure() -> Speeds:
    """The speeds of this machine, in this process, which must run BLAS on one thread."""
    from edgevoice.bench.machine.host import last_level
    from edgevoice.models.machine import cores, free_memory

    threads = cores()
    size = working_set(last_level(), free_memory())
    rates = {"float32": multiplying(_float32, threads), "int8": multiplying(_int8, threads)}
    if size:
        rates["memory"] = _reading(size, threads)
    found: dict[str, Any] = {f"{name}_samples": samples for name, samples in rates.items()}
    found |= {f"{name}_all": max(samples, default=None) for name, samples in rates.items()}
    return Speeds(threads=threads, working_set=size, **found)


def working_set(cache: int | None, free: int) -> int | None:
    """How many bytes to read: well beyond the last-level `cache`, and a small part of `free`."""
    wanted = max(SMALLEST, min(LARGEST, (cache or USUAL_CACHE) * CACHES))
    size = min(wanted, free // MEMORY_PART)
    return size if size >= (cache or USUAL_CACHE) * LEAST_CACHES else None


def together(pieces: Sequence[WorkPiece], seconds: float = PROBE_SECONDS) -> float:
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


def _samples(pieces: Sequence[WorkPiece]) -> Rates:
    return tuple(together(pieces) for _ in range(ROUNDS))


def _reading(size: int, threads: int) -> Rates:
    whole = np.ones(size // 4, dtype=np.float32)
    stretches = np.array_split(whole, threads)

    def dot(part: Samples) -> WorkPiece:
        return lambda: part.nbytes if np.dot(part, part) > 0 else 0.0

    def largest(part: Samples) -> WorkPiece:
        return lambda: part.nbytes if part.max() > 0 else 0.0

    ways = (dot, largest)
    return max((_samples([way(part) for part in stretches]) for way in ways), key=max)


def multiplying(make: Callable[[], WorkPiece], threads: int) -> Rates:
    """Operations a second in each sample; () if the library fails."""
    try:
        pieces = [make() for _ in range(threads)]
        for piece in pieces:
            piece()
    except Exception:  # numpy and onnxruntime share no base class
        return ()
    return _samples(pieces)


def _float32() -> WorkPiece:
    random = np.random.default_rng(1)
    a, b = (random.random((SIDE, SIDE), dtype=np.float32) for _ in range(2))
    out = np.empty((SIDE, SIDE), dtype=np.float32)

    def piece() -> float:
        np.matmul(a, b, out=out)
        return 2.0 * SIDE**3

    return piece


def _int8() -> WorkPiece:
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
    from onnx import TensorProto, helper

    kinds = {"a": TensorProto.UINT8, "b": TensorProto.INT8, "c": TensorProto.INT32}
    a, b, c = (helper.make_tensor_value_info(n, kind, [side, side]) for n, kind in kinds.items())
    node = helper.make_node("MatMulInteger", ["a", "b"], ["c"])
    graph = helper.make_graph([node], "product", [a, b], [c])
    opset = [helper.make_opsetid("", 13)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(measure()))

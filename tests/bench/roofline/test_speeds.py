"""The limits of the machine are measured, in a process of their own, or told not to be known."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from edgevoice.bench.result.device_record import Speeds
from edgevoice.bench.roofline import speeds
from edgevoice.bench.roofline.speeds import measured_elsewhere
from edgevoice.engines.onnx import open_model

MB = 1 << 20


@pytest.mark.parametrize(
    ("cache", "free", "expected"),
    [
        (32 * MB, 16_000 * MB, 256 * MB),
        (2 * MB, 16_000 * MB, 128 * MB),
        (512 * MB, 64_000 * MB, 1024 * MB),
        (None, 16_000 * MB, 128 * MB),
        (32 * MB, 400 * MB, 100 * MB),
        (32 * MB, 200 * MB, None),
    ],
)
def test_what_is_read_is_well_beyond_the_last_cache(
    cache: int | None, free: int, expected: int | None
) -> None:
    """Eight times as much, within bounds and a quarter of what is free; or nothing is claimed."""
    assert speeds.working_set(cache, free) == expected


def test_pieces_at_once_are_added_up() -> None:
    """Two threads at work are as much as both of them, on whatever machine."""
    done = [0, 0]

    def piece(number: int) -> float:
        done[number] += 1
        return 3.0

    rate = speeds.together([lambda: piece(0), lambda: piece(1)], seconds=0.02)
    assert min(done) >= 1
    assert rate > 0


def test_the_product_of_integers_is_one() -> None:
    """The model that is made by hand multiplies what it says it does."""
    session = open_model(speeds.integer_product(8), 1)
    random = np.random.default_rng(3)
    # Larger ones overflow where a processor adds two products in 16 bits.
    a = random.integers(0, 128, (8, 8), dtype=np.uint8)
    b = random.integers(-128, 128, (8, 8), dtype=np.int8)
    made = session.run(None, {"a": a, "b": b})[0]
    assert np.array_equal(made, a.astype(np.int32) @ b.astype(np.int32))


def test_a_library_that_refuses_has_no_speed() -> None:
    """None for what could not be measured; the rest still is."""

    def refuse() -> speeds.WorkPiece:
        raise RuntimeError("no such kernel here")

    assert speeds.multiplying(refuse, 2) == ()


def test_a_measurement_that_fails_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that cannot be started, fails, or says something else."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert measured_elsewhere() is None

    def rubbish(*_: object, **__: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess([], 0, stdout=b"hello", stderr=b"")

    monkeypatch.setattr(subprocess, "run", rubbish)
    assert measured_elsewhere() is None


def test_samples_before_and_after_a_bench_are_put_together() -> None:
    """The best of each counts, every sample is there, and one measurement may be missing."""
    first = Speeds(threads=2, memory_all=5.0, memory_samples=(5.0, 4.0))
    second = Speeds(threads=2, memory_all=4.0, memory_samples=(2.0,), int8_all=7.0)
    both = speeds.combined(first, second)
    assert both is not None
    assert (both.threads, both.memory_all, both.int8_all) == (2, 5.0, 7.0)
    assert both.memory_samples == (5.0, 4.0, 2.0)
    assert speeds.combined(None, second) == speeds.combined(second, None) == second


@pytest.mark.slow
def test_this_machine_has_speeds() -> None:
    """Each speed is in the range of machines there are."""
    found = measured_elsewhere()
    assert found is not None
    assert found.float32_all is not None
    assert found.float32_all > 1e8
    assert len(found.float32_samples) == speeds.ROUNDS
    if found.memory_all is not None:
        assert found.memory_all > 1e8

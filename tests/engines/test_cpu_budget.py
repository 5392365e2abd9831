"""The ledger of cores, on an account of busy time that the test writes itself."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import threading
from collections import namedtuple

import pytest

from edgevoice.engines.cpu_budget import (
    GRACE,
    RECLAIM_WINDOW,
    SAMPLE_INTERVAL,
    YIELD_WINDOW,
    CpuBudget,
    Priority,
    used_elsewhere,
)
from tests.processes import PATIENCE, until

MOST = RECLAIM_WINDOW + YIELD_WINDOW + 2 * SAMPLE_INTERVAL
"""Seconds within which everything is noticed."""


class Machine:
    """A ledger of `cores` cores, and a machine whose other programs take what the test says."""

    def __init__(self, cores: int = 2) -> None:
        self.time = 100.0
        self.had = 1000.0
        self.ledger = CpuBudget(cores, lambda: self.had, lambda: self.time)

    def run(self, seconds: float, others: float) -> list[int]:
        """What is left, asked every hundredth, while other programs take `others` cores."""
        left = []
        for _ in range(round(seconds * 100)):
            self.time += 0.01
            self.had += 0.01 * others
            left.append(self.ledger.left())
        return left


def test_what_our_own_stages_take_is_not_left() -> None:
    """Every stage's cores count while it computes, together, and are there again afterwards."""
    ledger = Machine(4).ledger
    assert ledger.left() == 4
    with ledger.taken(1):
        assert ledger.left() == 3
        with ledger.taken(2):
            assert ledger.left() == 1
        assert ledger.left() == 3
    assert ledger.left() == 4


def test_what_is_reserved_is_left_to_those_who_cannot_wait() -> None:
    """A core kept for a stage that may come is there for who says so, but not once it has come."""
    ledger = Machine(2).ledger
    ledger.reserve(1)
    assert ledger.left() == 1
    assert ledger.left(reserved_too=True) == 2
    with ledger.taken(1):
        assert ledger.left(reserved_too=True) == 1


def test_who_would_be_one_too_many_waits_for_a_core() -> None:
    """Waiting ends when a core is given back, or when it is given up."""
    ledger = Machine(2).ledger
    ledger.wait_for_one(lambda: False)
    begun, over = threading.Event(), threading.Event()

    def wait() -> None:
        ledger.wait_for_one(lambda: begun.set() or False)
        over.set()

    with ledger.taken(2):
        ledger.wait_for_one(lambda: True)
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert begun.wait(PATIENCE)
        assert not over.is_set()
    waiting.join(PATIENCE)
    assert over.is_set()


def queue(ledger: CpuBudget, *turns: tuple[object, Priority]) -> list[tuple[object, Priority]]:
    """The order in which these turns are had, all asked for, one by one, during another turn."""
    had: list[tuple[object, Priority]] = []

    def compute(owner: object, priority: Priority) -> None:
        with ledger.turn(owner, priority):
            had.append((owner, priority))

    threads = [threading.Thread(target=compute, args=turn) for turn in turns]
    with ledger.turn("somebody", Priority.IDLE):
        for number, thread in enumerate(threads, 1):
            thread.start()
            until(lambda number=number: ledger.waiting == number)
    for thread in threads:
        thread.join(PATIENCE)
    return had


def test_what_is_heard_next_comes_before_what_is_thought_ahead() -> None:
    """Whatever was asked for first; otherwise that decides."""
    idle, ahead, urgent = Priority.IDLE, Priority.AHEAD, Priority.URGENT
    asked = [("a", idle), ("b", ahead), ("c", urgent), ("d", ahead), ("e", urgent)]
    expected = [("c", urgent), ("e", urgent), ("b", ahead), ("d", ahead), ("a", idle)]
    assert queue(CpuBudget(2, lambda: 0.0), *asked) == expected


def test_between_two_urgent_turns_of_one_session_no_other_begins_its_own_work_ahead() -> None:
    """A batch that another session begins there would delay every token of a reply."""
    machine = Machine()
    order: list[str] = []
    with machine.ledger.turn("reply", Priority.URGENT):
        pass

    def prefill() -> None:
        with machine.ledger.turn("other", Priority.AHEAD):
            order.append("other")

    thread = threading.Thread(target=prefill)
    thread.start()
    until(lambda: machine.ledger.waiting == 1)
    with machine.ledger.turn("reply", Priority.URGENT):
        order.append("reply")
    machine.time += 2 * GRACE
    thread.join(PATIENCE)
    assert order == ["reply", "other"]


def test_there_is_always_one_core_left() -> None:
    """Whoever asks goes on computing, whatever the others take."""
    machine = Machine(1)
    with machine.ledger.taken(3):
        assert machine.run(1.0, others=5.0)[-1] == 1


def test_a_stage_that_fails_gives_its_cores_back() -> None:
    """An error in the middle of a stage's work leaves nothing taken."""
    ledger = Machine().ledger
    with pytest.raises(OSError, match="gone"), ledger.taken(2):
        raise OSError("gone")
    assert ledger.left() == 2


@pytest.mark.parametrize("share", [0.5, 0.67, 1.0])
def test_a_busy_program_is_noticed_within_a_turn_and_so_is_its_end(share: float) -> None:
    """It gets a core within tenths of a second, though beside us it has only a share of one."""
    machine = Machine()
    assert set(machine.run(1.0, others=0.02)) == {2}
    assert machine.run(MOST, others=share)[-1] == 1
    assert set(machine.run(1.0, others=1.0)) == {1}
    assert machine.run(MOST, others=0.02)[-1] == 2


def test_each_busy_program_gets_a_core() -> None:
    """Three of them on four cores leave one."""
    machine = Machine(4)
    assert machine.run(1.0, others=3.0)[-1] == 1
    assert machine.run(1.0, others=2.0)[-1] == 2


@pytest.mark.parametrize("level", [0.1, 0.3, 1.0])
def test_noise_does_not_flap(level: float) -> None:
    """Other programs that take now more, now less about some level change the plan once at most."""
    noise = random.Random(7)
    machine = Machine()
    left = [
        machine.run(0.01, others=max(0.0, level + noise.uniform(-0.15, 0.15)))[0]
        for _ in range(1000)
    ]
    assert sum(one != other for one, other in itertools.pairwise(left)) <= 1


def test_a_short_burst_takes_no_core() -> None:
    """A tick of the clock charged to somebody else is not a busy program."""
    machine = Machine()
    machine.run(1.0, others=0.0)
    assert set(machine.run(0.02, others=1.0) + machine.run(0.5, others=0.0)) == {2}


def test_the_account_is_read_seldom() -> None:
    """Asking for every token costs nothing: the machine is looked at a few times a second."""
    looks = 0

    def look() -> float:
        nonlocal looks
        looks += 1
        return 0.0

    machine = Machine()
    ledger = CpuBudget(2, look, lambda: machine.time)
    for _ in range(1000):
        machine.time += 0.001
        ledger.left()
    assert looks <= 1 / SAMPLE_INTERVAL + 2


Cpu = namedtuple("Cpu", "user nice system idle iowait irq softirq steal")


@pytest.mark.parametrize(("niceness", "expected"), [(0, 60.0), (10, 64.0)])
def test_others_had_what_was_busy_on_our_cores_less_what_we_had(
    monkeypatch: pytest.MonkeyPatch, niceness: int, expected: float
) -> None:
    """Idle cores, cores we may not use, our own time and programs that make way do not count."""
    machine = [
        Cpu(50.0, 3.0, 10.0, 500.0, 9.0, 1.0, 1.0, 2.0),
        Cpu(20.0, 1.0, 6.0, 500.0, 9.0, 0.0, 0.0, 0.0),
        Cpu(999.0, 999.0, 999.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ]
    monkeypatch.setattr("psutil.cpu_times", lambda percpu: machine)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1}, raising=False)
    monkeypatch.setattr("os.getpriority", lambda which, who: niceness, raising=False)
    monkeypatch.setattr("time.process_time", lambda: 30.0)
    assert used_elsewhere() == pytest.approx(expected)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have no priority there")
def test_a_thread_that_gives_way_reads_the_same_account() -> None:
    """One thread of ours at a lower priority does not make all that is nice look busy, or idle."""
    found = list[float]()

    def give_way_and_look() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        found.append(used_elsewhere())

    thread = threading.Thread(target=give_way_and_look)
    before = used_elsewhere()
    thread.start()
    thread.join()
    after = used_elsewhere()
    assert before - 0.1 <= found[0] <= after + 0.1


def test_the_real_account_grows_while_another_program_computes() -> None:
    """A busy child process is seen on this very machine."""
    before = used_elsewhere()
    code = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert used_elsewhere() > before + 0.3

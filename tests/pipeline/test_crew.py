"""One lifetime for all threads: the first failure stops everyone."""

from __future__ import annotations

import signal
import sys
import threading

import pytest

from edgevoice.clock import SystemClock
from edgevoice.crew import Crew
from edgevoice.testing.virtual import DeadlockError, VirtualClock

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup


class Stage:
    """Runs until it is stopped, or fails at a given time."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.stopped = False
        self.stops = 0

    def stop(self) -> None:
        self.stopped = True
        self.stops += 1

    def work(self) -> None:
        self.clock.wait(lambda: self.stopped)

    def fail_at(self, time: float, error: Exception) -> None:
        self.clock.sleep(time)
        raise error


def test_the_first_failure_stops_all_and_is_raised() -> None:
    """A member's error ends the others and comes out of the block as it was."""
    clock = VirtualClock()
    stage = Stage(clock)

    def both() -> None:
        with Crew(clock, stage.stop) as crew:
            crew.start("worker", stage.work)
            crew.start("failing", lambda: stage.fail_at(2.0, ValueError("broken")))
            crew.join()

    with pytest.raises(ValueError, match="broken"):
        both()
    assert stage.stops == 1


def test_several_failures_surface_as_a_group() -> None:
    """No error is lost when more than one member fails."""
    clock = VirtualClock()

    def both() -> None:
        with Crew(clock, lambda: None) as crew:
            crew.start("a", lambda: Stage(clock).fail_at(1.0, ValueError("a")))
            crew.start("b", lambda: Stage(clock).fail_at(1.0, KeyError("b")))
            crew.join()

    with pytest.raises(ExceptionGroup) as caught:
        both()
    assert {type(e) for e in caught.value.exceptions} == {ValueError, KeyError}


def test_leaving_the_block_stops_the_members_and_waits_for_them() -> None:
    """No thread outlives its crew."""
    clock = VirtualClock()
    stage = Stage(clock)
    ended = []

    def work() -> None:
        stage.work()
        clock.sleep(1.0)
        ended.append(clock.now())

    with Crew(clock, stage.stop) as crew:
        crew.start("worker", work)
    assert ended == [1.0]


@pytest.mark.parametrize(("hurry", "left_at"), [(False, 10.0), (True, 1.0)])
def test_a_member_that_is_stuck_is_left_behind_and_at_once_in_a_hurry(
    hurry: bool, left_at: float
) -> None:
    """As one in which a model is being loaded: it ends with the program."""
    clock = VirtualClock()
    crew = Crew(clock, lambda: None)

    def user() -> None:
        clock.sleep(1.0)
        crew.hurry()

    with crew:
        crew.start("stuck", lambda: clock.sleep(100.0))
        if hurry:
            clock.spawn(user, "user")
    assert left_at <= clock.now() < left_at + 1.0
    assert not crew.ended


def test_a_deadlock_is_told_and_names_who_waits() -> None:
    """On virtual time threads that wait for each other fail the test instead of hanging it."""
    clock = VirtualClock()
    clock.spawn(lambda: clock.wait(lambda: False), "stuck")
    with pytest.raises(DeadlockError, match="stuck"):
        clock.wait(lambda: False)


def test_a_wait_that_a_signal_breaks_off_still_knows_who_runs() -> None:
    """Otherwise the session would be over before its last stage, and the trace without its end."""

    class Signalled(Exception):
        """What the handler raises."""

    def handler(number: int, frame: object) -> None:
        raise Signalled

    release = threading.Event()
    before = signal.signal(signal.SIGALRM, handler)
    task = SystemClock().spawn(release.wait, "stage")
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Signalled):
            task.join()
        assert not task.join(0.0)
    finally:
        signal.signal(signal.SIGALRM, before)
        release.set()
    assert task.join()

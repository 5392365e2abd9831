"""What the process takes of the machine, and what it gives back."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from edgevoice import events as ev
from edgevoice.resources import free_memory, share_heaps
from edgevoice.testing.rehearsal import Rehearsal

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")

THREADS = """
import ctypes, threading
from edgevoice.resources import share_heaps
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
share_heaps()
together, places = threading.Barrier(8), []
def work():
    together.wait()
    places.append(libc.malloc(50_000))
    together.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
main = next(line for line in open("/proc/self/maps") if line.endswith("[heap]\\n"))
start, end = (int(address, 16) for address in main.split()[0].split("-"))
print(len({place >> 26 for place in places if not start <= place < end}))
"""
"""Prints in how many heaps beside the main one eight threads allocate."""


def test_memory_is_given_back_between_turns_only_and_once() -> None:
    """After loading and after each reply that no other turn follows, but never while a turn is
    under way or a reply is played, however long the pause or the reply is."""
    show = Rehearsal("That takes a while to say, and then a little longer than you would think.")
    show.meter = lambda: ev.Resources(cpu=1.0, rss=1)
    show.loading_seconds = 3.0
    show.wait_for_ready = False
    show.hear(
        (6.0, "what is one", 1.0), (9.0, "no, what is two", 1.0), (40.0, "what is three", 1.0)
    )
    freed: list[float] = []

    def free() -> None:
        freed.append(show.clock.now())
        ended = {e.turn for e in show.all(ev.TurnCompleted)}
        ended |= {e.turn for e in show.all(ev.TurnCancelled)}
        assert ended == {e.turn for e in show.all(ev.TurnStarted)}

    show.free_memory = free
    show.run()
    first, _, third = show.all(ev.TurnCompleted)
    assert first.interrupted
    assert len(show.all(ev.Resources)) > 40
    assert len([time for time in freed if 3.0 <= time < 6.0]) == 1
    assert len([time for time in freed if 10.0 < time < 40.0]) == 1
    assert len([time for time in freed if time < third.t]) == 2


@LINUX
def test_threads_share_two_heaps() -> None:
    """Eight threads that allocate at once take one heap beside the main one."""
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True)
    assert done.stderr == ""
    assert int(done.stdout) <= 1


@LINUX
def test_a_c_library_that_cannot_give_memory_back_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without `malloc_trim` and `mallopt`, as in musl, nothing happens."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not free_memory()
    assert not share_heaps()

"""What the process takes of the machine, and what it gives back."""

from __future__ import annotations

import ctypes
import sys

import pytest

from edgevoice import events as ev
from edgevoice.resources import free_memory
from edgevoice.testing.rehearsal import Rehearsal


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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")
def test_a_c_library_that_cannot_give_memory_back_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without `malloc_trim`, as in musl, nothing happens."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not free_memory()

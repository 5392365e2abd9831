"""Verdicts are given once and never taken back."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edgevoice.clock import SystemClock
from edgevoice.turn import Turn


def turn() -> Turn:
    return Turn(0, "speech", SystemClock().monitor())


def test_a_turn_is_committed_once() -> None:
    """The second commitment changes nothing and says so."""
    t = turn()
    assert t.commit()
    assert not t.commit()
    assert t.committed


def test_a_cancelled_turn_can_never_be_committed() -> None:
    """What was taken back stays unheard."""
    t = turn()
    assert t.cancel("resumed")
    assert not t.commit()
    assert not t.committed


def test_a_turn_is_cancelled_once_and_keeps_its_first_reason() -> None:
    """A barge-in is not overwritten by the shutdown that follows it."""
    t = turn()
    t.commit()
    assert t.cancel("barge_in")
    assert not t.cancel("shutdown")
    assert t.reason == "barge_in"


def test_a_settled_turn_cannot_be_cancelled() -> None:
    """What is over is over."""
    t = turn()
    t.commit()
    assert t.settle()
    assert not t.settle()
    assert not t.cancel("interrupted")
    assert not t.live


@given(st.lists(st.sampled_from(["commit", "cancel", "settle"]), max_size=8))
def test_no_order_of_verdicts_revives_a_turn(calls: list[str]) -> None:
    """Once not live, never live again; once committed or cancelled, always so."""
    t = turn()
    seen = []
    for call in calls:
        getattr(t, call)(*(["failed"] if call == "cancel" else []))
        seen.append((t.live, t.committed, t.cancelled))
    for (live, committed, cancelled), after in pairwise(seen):
        assert live or not after[0]
        assert not committed or after[1]
        assert not cancelled or after[2]

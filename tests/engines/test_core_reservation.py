"""The recognizer's core is kept free while there is speech, and only then."""

from __future__ import annotations

from edgevoice import events as ev
from edgevoice.engines.core_reservation import CoreReservation
from edgevoice.engines.cpu_budget import CpuBudget


def following(*events: ev.Event) -> list[int]:
    """Cores left of two after each event."""
    cores = CpuBudget(2, lambda: 0.0, lambda: 0.0)
    phases = CoreReservation(cores)
    left = []
    for event in events:
        phases(event)
        left.append(cores.left())
    return left


def recognized(turn: int) -> ev.FinalTranscript:
    return ev.FinalTranscript(turn=turn, text="Why?", language="en", no_speech=0.0, logprob=0.0)


def test_a_core_is_kept_from_the_first_word_until_the_question_is_read() -> None:
    """Even between two looks, when nobody computes on it."""
    assert following(
        ev.TurnStarted(turn=0, origin="speech"),
        ev.SpeechStarted(turn=0, at=1.0),
        ev.SpeechPaused(turn=0, at=2.0),
        recognized(0),
    ) == [2, 1, 1, 2]


def test_it_is_kept_when_the_user_goes_on_after_a_pause() -> None:
    """The turn that goes on has the core; the end of the one before does not take it away."""
    assert following(
        ev.SpeechStarted(turn=0, at=1.0),
        recognized(0),
        ev.TurnCancelled(turn=0, reason="resumed"),
        ev.SpeechStarted(turn=1, at=1.0),
        ev.TurnCancelled(turn=0, reason="resumed"),
    ) == [1, 2, 2, 1, 1]


def test_it_is_given_back_when_nothing_was_said_or_the_session_ends() -> None:
    """A core that nobody will use is not kept from the reply."""
    assert following(
        ev.SpeechStarted(turn=0, at=1.0), ev.TurnCancelled(turn=0, reason="no_speech")
    ) == [1, 2]
    assert following(ev.SpeechStarted(turn=0, at=1.0), ev.SessionEnded(reason="closed")) == [1, 2]


def test_the_end_of_one_session_takes_no_core_from_another() -> None:
    """Two users speak at once, and one of them is read first."""
    cores = CpuBudget(2, lambda: 0.0, lambda: 0.0)
    one, other = CoreReservation(cores), CoreReservation(cores)
    one(ev.SpeechStarted(turn=0, at=1.0))
    other(ev.SpeechStarted(turn=0, at=1.0))
    one(recognized(0))
    assert cores.left() == 1
    other(recognized(0))
    assert cores.left() == 2

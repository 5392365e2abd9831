"""What counts as work, and what as a fault."""

from __future__ import annotations

from edgevoice import events as ev
from edgevoice.kiosk.health import TURN_TIMEOUT, ZEROS_TIMEOUT, Health
from tests.sessions import Session


def health_of(session: Session) -> Health:
    health = Health()
    for event in session.events:
        health.add(event)
    return health


def listening() -> Session:
    return Session().ready().at(2).add(ev.Listening(), ev.Ready())


def heard(session: Session, start: float, end: float, dbfs: float, speech: float = 0.0) -> Session:
    """Levels ten times a second."""
    for n in range(int((end - start) * 10)):
        session.at(start + n / 10).add(ev.Level(dbfs=dbfs, speech=speech))
    return session


def test_a_quiet_room_is_no_fault() -> None:
    """However long; a live microphone always has some noise."""
    health = health_of(heard(listening(), 2, 500, -90.0))
    assert health.problem(500) == ""


def test_nothing_but_zeros_is_a_fault() -> None:
    """A cable that is out, or a driver that hangs; not while it is muted."""
    session = heard(listening(), 2, 40, -120.0)
    assert "zeros" in health_of(session).problem(40)
    muted = heard(listening().add(ev.Muted(on=True)), 2, 40, -120.0)
    assert health_of(muted).problem(40) == ""
    closed = health_of(session)
    closed.closed = True
    closed.add(session.events[-1])
    assert closed.problem(40) == ""
    assert ZEROS_TIMEOUT < 38


def test_no_frames_are_a_fault_unless_the_device_is_known_to_be_away() -> None:
    """A lost device is waited for."""
    session = heard(listening(), 2, 10, -60.0)
    assert "no sound" in health_of(session).problem(20)
    session.add(ev.DeviceLost(kind="input", name="USB", remedy="plug it in"))
    assert health_of(session).problem(20) == ""


def test_a_turn_without_progress_is_a_fault() -> None:
    """Whichever stage hangs: the turn makes no progress."""
    session = heard(listening(), 2, 60, -60.0)
    session.at(10).add(ev.TurnStarted(turn=0, origin="speech"))
    session.at(12).add(ev.PrefillStarted(turn=0))
    session.at(59).add(ev.Level(dbfs=-60.0, speech=0.0))
    assert health_of(session).problem(12 + TURN_TIMEOUT - 1) == ""
    assert "no progress" in health_of(session).problem(12 + TURN_TIMEOUT + 1)


def test_a_long_question_is_progress() -> None:
    """Somebody who speaks for a minute is not taken for a hanging turn."""
    session = listening().at(5).add(ev.TurnStarted(turn=0, origin="speech"))
    heard(session, 5, 70, -30.0, speech=0.9)
    assert health_of(session).problem(70) == ""

"""The Python API's answered turns, from events."""

from __future__ import annotations

import pytest

from edgevoice.api import AnsweredTurn, TurnReporter
from tests.sessions import Session


def test_an_answered_turn_is_reported_once() -> None:
    """With question, reply and a response time that its spans add up to."""
    turns: list[AnsweredTurn] = []
    reporter = TurnReporter(turns.append)
    session = Session().ready().asked(0, 3.0, "What time is it?").answered(0, 3.0, ["It is noon."])
    for event in session.events:
        reporter(event)
    (turn,) = turns
    assert (turn.question, turn.reply, turn.interrupted) == (
        "What time is it?",
        "It is noon.",
        False,
    )
    assert turn.response_time == pytest.approx(sum(turn.spans.values()))


def test_an_error_in_the_callers_function_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """And the next turn is reported all the same."""
    calls: list[str] = []

    def fail(turn: AnsweredTurn) -> None:
        calls.append(turn.question)
        raise ValueError("my mistake")

    reporter = TurnReporter(fail)
    session = Session().ready().asked(0, 3.0, "One?").answered(0, 3.0, ["Yes."])
    session.asked(1, 9.0, "Two?").answered(1, 9.0, ["No."])
    for event in session.events:
        reporter(event)
    assert calls == ["One?", "Two?"]
    assert "ValueError: my mistake" in capsys.readouterr().err

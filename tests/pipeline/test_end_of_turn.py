"""How the end of a turn is judged by its sound, and what that may cost."""

from __future__ import annotations

import pytest

from edgevoice import events as ev
from edgevoice.errors import EngineError
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedLanguageModel, ScriptedTurnDetector
from edgevoice.timings import fold

QUESTION = "What is the tallest mountain in the whole wide world?"


def show_of(detector: ScriptedTurnDetector | None, token: float = 0.02) -> Rehearsal:
    """One question, answered in one word after one token of `token` seconds."""
    show = Rehearsal()
    show.slm = ScriptedLanguageModel(show.clock, lambda _: "Everest.", token=token)
    show.turn_detector = detector
    if detector is not None:
        detector.clock = show.clock
    show.hear((0.2, QUESTION, 2.0))
    return show


def detector(probability: float | Exception, cost: float = 0.05) -> ScriptedTurnDetector:
    """The clock is the show's, once there is one."""
    return ScriptedTurnDetector(Rehearsal().clock, probability, cost)


def silence_at_end(show: Rehearsal) -> float:
    """Seconds from the last voiced sample until the turn was over."""
    [committed] = show.all(ev.TurnCommitted)
    return committed.t - show.all(ev.SpeechEnded)[0].at


def test_where_answers_come_soon_the_sound_is_judged_while_the_words_are_read() -> None:
    """The first answer was quick: the next judgement is there before there is anything to say."""
    show = show_of(detector(0.99, cost=0.02))
    show.hear((0.2, QUESTION, 2.0))
    show.run()
    first, second = show.all(ev.EndOfTurnScored)
    started = {e.turn: e.t for e in show.all(ev.SynthesisStarted)}
    assert first.t > started[first.turn]
    assert second.t < started[second.turn]


def test_at_first_the_sound_is_judged_while_the_first_clause_is_made_sound() -> None:
    """As long as nothing is known of this machine, what makes the answer comes first."""
    show = show_of(detector(0.99))
    show.run()
    [judged] = show.all(ev.EndOfTurnScored)
    assert show.all(ev.SynthesisStarted)[0].t < judged.t <= show.all(ev.TurnCommitted)[0].t


def test_a_judgement_that_can_change_nothing_is_not_made() -> None:
    """The answer took longer than the longest silence that such a question may ask for."""
    show = show_of(detector(0.01), token=1.0)
    show.run()
    assert not show.all(ev.EndOfTurnScored)
    assert show.heard == ["Everest."]


@pytest.mark.parametrize("probability", [0.01, 0.99])
def test_while_the_judgement_is_awaited_no_turn_ends_by_its_words(probability: float) -> None:
    """The words say that it is over, but the tone may say otherwise."""
    words_alone = show_of(None)
    words_alone.run()
    slow = show_of(detector(probability, cost=0.6))
    slow.run()
    assert silence_at_end(slow) > silence_at_end(words_alone)


def test_what_sounds_finished_ends_sooner_than_what_does_not() -> None:
    """The same words, said in two ways."""
    sure, unsure = show_of(detector(0.99)), show_of(detector(0.01))
    sure.run()
    unsure.run()
    assert silence_at_end(sure) < silence_at_end(unsure)


def test_a_judgement_that_would_come_too_late_is_not_made_again() -> None:
    """Once it is known to take longer than the wait without it, nobody asks for it any more."""
    show = show_of(detector(0.99, cost=0.8), token=0.6)
    show.hear((0.2, QUESTION, 2.0))
    show.run()
    assert len(show.heard) == 2
    assert len(show.all(ev.EndOfTurnScored)) <= 1
    assert all(e.turn == 0 for e in show.all(ev.EndOfTurnScored))


def test_without_a_detector_the_words_decide() -> None:
    """Nothing is waited for that will not come."""
    show = show_of(None)
    show.run()
    assert not show.all(ev.EndOfTurnScored)
    assert silence_at_end(show) < 0.8
    assert show.heard == ["Everest."]


def test_a_detector_that_fails_is_told_once_and_waited_for_no_more() -> None:
    """The conversation goes on with silence and words."""
    show = show_of(detector(EngineError("the detector fell over")))
    show.hear((0.2, QUESTION, 2.0))
    show.run()
    assert [e.stage for e in show.all(ev.StageFailed)] == ["end_of_turn"]
    assert show.heard == ["Everest.", "Everest."]
    assert [turn.response_time is not None for turn in fold(show.events)] == [True, True]

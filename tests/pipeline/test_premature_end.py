"""A turn that was taken over too soon: the halves become one question, and the wait grows."""

from __future__ import annotations

from edgevoice import events as ev
from edgevoice.settings import Config, TurnSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedLanguageModel
from edgevoice.timings import Timings, fold

HALF = "What is the tallest mountain in the world?"
REST = "That children can climb in one day I mean."
LONG = "It is a mountain that many people would like to climb one day, but hardly anybody does."


def cut_off(pause: float, *more: tuple[float, str, float], adapt: bool = True) -> Rehearsal:
    """Somebody goes on `pause` seconds after what sounded like a whole question."""
    show = Rehearsal(config=Config(turn=TurnSettings(adapt=adapt)))
    show.slm = ScriptedLanguageModel(show.clock, lambda _: LONG, token=0.01)
    show.hear((0.2, HALF, 2.0), (2.2 + pause, REST, 2.0), *more)
    return show


def questions(show: Rehearsal) -> list[list[str]]:
    """What the user had said, message by message, each time the model was asked."""
    assert isinstance(show.slm, ScriptedLanguageModel)
    return [[m.text for m in asked if m.role == "user"] for asked in show.slm.asked]


def test_both_halves_are_answered_as_one_question() -> None:
    """The answer to the half had hardly begun, and is not remembered."""
    show = cut_off(1.1)
    show.run()
    half, whole = show.all(ev.TurnCommitted)
    assert half.t < whole.t
    assert questions(show)[-1] == [f"{HALF} {REST}"]
    assert show.assistant.history.messages[1].text == f"{HALF} {REST}"
    assert len(show.assistant.history.messages) == 3


def test_a_cut_off_makes_it_wait_longer_and_says_so() -> None:
    """The waits grow with the turn that has shown it, in both their limits."""
    show = cut_off(1.1)
    show.run()
    [changed] = show.all(ev.SpeakerTempoChanged)
    assert changed.turn == show.all(ev.TurnCommitted)[-1].turn
    assert changed.factor > 1.3
    assert (changed.shortest_ms, changed.longest_ms) > (200, 1800)


def test_the_waits_of_a_turn_are_told_with_its_timings() -> None:
    """Who wonders about a long wait finds in its turn what had been learned before; in a typed one
    nobody waits, and a new conversation knows nothing."""
    show = cut_off(1.1)
    show.hear((0.2, "What time is it now?", 1.2))
    show.run()
    [learned] = show.all(ev.SpeakerTempoChanged)[:1]
    _, whole, later = fold(show.events)
    assert (whole.pace, later.pace) == (None, learned)
    timings = Timings()
    for event in show.events:
        timings.add(event)
    timings.add(ev.TurnStarted(turn=90, origin="text"))
    assert timings.current
    assert timings.current.pace is None
    timings.add(ev.ConversationCleared())
    timings.add(ev.TurnStarted(turn=91, origin="speech"))
    assert timings.current.pace is None


def test_the_next_pause_of_that_length_is_no_cut_off_any_more() -> None:
    """The same silence, after the same words, in the same conversation."""
    learning, not_learning = cut_off(1.0), cut_off(1.0, adapt=False)
    for show in (learning, not_learning):
        for _ in range(3):
            show.hear((0.2, HALF, 2.0), (3.2, REST, 2.0))
        show.run()
    assert len(not_learning.all(ev.TurnCommitted)) == 8
    assert len(learning.all(ev.TurnCommitted)) < 8


def test_an_interruption_later_in_the_answer_is_no_cut_off() -> None:
    """Who has listened for two seconds objects: the answer was heard, and nothing is learned."""
    show = cut_off(3.0)
    show.run()
    assert not show.all(ev.SpeakerTempoChanged)
    assert questions(show)[-1] == [HALF, REST]


def test_a_command_right_after_the_commit_is_no_rest_of_a_question() -> None:
    """ "Stop!" tells nothing of how somebody pauses."""
    show = Rehearsal()
    show.slm = ScriptedLanguageModel(show.clock, lambda _: LONG, token=0.01)
    show.hear((0.2, HALF, 2.0), (3.3, "Stop!", 0.5))
    show.run()
    assert not show.all(ev.SpeakerTempoChanged)


def test_a_new_conversation_waits_as_at_the_beginning() -> None:
    """What was learned of one speaker is not held against the next."""
    show = cut_off(1.1)
    show.at(20.0, lambda assistant: assistant.new_conversation())
    show.hear((20.0, HALF, 2.0), (23.1, REST, 2.0))
    show.run()
    assert len(show.all(ev.TurnCommitted)) == 4


def test_what_is_learned_in_a_new_conversation_is_told_anew() -> None:
    """Though it is the same as in the one before, which whoever reads the events has forgotten."""
    show = cut_off(1.1)
    show.at(20.0, lambda assistant: assistant.new_conversation())
    show.hear((20.0, HALF, 2.0), (23.1, REST, 2.0))
    show.run()
    before, after = show.all(ev.SpeakerTempoChanged)
    assert before.factor == after.factor

"""Its own words, heard by its own ears, in the whole pipeline."""

from __future__ import annotations

from edgevoice import events as ev
from edgevoice.settings import Config, EchoSettings
from edgevoice.testing.rehearsal import Rehearsal

REPLY = "It takes about eight minutes for light from the sun to reach the earth."


def heard_while_speaking(
    text: str, echo: float | None = 0.06, self_speech: bool = True
) -> Rehearsal:
    """A question, and two seconds into its answer `text`, from whomever."""
    show = Rehearsal(REPLY, Config(echo=EchoSettings(self_speech=self_speech)))
    show.hear((0.0, "How far is the sun?", 1.5), (4.5, text, 2.0))
    show.at(1.0, lambda assistant: assistant.bus.emit(ev.EchoMeasured(delay=echo, level=-9.0)))
    show.run()
    return show


def questions(show: Rehearsal) -> list[str]:
    return [event.text for event in show.all(ev.FinalTranscript)]


def test_what_it_says_itself_is_not_answered() -> None:
    """The turn is nobody's, and what was heard instead is told."""
    show = heard_while_speaking("about eight minutes for light from the sun")
    assert set(questions(show)) == {"How far is the sun?"}
    dropped = [e for e in show.all(ev.TurnCancelled) if e.reason == "no_speech"]
    assert [event.detail for event in dropped] == ["the assistant's own words"]


def test_who_speaks_over_it_is_answered_for_what_they_said() -> None:
    """Its own words before the user's are no part of the question."""
    show = heard_while_speaking("minutes for light from the sun and what about the moon")
    assert questions(show)[-1] == "and what about the moon"
    assert len(show.heard) == 2


def test_a_user_with_headphones_may_repeat_what_it_says() -> None:
    """Where its voice does not come back, the words are the user's."""
    text = "about eight minutes for light from the sun"
    assert questions(heard_while_speaking(text, echo=None))[-1] == text
    assert questions(heard_while_speaking(text, self_speech=False))[-1] == text

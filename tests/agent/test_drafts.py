"""Replies that a draft model opens: what is heard, what is corrected, and what is remembered."""

from __future__ import annotations

import pytest

from edgevoice import events as ev
from edgevoice.agent.draft_first_agent import trusted
from edgevoice.protocols import Cancelled, ChatMessage
from edgevoice.scene import Scene
from edgevoice.settings import Config, SlmSettings, TtsSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedLanguageModel
from edgevoice.timings import fold
from edgevoice.waterfall import render_waterfall
from tests.agent.drafting import DraftRehearsal, plain

RIGHT = "The fastest land animal is the cheetah, which runs fast. It is a cat."
WRONG = "The fastest land animal is the whale, which swims. It is grey."
WHALE = WRONG.index(" whale")


def verified(show: DraftRehearsal) -> ev.DraftVerified:
    """What became of the draft."""
    (event,) = show.all(ev.DraftVerified)
    return event


def test_an_accepted_draft_is_continued_by_the_reference() -> None:
    """The reply is heard sooner than without it, and its words are those of both models."""
    show = DraftRehearsal(RIGHT, RIGHT).rehearse()
    alone = DraftRehearsal(RIGHT, RIGHT)
    alone.draft = None
    alone.rehearse()
    assert show.played == alone.played == plain(RIGHT)
    assert show.heard == [RIGHT]
    assert show.assistant.history.messages[-1].text == RIGHT
    event = verified(show)
    assert event.drafted == event.verified > 2
    assert (event.replaced, event.corrected) == (0, 0)
    (first,), (other,) = fold(show.events), fold(alone.events)
    assert first.response_time is not None
    assert other.response_time is not None
    assert first.response_time < other.response_time
    assert not show.all(ev.ReplyRevised)


def test_the_cache_of_the_reference_holds_what_was_heard() -> None:
    """What it verified and wrote is not evaluated again for the next question."""
    show = DraftRehearsal(WRONG, RIGHT)
    show.hear((0.5, "and why is that so", 1.0))
    show.rehearse()
    first, second = show.all(ev.DraftVerified)
    assert first.replaced > 0
    evaluated = [round(event.seconds / show.large.prefill) for event in (first, second)]
    assert max(evaluated) < 20 < len(show.large.cache)


def test_wrong_words_that_are_not_out_are_replaced() -> None:
    """They are neither heard nor remembered."""
    show = DraftRehearsal(WRONG, RIGHT, slow=2.0).rehearse()
    assert show.played == plain(RIGHT)
    assert show.heard == [RIGHT]
    event = verified(show)
    assert event.replaced > 0 == event.corrected
    assert event.verified == 6
    assert [revised.start for revised in show.all(ev.ReplyRevised)] == [WHALE]


def test_wrong_words_that_are_out_are_corrected_in_words() -> None:
    """A connective of the language leads to the words of the reference."""
    show = DraftRehearsal("A whale is the fastest animal. It swims.", "The cheetah is.", slow=24.0)
    show.rehearse()
    event = verified(show)
    assert event.corrected > 0
    assert event.drafted == event.replaced + event.corrected
    assert "— or rather, The cheetah is." in show.heard[0]
    assert show.played == plain(show.heard[0])
    assert show.assistant.history.messages[-1].text == show.heard[0]


@pytest.mark.parametrize("slow", [1.5, 3.0, 6.0, 12.0, 24.0, 40.0])
@pytest.mark.parametrize("opening", [WRONG, RIGHT, "Whales, they swim.", "The", "No"])
def test_what_is_remembered_is_what_was_heard(opening: str, slow: float) -> None:
    """However slow the verification is, no word is lost, cut short, or played twice."""
    show = DraftRehearsal(opening, RIGHT, slow).rehearse()
    assert show.played == plain(show.heard[0])
    assert show.heard[0].endswith("It is a cat.")
    event = verified(show)
    assert event.drafted == event.verified + event.replaced + event.corrected


def test_a_slow_reference_leaves_no_silence() -> None:
    """The draft goes on by further clauses until its words last as long as the verification."""
    words = "The fastest animal on land, as far as people know, is the cheetah, a large cat."
    show = DraftRehearsal(words, words, slow=10.0).rehearse()
    event = verified(show)
    assert event.drafted > len(["The", "fastest", "animal", "on", "land,"])
    assert show.played == plain(words)
    assert not show.all(ev.Underrun)


def test_a_draft_that_gains_nothing_is_not_used() -> None:
    """Where the reference is as fast, it answers alone."""
    show = DraftRehearsal(WRONG, RIGHT, slow=1.2).rehearse()
    assert show.heard == [RIGHT]
    assert not show.all(ev.DraftVerified)
    assert show.small.asked == []
    assert show.small.cache == []


def test_the_draft_is_dropped_when_the_user_goes_on() -> None:
    """Nothing of a reply to half a question is heard, or remembered."""
    show = DraftRehearsal(WRONG, RIGHT)
    show.hear((0.5, "which animal", 0.9), (1.75, "is the fastest", 0.9))
    show.run()
    assert show.heard == [RIGHT]
    assert show.played == plain(show.heard[0])
    assert [m.text for m in show.assistant.history.messages if m.role == "user"] == [
        "which animal is the fastest"
    ]


@pytest.mark.parametrize("time", [2.05 + 0.2 * step for step in range(12)])
@pytest.mark.parametrize("slow", [4.0, 20.0])
def test_it_can_be_interrupted_at_every_stage(time: float, slow: float) -> None:
    """What was heard is remembered, and the next question is answered."""
    show = DraftRehearsal(WRONG, RIGHT, slow)
    show.at(time, lambda assistant: assistant.interrupt())
    show.at(12.0, lambda assistant: assistant.say("which animal is the fastest"))
    show.hear((14.0, "", 0.1))
    show.rehearse()
    assert plain(" ".join(show.heard)) == show.played
    assert show.heard[-1].endswith("It is a cat.")


def test_an_interrupted_reply_goes_on_by_the_reference() -> None:
    """`go on` says what was not heard, and needs no draft."""
    show = DraftRehearsal(RIGHT, RIGHT, slow=2.0)
    show.hear((0.5, "which animal is the fastest", 1.5), (4.0, "go on", 0.6))
    show.at(3.6, lambda assistant: assistant.interrupt())
    show.run()
    first, second = show.heard
    assert first
    assert second
    assert plain(first + " " + second) == plain(RIGHT)
    assert len(show.all(ev.DraftVerified)) == 1


def test_a_typed_question_is_drafted_as_well() -> None:
    """It needs no utterance."""
    show = DraftRehearsal(RIGHT, RIGHT)
    show.at(0.5, lambda assistant: assistant.say("which animal is the fastest"))
    show.hear((8.0, "", 0.1))
    show.run()
    assert show.heard == [RIGHT]
    assert verified(show).verified > 2


class CutOff(ScriptedLanguageModel):
    """Its draft ends without a word."""

    def _words_to_come(self, messages: list[ChatMessage]) -> list[str]:  # type: ignore[override]
        return []


def test_an_empty_draft_leaves_the_reply_to_the_reference() -> None:
    """Nothing is verified, and the reply is whole."""
    show = DraftRehearsal(RIGHT, RIGHT)
    show.draft = CutOff(show.clock, lambda _: "", token=0.02, prefill=0.01)
    show.rehearse()
    assert show.heard == [RIGHT]
    assert not show.all(ev.DraftVerified)


class Failing(ScriptedLanguageModel):
    """Verifies nothing."""

    def probabilities(self, messages: object, cancelled: Cancelled) -> list[tuple[str, float]]:
        raise RuntimeError("the model fell over")


def test_a_failure_in_the_verification_is_reported() -> None:
    """The turn is over, and the session goes on."""
    show = DraftRehearsal(RIGHT, RIGHT)
    show.slm = Failing(show.clock, lambda _: RIGHT, token=0.08, prefill=0.04)
    show.rehearse()
    (failure,) = show.all(ev.StageFailed)
    assert failure.stage == "agent"
    assert plain(" ".join(show.heard)) == show.played


def test_both_models_read_the_question_while_it_is_asked() -> None:
    """Little of it is left to evaluate at its end."""
    show = DraftRehearsal(RIGHT, RIGHT)
    show.rehearse()
    (prefilled,) = show.all(ev.PrefillEnded)
    assert prefilled.reused > prefilled.tokens - 6


def test_the_waterfall_draws_the_draft_and_its_verification() -> None:
    """They have rows of their own, and the spans still add up."""
    show = DraftRehearsal(RIGHT, RIGHT).rehearse()
    (timings,) = fold(show.events)
    assert sum(span.seconds for span in timings.spans) == pytest.approx(timings.response_time)
    draft, verify = ([bar for bar in timings.bars if bar.name == name] for name in BARS)
    assert draft[0].end == verify[0].start < verify[0].end
    lines = "\n".join(render_waterfall(timings, 80))
    assert "\ndraft " in lines
    assert "\nverify " in lines
    event = verified(show)
    assert f"draft {event.verified} of {event.drafted} words" in lines


BARS = ("draft", "verify")


def test_the_screen_shows_what_was_heard() -> None:
    """Its text is that of the history."""
    show = DraftRehearsal(WRONG, RIGHT).rehearse()
    scene = Scene()
    for event in show.events:
        scene.apply(event)
    exchange = scene.exchange(0)
    assert exchange is not None
    assert (exchange.reply, exchange.heard) == (RIGHT, RIGHT)


@pytest.mark.parametrize(
    ("probabilities", "kept"),
    [
        ([("The", 1.0), (" chee", 0.9), ("tah", 0.9), (".", 0.9)], "The cheetah."),
        ([("The", 1.0), (" chee", 0.9), ("tah", 0.0), (".", 0.9)], "The"),
        ([("The", 1.0), (" chee", 0.0), ("tah", 0.9), (".", 0.9)], "The"),
        ([(" The", 1.0), (" chee", 0.0), ("tah", 0.9), (".", 0.9)], "The"),
        ([("The", 0.0), (" chee", 0.9), ("tah", 0.9), (".", 0.9)], ""),
        ([("The", 1.0), (" chee", 0.9), ("tah", 0.9), (".", 0.0)], "The cheetah."),
        ([("The", 1.0), (" cheetah.", 0.0)], "The"),
        ([], "The cheetah."),
    ],
)
def test_a_draft_is_kept_up_to_a_whole_word(
    probabilities: list[tuple[str, float]], kept: str
) -> None:
    """Its words need not be the tokens of the reference, and punctuation is not judged."""
    text = "The cheetah."
    assert text[: trusted(text, probabilities, 0.05)] == kept


def test_in_scripts_without_spaces_every_character_is_a_word() -> None:
    """A draft is cut between any two of them."""
    text = "最快的是鲸鱼。"
    found = [("最快", 0.9), ("的是", 0.9), ("鲸", 0.0), ("鱼", 0.9), ("。", 0.9)]
    assert text[: trusted(text, found, 0.05)] == "最快的是"


@pytest.mark.parametrize(
    ("trust", "kept"), [("cautious", False), ("normal", False), ("swift", True)]
)
def test_trust_is_a_setting(trust: str, kept: bool) -> None:
    """A word that the reference finds unlikely stays with more trust."""

    class Doubtful(ScriptedLanguageModel):
        def probabilities(self, messages: object, cancelled: Cancelled) -> list[tuple[str, float]]:
            found = super().probabilities(messages, cancelled)  # type: ignore[arg-type]
            return [(word, max(probability, 0.03)) for word, probability in found]

    settings = SlmSettings(draft_trust=trust)  # type: ignore[arg-type]
    config = Config(slm=settings, tts=TtsSettings(shorten_silence=False))
    show = DraftRehearsal(WRONG, RIGHT, config=config)
    show.slm = Doubtful(show.clock, lambda _: RIGHT, token=0.08, prefill=0.04)
    show.rehearse()
    assert (verified(show).replaced == 0) == kept


def test_without_a_draft_model_nothing_changes() -> None:
    """One model answers alone."""
    show = Rehearsal(RIGHT)
    show.hear((0.5, "which animal is the fastest", 1.5))
    show.run()
    assert show.heard == [RIGHT]
    assert not show.all(ev.DraftVerified)

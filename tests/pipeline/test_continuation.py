"""An interrupted reply is gone on with, from the word at which it was stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from edgevoice import events as ev
from edgevoice.protocols import Cancelled, ChatMessage, Prefilled, Stopped, Token
from edgevoice.settings import Config, TtsSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedLanguageModel, ScriptedSynthesizer

STORY = "Once there was a fox. It lived in a wood, where it was very happy. One day it left."
CHAR = 0.06


def story(messages: Sequence[ChatMessage]) -> str:
    """What the model says to the last thing asked."""
    return STORY if messages[-1].text.startswith("tell") else f"You said: {messages[-1].text}."


class Limited(ScriptedLanguageModel):
    """Makes four tokens and no more."""

    def reply(
        self, messages: Sequence[ChatMessage], cancelled: Cancelled
    ) -> Iterator[Prefilled | Token | Stopped]:
        made = 0
        for item in super().reply(messages, cancelled):
            yield item
            made += isinstance(item, Token)
            if made == 4:
                yield Stopped("length")
                return


def rehearse(
    *cues: tuple[float, str], token: float = 0.02, config: Config | None = None
) -> Rehearsal:
    """Typed questions, and `!` to interrupt, each so many seconds after the one before."""
    config = config or Config(tts=TtsSettings(shorten_silence=False))
    show = Rehearsal(story, config)
    show.slm = ScriptedLanguageModel(show.clock, story, token=token)
    show.synthesizer = ScriptedSynthesizer(show.clock, second_per_char=CHAR)
    time = 0.0
    for after, what in cues:
        time += after
        if what == "!":
            show.at(time, lambda assistant: assistant.interrupt())
        elif what == "new":
            show.at(time, lambda assistant: assistant.new_conversation())
        else:
            show.at(time, lambda assistant, what=what: assistant.say(what))
    show.at(time + 20, lambda assistant: assistant.close())
    show.hear((time + 30, "enough", 0.5))
    return show


def remembered(show: Rehearsal) -> list[tuple[str, str, bool]]:
    messages = show.assistant.history.messages
    return [(m.role, m.text, m.interrupted) for m in messages if m.role != "system"]


@pytest.mark.parametrize("after", [0.35, 1.5, 1.9, 2.7, 4.1])
def test_it_goes_on_with_the_next_word(after: float) -> None:
    """Interrupted anywhere, both parts together are the reply, and one message is remembered."""
    show = rehearse((1.0, "tell me"), (after, "!"), (1.0, "go on"))
    show.run()
    first, second = show.heard
    assert len(first) < len(STORY)
    assert f"{first} {second}".strip() == STORY
    assert remembered(show) == [("user", "tell me", False), ("assistant", STORY, False)]


def test_what_was_written_is_said_without_the_model() -> None:
    """A reply that was written to its end is read on; nobody is asked anything."""
    show = rehearse((1.0, "tell me"), (3.0, "!"), (1.0, "go on"))
    show.run()
    assert isinstance(show.slm, ScriptedLanguageModel)
    assert len(show.slm.asked) == 1
    resumed = show.all(ev.ReplyContinued)
    assert [event.turn for event in resumed] == [1]
    assert show.heard[0] + resumed[0].text == STORY
    assert [e.turn for e in show.all(ev.PrefillStarted)] == [0]


def test_the_model_adds_to_its_own_unfinished_message() -> None:
    """Stopped while it was being written, the rest is said first, and meanwhile the model goes on
    with the open message, of which nothing but the part that was not in the cache is new."""
    show = rehearse((1.0, "tell me"), (2.0, "!"), (1.0, "go on"), token=0.2)
    show.run()
    first, second = show.heard
    assert f"{first} {second}" == STORY
    assert isinstance(show.slm, ScriptedLanguageModel)
    opened = show.slm.asked[-1]
    resumed = show.all(ev.ReplyContinued)[0]
    assert opened[-1] == ChatMessage("assistant", first + resumed.text)
    assert STORY.startswith(opened[-1].text)
    prompt = show.all(ev.PrefillEnded)[-1]
    assert prompt.tokens - prompt.reused <= len(resumed.text.split()) + 1
    assert remembered(show)[-1] == ("assistant", STORY, False)


def test_nothing_heard_yet_means_from_the_beginning() -> None:
    """Interrupted in its first word, or before it, the reply is given whole."""
    show = rehearse((1.0, "tell me"), (0.11, "!"), (1.0, "go on"), token=0.05)
    show.run()
    assert show.heard == ["", STORY]
    assert remembered(show) == [("user", "tell me", False), ("assistant", STORY, False)]


def test_twice_in_a_row() -> None:
    """Each time it goes on where it was stopped last; in between it is marked."""
    show = rehearse((1.0, "tell me"), (2.0, "!"), (1.0, "go on"), (1.5, "!"), (1.0, "continue"))
    show.at(5.6, lambda assistant: between.extend(remembered(show)))
    between: list[tuple[str, str, bool]] = []
    show.run()
    first, second, third = show.heard
    assert all(show.heard)
    assert f"{first} {second} {third}" == STORY
    assert between == [("user", "tell me", False), ("assistant", f"{first} {second}", True)]
    assert remembered(show) == [("user", "tell me", False), ("assistant", STORY, False)]


def test_a_wish_that_is_itself_interrupted_loses_nothing() -> None:
    """Stopped before a word of the rest was heard, all of the rest is still to come."""
    show = rehearse((1.0, "tell me"), (2.0, "!"), (1.0, "go on"), (0.05, "!"), (1.0, "go on"))
    show.run()
    first, second, third = show.heard
    assert second == ""
    assert f"{first} {third}" == STORY


def test_without_an_interruption_it_is_a_question_like_any_other() -> None:
    """After a whole reply, and at the beginning, the model is asked."""
    show = rehearse((1.0, "go on"), (4.0, "tell me"), (8.0, "go on"))
    show.run()
    assert show.heard == ["You said: go on.", STORY, "You said: go on."]
    assert show.all(ev.ReplyContinued) == []


def test_after_another_question_it_is_about_that_one() -> None:
    """What was interrupted before is over once something else was answered."""
    show = rehearse((1.0, "tell me"), (2.0, "why"), (6.0, "go on"))
    show.run()
    assert show.heard[1:] == ["You said: why.", "You said: go on."]
    assert remembered(show)[1][2]


def test_a_new_conversation_forgets_what_was_not_heard() -> None:
    """There is nothing to go on with any more."""
    show = rehearse((1.0, "tell me"), (2.0, "!"), (0.5, "new"), (0.5, "go on"))
    show.run()
    assert show.heard[-1] == "You said: go on."
    assert remembered(show) == [
        ("user", "go on", False),
        ("assistant", "You said: go on.", False),
    ]


def test_a_reply_that_became_too_long_is_gone_on_with() -> None:
    """Cut off at slm.max_tokens and heard to its end, it has no mark, and the model goes on."""
    show = rehearse((1.0, "tell me"), (4.0, "go on"))
    show.slm = Limited(show.clock, story, token=0.02)
    show.run()
    assert show.heard == ["Once there was a", "fox. It lived in"]
    assert [event.text for event in show.all(ev.ReplyContinued)] == [""]
    assert remembered(show) == [
        ("user", "tell me", False),
        ("assistant", "Once there was a fox. It lived in", False),
    ]


def test_a_model_that_has_nothing_to_add_is_asked_instead() -> None:
    """Where a reply was cut off just before its end, silence would be no answer."""
    show = rehearse((1.0, "tell me"), (4.0, "go on"))
    show.slm = Limited(show.clock, lambda m: " ".join(story(m).split()[:4]), token=0.02)
    show.run()
    assert show.heard == ["Once there was a", "You said: go on."]
    assert [text for _, text, _ in remembered(show)][2:] == ["go on", "You said: go on."]


def test_spoken_words_go_on_too() -> None:
    """Said rather than typed, the wish prefills and guesses nothing in the way of the rest."""
    show = Rehearsal(story)
    show.hear((0.2, "tell me", 0.6), (4.0, "go on", 0.5))
    show.run()
    first, second = show.heard
    assert f"{first} {second}" == STORY
    assert remembered(show) == [("user", "tell me", False), ("assistant", STORY, False)]

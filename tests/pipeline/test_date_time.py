"""What the language model is told beside the question; nothing is evaluated anew for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from edgevoice import events as ev
from edgevoice.agent.instructions import date_line, examples
from edgevoice.history import History, Reply
from edgevoice.settings import Config, SlmSettings, SttSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import ScriptedLanguageModel

NOON = datetime(2026, 10, 14, 12, 0)
LINE = "[Wednesday, October 14, 2026, 12:00 pm]"


def on_a_day(date_time: bool = True) -> Rehearsal:
    """A session that begins at noon; two questions are asked."""
    settings = SlmSettings(system_prompt="Be brief.", date_time=date_time)
    show = Rehearsal("Not late.", Config(slm=settings))
    show.wall = lambda: NOON + timedelta(seconds=show.clock.now())
    show.hear((0.2, "how late is it now", 2.0))
    show.hear((0.2, "and how late is it by now", 2.0))
    return show


def asked(show: Rehearsal) -> list[str]:
    """Everything that the model was told before its last reply, but the system prompt."""
    assert isinstance(show.slm, ScriptedLanguageModel)
    return [message.whole for message in show.slm.asked[-1][1:]]


def test_a_line_names_the_date_and_time() -> None:
    """Also just after midnight, in the words of a spoken date."""
    assert date_line(NOON) == LINE
    assert date_line(NOON.replace(hour=0, minute=5)) == "[Wednesday, October 14, 2026, 12:05 am]"


def test_each_question_is_asked_with_its_date_and_time() -> None:
    """Behind the system prompt, which stays the same; the first question keeps its time."""
    show = on_a_day()
    show.run()
    assert asked(show) == [
        f"{LINE} how late is it now",
        "Not late.",
        f"{LINE} and how late is it by now",
    ]


def watched_on_a_day() -> tuple[Rehearsal, list[tuple[float, list[str]]]]:
    """The session of `on_a_day`, and when which words were in the KV cache after a prefill."""
    show = on_a_day()
    primed: list[tuple[float, list[str]]] = []

    class Watched(ScriptedLanguageModel):
        def prime(self, messages, cancelled):  # type: ignore[no-untyped-def]
            held = super().prime(messages, cancelled)
            primed.append((self.clock.now(), list(self.cache)))
            return held

    show.slm = Watched(show.clock, lambda _: "Not late.")
    show.run()
    return show, primed


def test_the_line_is_evaluated_before_the_first_word_is_known() -> None:
    """The first voice of a question starts it, so that it costs no time after the last word."""
    show, primed = watched_on_a_day()
    started, heard = show.all(ev.SpeechStarted)[0].t, show.all(ev.InterimTranscript)[0].t
    [early] = [cache for time, cache in primed if started <= time < heard]
    assert early == ["Be", "brief.", *LINE.split()]
    for prompt in show.all(ev.PrefillEnded):
        assert prompt.tokens - prompt.reused <= 2, "only the last words are left"


def test_the_line_is_evaluated_while_nobody_speaks() -> None:
    """So when a question begins, only a time that has changed is evaluated again."""
    show, primed = watched_on_a_day()
    started = show.all(ev.SpeechStarted)[0].t
    assert [cache for time, cache in primed if time < started][-1][2:] == LINE.split()


def test_a_session_can_do_without() -> None:
    """With slm.date_time off, or without a clock, only the question is asked."""
    off, unknown = on_a_day(date_time=False), on_a_day()
    unknown.wall = None
    for show in (off, unknown):
        show.run()
        assert asked(show)[0] == "how late is it now"


def test_a_question_keeps_its_time_until_another_begins() -> None:
    """A minute that passes while it is spoken would make the evaluated words worthless."""
    history, minutes = History(""), iter(["[12:00]", "[12:01]"])
    history.date_line = lambda: next(minutes)
    first = history.asking("how late")
    history.remember("how late is it", Reply("Noon."))
    assert [m.lead for m in (*first, *history.messages)] == ["[12:00]", "[12:00]", ""]
    history.begin_question()
    assert history.asking("and now")[-1].lead == "[12:01]"


def test_the_line_goes_before_the_language_to_answer_in() -> None:
    """What is nearest to the question counts most to a small model."""
    history = History("")
    history.date_line, history.leads = lambda: LINE, {"de": "Antworte auf Deutsch."}
    assert history.asking("warum", "de")[-1].whole == f"{LINE} Antworte auf Deutsch. warum"


def test_the_examples_stand_between_the_system_prompt_and_the_conversation() -> None:
    """They are evaluated with the system prompt, and are no part of what was said."""
    show = on_a_day()
    show.examples = True
    show.run()
    assert isinstance(show.slm, ScriptedLanguageModel)
    system, *told = show.slm.asked[-1]
    said = [message for message in told if not message.example]
    assert system.whole == "Be brief."
    assert told[: len(told) - len(said)] == [message for message in told if message.example]
    assert [message.text for message in said[:2]] == ["how late is it now", "Not late."]
    first = show.all(ev.PrefillEnded)[0]
    assert first.tokens - first.reused <= 2


def test_examples_are_only_in_the_language_that_is_spoken() -> None:
    """English ones would draw the replies to English; without the setting there are none."""
    assert examples(Config())
    for config in (Config(stt=SttSettings(language="de")), Config(slm=SlmSettings(examples=False))):
        assert not examples(config)


def test_a_small_context_does_without_the_examples() -> None:
    """They must not take the room of the conversation, nor end the session."""
    show = on_a_day()
    show.examples = True
    show.slm = ScriptedLanguageModel(show.clock, lambda _: "Not late.", context=160)
    show.run()
    assert asked(show)[0] == f"{LINE} how late is it now"

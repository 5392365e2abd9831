"""What the bench says of a question is what happened to it."""

from __future__ import annotations

import pytest

from edgevoice import events as ev
from edgevoice.errors import DeviceError
from edgevoice.protocols import ChatMessage
from edgevoice.settings import Config, TurnSettings
from edgevoice.testing.scripted import ScriptedRecognizer
from edgevoice.timings import SPANS
from tests.bench.stage import Stage

FIXED = Config(turn=TurnSettings(silence_ms=700))


def test_a_question_is_measured_with_its_spans_and_what_was_said() -> None:
    """Gap, spans, both texts, tokens and word errors of one answered question."""
    stage = Stage("It is noon.", FIXED)
    with stage.interview() as one:
        turn = one.ask(stage.question((0.2, "what time is it", 1.0)))
    assert turn.response_time is not None
    assert turn.response_time > 0.7
    assert list(turn.spans) == [name for name in SPANS if name in turn.spans]
    assert sum(turn.spans.values()) == pytest.approx(turn.response_time, abs=1e-9)
    assert (turn.transcript, turn.reply) == ("what time is it", "It is noon.")
    assert (turn.words, turn.word_errors) == (4, 0)
    assert turn.reply_tokens == 3
    assert not turn.cut_off
    assert not turn.dropped
    assert turn.end_error == pytest.approx(0.0, abs=0.033)
    assert turn.counts


def test_a_brief_question_is_measured_alike_and_its_reply_is_not_heard_out() -> None:
    """Its response time is that of the whole answer; the next question is answered as ever."""
    reply = "It is noon, and it will be noon for quite a while, because the clock has stopped."
    whole, stage = Stage(reply, FIXED), Stage(reply, FIXED)
    with whole.interview() as one:
        expected = one.ask(whole.question((0.2, "what time is it", 1.0)))
        heard_out = whole.show.clock.now()
    with stage.interview() as one:
        brief = one.ask_briefly(stage.question((0.2, "what time is it", 1.0)))
        assert stage.show.clock.now() < heard_out - 1.0
        again = one.ask_briefly(stage.question((0.2, "what time is it", 1.0)), warm_up=True)
    assert brief.response_time == pytest.approx(expected.response_time, abs=0.05)
    assert brief.counts
    assert again.response_time is not None
    assert again.warm_up


def test_each_question_begins_a_new_conversation_when_asked_to_forget() -> None:
    """After `forget` the model is asked without what was said before, from a warm cache."""
    asked: list[list[ChatMessage]] = []

    def answer(messages: object) -> str:
        asked.append(list(messages))  # type: ignore[call-overload]
        return "It is noon."

    stage = Stage(answer)
    with stage.interview() as one:
        for forgets in (True, False):
            if forgets:
                one.forget()
            one.ask(stage.question((0.2, "what time is it", 1.0)))
        one.forget()
        last = one.ask(stage.question((0.2, "and now", 1.0)))
    lengths = [len([m for m in messages if m.role == "user"]) for messages in asked]
    assert lengths[0] == 1
    assert max(lengths) == 2
    assert lengths[-1] == 1
    assert last.reused_tokens > 0


def test_a_reply_that_is_committed_before_the_speaker_has_finished_is_a_cut_off() -> None:
    """A pause longer than the silence that ends a turn: seen, and kept out of the percentiles."""
    stage = Stage("Yes.", Config(turn=TurnSettings(silence_ms=500)))
    with stage.interview() as one:
        turn = one.ask(stage.question((0.2, "please turn off", 1.0), (2.2, "the lights", 0.8)))
    assert turn.cut_off
    assert not turn.counts
    assert turn.transcript == "please turn off the lights"


def test_a_pause_that_is_waited_out_is_no_cut_off() -> None:
    """Work begun in the pause and taken back is counted, and nothing was heard of it."""
    stage = Stage("Yes.", Config(turn=TurnSettings(silence_ms=1200, pause_ms=200)))
    with stage.interview() as one:
        turn = one.ask(stage.question((0.2, "please turn off", 1.0), (1.9, "the lights", 0.8)))
    assert not turn.cut_off
    assert turn.false_starts == 1
    assert turn.counts


def test_a_question_that_nobody_hears_is_dropped_with_the_reason() -> None:
    """Silence gets no answer, and the bench goes on."""
    stage = Stage("Yes.")
    with stage.interview() as one:
        unheard = one.ask(stage.question((0.2, "", 0.0)))
        heard = one.ask(stage.question((0.2, "what time is it", 1.0)))
    assert unheard.dropped == "no speech was noticed"
    assert unheard.response_time is None
    assert heard.counts


def test_a_failure_of_a_stage_is_why_a_question_was_dropped() -> None:
    """The recognizer fails on one question: it is named as the reason, the next is answered."""
    stage = Stage("Yes.")
    broken = {"oh no": RuntimeError("the recognizer fell over")}
    stage.show.recognizer = ScriptedRecognizer(stage.show.clock, stage.show.book, results=broken)
    with stage.interview() as one:
        dropped = one.ask(stage.question((0.2, "oh no", 1.0)))
        answered = one.ask(stage.question((0.2, "what time is it", 1.0)))
    assert "the recognizer fell over" in dropped.dropped
    assert answered.counts


def test_a_device_that_goes_ends_the_bench_with_its_own_error() -> None:
    """What the assistant fails with is what the bench raises."""
    stage = Stage("Yes.")

    def gone(_: object) -> None:
        raise DeviceError("the speaker stopped accepting sound")

    def go() -> None:
        with stage.interview() as one:
            stage.show.sink.write = gone  # type: ignore[method-assign, assignment]
            one.ask(stage.question((0.2, "what time is it", 1.0)))

    with pytest.raises(DeviceError):
        go()
    assert isinstance(stage.show.events[-1], ev.SessionEnded)

"""What the tracing tools are shown of an exchange."""

from __future__ import annotations

import pytest

from edgevoice import events as ev
from edgevoice.metrics.exchanges import FinishedExchange
from edgevoice.metrics.spans import TraceSpan, drawn
from tests import sessions
from tests.metrics.told import WORDS, exchanges, spoken


def draw(exchange: FinishedExchange) -> TraceSpan:
    return drawn(exchange, sessions.MODELS, "the id of a conversation")


def within(span: TraceSpan, name: str) -> list[TraceSpan]:
    return [each for each in span.inner if each.name == name]


def everything(span: TraceSpan) -> list[TraceSpan]:
    return [span, *(below for inner in span.inner for below in everything(inner))]


def test_a_turn_is_one_span_with_one_for_each_stage_in_it() -> None:
    """From the first voiced sample on, stages stand in the order in which they began."""
    (exchange,) = exchanges(sessions.hearing().events)
    root = draw(exchange)
    assert [span.name for span in root.inner] == [
        *("listen", "confirm", "recognize", "chat qwen2.5-coder-1.5b"),
        *("synthesize", "synthesize", "play"),
    ]
    assert root.start == pytest.approx(2.9)
    for span in everything(root):
        assert root.start <= span.start <= span.end <= root.end


def test_spans_have_the_times_of_the_events() -> None:
    """The recognizer began with the pause at 4.75 s and had the text at 4.86 s."""
    (exchange,) = exchanges(sessions.hearing().events)
    root = draw(exchange)
    (reading,) = within(root, "recognize")
    assert (reading.start, reading.end) == (pytest.approx(4.75), pytest.approx(4.86))
    (answer,) = within(root, "chat qwen2.5-coder-1.5b")
    assert [span.name for span in answer.inner] == ["prefill", "decode"]
    assert answer.inner[0].end == answer.inner[1].start == pytest.approx(4.97)
    assert answer.marks == [("first token", pytest.approx(5.0))]


def test_attributes_follow_the_conventions_for_generative_ai() -> None:
    """Model, tokens in and out, tokens from the cache, why it ended: where tools look for them."""
    (exchange,) = exchanges(sessions.hearing().events)
    (answer,) = within(draw(exchange), "chat qwen2.5-coder-1.5b")
    assert answer.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "llama.cpp",
        "gen_ai.output.type": "text",
        "gen_ai.request.model": "qwen2.5-coder-1.5b",
        "gen_ai.usage.input_tokens": 96,
        "gen_ai.usage.cache_read.input_tokens": 84,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": pytest.approx(0.14),
    }


def test_the_gap_and_its_steps_are_attributes_of_the_turn() -> None:
    """What is searched for, the slow ones, can be asked for by one attribute."""
    (exchange,) = exchanges(sessions.hearing().events)
    found = draw(exchange).attributes
    response_time = found.pop("edgevoice.response_time.total")
    steps = [value for name, value in found.items() if name.startswith("edgevoice.response_time.")]
    assert response_time == exchange.timings.response_time
    assert sum(float(step) for step in steps) == pytest.approx(response_time)  # type: ignore[arg-type]
    assert found["edgevoice.outcome"] == "answered"


def test_a_stage_that_failed_is_marked_and_ends_there() -> None:
    """The mind failed while it decoded: its span and the turn's are failed, with the stage's name
    and not with what it said."""
    exchange = exchanges(sessions.failed().events)[-1]
    root = draw(exchange)
    (answer,) = within(root, "chat qwen2.5-coder-1.5b")
    assert (root.failed, answer.failed, answer.inner[-1].failed) == ("agent",) * 3
    assert answer.inner[-1].attributes["edgevoice.unfinished"] is True
    assert not [
        v for span in everything(root) for v in span.attributes.values() if "full" in str(v)
    ]


def test_work_that_nobody_saw_the_end_of_lasts_until_the_turn_was_over() -> None:
    """Synthesis that a barge-in cut short is shown, and said to be unfinished."""
    session = sessions.Session().ready().asked(0, 3.0, "Tell me.")
    session.at(5.0).add(ev.SynthesisStarted(turn=0, clause=0))
    session.at(6.0).add(
        ev.TurnCancelled(turn=0, reason="barge_in"),
        ev.TurnCompleted(turn=0, heard="", interrupted=True),
    )
    (exchange,) = exchanges(session.events)
    (made,) = within(draw(exchange), "synthesize")
    assert (made.start, made.end) == (5.0, 6.0)
    assert made.attributes["edgevoice.unfinished"] is True


def test_no_word_that_was_said_is_in_any_span() -> None:
    """Of the real pipeline's whole session neither question nor reply is in its spans."""
    (exchange,) = exchanges(spoken())
    text = repr(draw(exchange)).lower()
    assert exchange.outcome == "answered"
    assert [word for word in WORDS if word in text] == []

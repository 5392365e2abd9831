"""What the metrics make of a session's events."""

from __future__ import annotations

import re

import pytest

from edgevoice import events as ev
from edgevoice.metrics import catalog as m
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.timings import fold
from tests import sessions
from tests.metrics.told import exchanges, readings, values


def test_an_answered_turn_is_told_with_the_gap_the_screen_shows() -> None:
    """Gap, spans, first token and speed are those that the timings of the same events give."""
    events = sessions.conversation().events[:]
    found, turns = readings(events), fold(events)
    assert len(turns) == 2
    assert values(found, m.RESPONSE_TIME) == {("speech",): [turn.response_time for turn in turns]}
    assert values(found, m.FIRST_TOKEN) == {(): [turn.ttft for turn in turns]}
    assert values(found, m.DECODE) == {(): [turn.tokens_per_second for turn in turns]}
    assert values(found, m.TURNS) == {("answered", ""): [1.0, 1.0]}


def test_the_steps_of_a_turn_add_up_to_its_response_time() -> None:
    """Summed over its labels, the histogram of spans is the one of response times."""
    found = readings(sessions.conversation().events)
    spans = [value for each in values(found, m.RESPONSE_TIME_SPAN).values() for value in each]
    assert sum(spans) == pytest.approx(sum(values(found, m.RESPONSE_TIME)["speech",]))
    assert ("first_clause",) in values(found, m.RESPONSE_TIME_SPAN)


def test_every_stage_is_told_with_its_own_work() -> None:
    """One observation for each piece of work: two clauses are synthesized in each of two turns."""
    stages = values(readings(sessions.conversation().events), m.STAGE)
    assert {labels[0]: len(found) for labels, found in stages.items()} == {
        "recognize": 2,
        "prefill": 2,
        "decode": 2,
        "synthesize": 4,
        "play": 2,
    }


def test_real_time_factors_and_rates_are_those_of_the_bench() -> None:
    """From 1.8 s of sound in 0.11 s, 12 new tokens in 0.11 s, and clauses of 1.2 s."""
    found = readings(sessions.hearing().events)
    assert values(found, m.STT_RTF) == {(): [pytest.approx(0.11 / 1.8)]}
    assert values(found, m.PREFILL) == {(): [pytest.approx(12 / 0.11)]}
    (factor,) = values(found, m.TTS_RTF)[()]
    assert 0 < factor < 1


def test_tokens_found_in_the_cache_are_counted_apart() -> None:
    """Of a prompt of 96 tokens 84 were there: 12 are counted as evaluated."""
    tokens = values(readings(sessions.hearing().events), m.TOKENS)
    assert tokens["prompt",] == [12.0]
    assert tokens["reused",] == [84.0]
    assert tokens["reply",] == [10.0]


def test_a_turn_that_is_interrupted_dropped_or_fails_says_so_and_why() -> None:
    """A barge-in, a cough and a full context are three outcomes; only the first was heard."""
    found = readings(sessions.failed().events)
    assert set(values(found, m.TURNS)) == {
        ("interrupted", "barge_in"),
        ("dropped", "no_speech"),
        ("dropped", "failed"),
    }
    assert len(values(found, m.RESPONSE_TIME)["speech",]) == 1
    assert values(found, m.FAILURES) == {("agent",): [1.0]}
    assert values(found, m.DEVICE_ERRORS) == {("input",): [1.0]}


def test_a_reply_without_a_sound_is_dropped_as_empty() -> None:
    """A turn that completes though nothing was ever played has not been answered."""
    session = sessions.Session().ready().asked(0, 3.0, "Well?")
    session.at(6.0).add(ev.TurnCompleted(turn=0, heard="", interrupted=False))
    assert values(readings(session.events), m.TURNS) == {("dropped", "empty"): [1.0]}


def test_a_false_start_is_counted_and_is_no_turn_of_its_own() -> None:
    """Somebody pauses and goes on: one attempt is taken back, and one turn is answered."""
    show = Rehearsal("Yes.")
    show.hear((0.5, "Is it", 0.6), (1.4, "going to rain?", 0.9))
    events = show.run()
    found = readings(events)
    assert values(found, m.FALSE_STARTS) == {(): [1.0]}
    assert values(found, m.TURNS) == {("answered", ""): [1.0]}
    (exchange,) = exchanges(events)
    (cancelled,) = show.all(ev.TurnCancelled)
    assert exchange.false_starts == (cancelled.t,)
    assert exchange.started < cancelled.t


def test_a_typed_question_is_told_apart() -> None:
    """Nobody waits for the end of a typed one: its response time is in a series of its own."""
    show = Rehearsal("Fine.")
    show.hear((30.0, "much later", 1.0))
    show.at(2.0, lambda assistant: assistant.say("How are you?"))
    assert set(values(readings(show.run()), m.RESPONSE_TIME)) == {("text",), ("speech",)}


def test_what_the_end_of_a_session_cuts_short_is_told_too() -> None:
    """A turn that is open when the session ends was interrupted by that, and counts once."""
    session = sessions.Session().ready().asked(0, 3.0, "Well?")
    session.at(5.0).add(
        ev.TurnCancelled(turn=0, reason="shutdown"), ev.SessionEnded(reason="closed")
    )
    assert values(readings(session.events), m.TURNS) == {("interrupted", "shutdown"): [1.0]}


def test_underruns_and_overruns_are_counted_as_often_as_they_happened() -> None:
    """An event may stand for several."""
    session = sessions.Session().ready()
    session.add(ev.Underrun(turn=0, count=2), ev.Overrun(count=3), ev.Underrun(turn=0, count=1))
    found = readings(session.events)
    assert sum(values(found, m.UNDERRUNS)[()]) == 3
    assert sum(values(found, m.OVERRUNS)[()]) == 3


def test_processor_time_is_what_the_percentages_add_up_to() -> None:
    """150 % of a core for two seconds, then 50 % for one: 3.5 seconds."""
    session = sessions.Session().at(1.0).start()
    session.at(3.0).add(ev.Resources(cpu=150.0, rss=1_000))
    session.at(4.0).add(ev.Resources(cpu=50.0, rss=2_000))
    found = readings(session.events)
    assert sum(values(found, m.CPU)[()]) == pytest.approx(3.5)
    assert values(found, m.MEMORY) == {(): [1_000.0, 2_000.0]}


def test_the_models_in_use_and_whether_it_can_answer_are_told() -> None:
    """Not ready, then ready once everything is loaded, with a model for each role."""
    found = readings(sessions.loading().events)
    (models,) = values(found, m.MODELS)
    assert dict(zip(m.ROLE_VALUES, models, strict=True)) == {**sessions.MODELS, "turn": ""}
    assert values(found, m.READY) == {(): [0.0]}
    ready = readings(sessions.Session().ready().events)
    assert values(ready, m.READY) == {(): [0.0, 1.0]}
    assert values(ready, m.LOADING)["slm",] == [1.4]


def test_names_follow_the_conventions_of_prometheus() -> None:
    """Base units and `_total` are in the names, and every name is its own."""
    names = [metric.prometheus for metric in m.CATALOG]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"(edgevoice|process)(_[a-z]+)+", name) for name in names)
    for metric in m.CATALOG:
        assert metric.prometheus.endswith("_total") == (metric.kind == "counter")
        assert (metric.kind == "histogram") == bool(metric.buckets)
        assert list(metric.buckets) == sorted(set(metric.buckets))
    assert m.RESPONSE_TIME.prometheus == "edgevoice_response_time_seconds"
    assert (m.RESPONSE_TIME.buckets[0], m.RESPONSE_TIME.buckets[-1]) == (0.1, 10.0)


def test_without_a_microphone_or_a_speaker_it_is_not_ready() -> None:
    """Ready again only when both are there, and not before everything is loaded."""
    away, back = (
        ev.DeviceLost(kind="input", name="a", remedy=""),
        ev.DeviceRestored(kind="input", name="a"),
    )
    mute, loud = (
        ev.DeviceLost(kind="output", name="b", remedy=""),
        ev.DeviceRestored(kind="output", name="b"),
    )
    session = sessions.Session().ready()
    for event in (away, mute, back, loud):
        session = session.add(event)
    found = values(readings(session.events), m.READY)
    assert found == {(): [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]}

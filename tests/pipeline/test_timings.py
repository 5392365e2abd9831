"""The spans of a turn add up to the response time the user hears, whatever overlapped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice import events as ev
from edgevoice.settings import Config, TurnSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from edgevoice.timings import SPANS, Timings, fold, percentile

costs = st.floats(0.001, 1.5)


@given(recognize=costs, token=costs, prefill=costs, rtf=costs, pause=st.integers(100, 1500))
def test_spans_add_up_to_the_response_time(
    recognize: float, token: float, prefill: float, rtf: float, pause: int
) -> None:
    """Whichever stage is slow and whatever is done ahead, no millisecond is left unattributed."""
    show = Rehearsal("It is noon, my friend. Good.", Config(turn=TurnSettings(pause_ms=pause)))
    show.recognizer = ScriptedRecognizer(show.clock, show.book, recognize)
    show.slm = ScriptedLanguageModel(
        show.clock, lambda _: "It is noon, my friend. Good.", token / 5, prefill / 20
    )
    show.synthesizer = ScriptedSynthesizer(show.clock, rtf=rtf)
    show.hear((0.2, "what time is it", 1.0))
    [turn] = fold(show.run())
    assert turn.response_time is not None
    assert sum(s.seconds for s in turn.spans) == pytest.approx(turn.response_time, abs=1e-9)
    assert [s.name for s in turn.spans] == list(SPANS)
    assert all(s.seconds >= 0 for s in turn.spans)
    for span, following in zip(turn.spans, turn.spans[1:], strict=False):
        assert span.end == following.start


def test_the_gap_runs_from_the_last_voiced_to_the_first_audible_sample() -> None:
    """Neither the silence waited for nor the quiet beginning of the voice is left out."""
    show = Rehearsal("Noon.")
    show.hear((0.2, "what time is it", 1.0))
    show.run()
    [turn] = fold(show.events)
    ended = show.all(ev.SpeechEnded)[0]
    played = show.all(ev.PlaybackStarted)[0]
    assert turn.response_time == pytest.approx(played.audible_at - ended.at)
    assert played.audible_at == pytest.approx(played.at + 0.005)


def test_work_hidden_behind_the_silence_costs_nothing() -> None:
    """What was done before the end was confirmed shows as a bar, not as a span."""
    show = Rehearsal("Noon.", Config(turn=TurnSettings(pause_ms=200, silence_ms=2000)))
    show.hear((0.2, "what time is it", 1.0))
    [turn] = fold(show.run())
    spans = {s.name: s.seconds for s in turn.spans}
    assert spans["confirm"] > 1.0
    assert {b.name for b in turn.bars} >= {"recognize", "prefill", "decode", "synthesize", "play"}


def test_turns_that_were_never_answered_have_no_timings() -> None:
    """Taken-back and rejected turns do not spoil the percentiles."""
    show = Rehearsal("It is noon.")
    show.hear((0.5, "what is", 0.8), (1.8, "the time", 0.8))
    assert [t.turn for t in fold(show.run())] == [1]


def test_a_typed_question_is_timed_from_when_it_was_sent() -> None:
    """Without a voice to end, the response time begins with the turn."""
    show = Rehearsal("Four.")
    show.hear((3.0, "thanks", 0.5))
    show.at(1.0, lambda assistant: assistant.say("two and two"))
    turn = fold(show.run())[0]
    assert turn.spans[0].start == pytest.approx(1.0)


def test_the_turn_under_way_can_be_watched() -> None:
    """`current` shows the spans reached so far."""
    show = Rehearsal("Noon.")
    timings = Timings()
    seen = []

    def watch(event: ev.Event) -> None:
        timings.add(event)
        if isinstance(event, ev.PrefillEnded) and timings.current:
            seen.append([s.name for s in timings.current.spans])

    show.bus.subscribe(watch)
    show.hear((0.2, "what time is it", 1.0))
    show.run()
    assert seen == [["pause", "recognize", "prefill"]]
    assert timings.p50() == timings.turns[0].response_time == timings.p95()


def test_percentiles_interpolate() -> None:
    """The usual definition: linear between the two nearest ranks."""
    assert percentile([], 0.5) is None
    assert percentile([3.0], 0.95) == 3.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.5
    assert percentile([0.0, 10.0], 0.95) == pytest.approx(9.5)


def test_a_reply_to_an_interim_transcript_waits_for_no_final_one() -> None:
    """The span of recognition ends where the prefill begins, though another transcript follows."""
    show = Rehearsal("Noon.")
    show.recognizer = ScriptedRecognizer(show.clock, show.book, 0.3)
    show.hear((0.2, "what time is it now", 2.3))
    [turn] = fold(show.run())
    recognize = next(span for span in turn.spans if span.name == "recognize")
    assert recognize.end == show.all(ev.PrefillStarted)[0].t
    assert recognize.end < show.all(ev.FinalTranscript)[0].t

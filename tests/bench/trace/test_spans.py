"""Nothing of a response time is left unattributed, whatever people and machines do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgevoice import events as ev
from edgevoice.settings import Config, SlmSettings, TtsSettings, TurnSettings
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from edgevoice.timings import SPANS, fold

REPLIES = (
    "Yes.",
    "It is noon, my friend, and time for a break. Shall I make some tea?",
    "One. Two. Three. Four, five, six, seven, eight, nine and ten.",
)
WORDS = ("what", "time is it", "in the kitchen", "please turn off the lights", "and then")

configs = st.builds(
    lambda pause, silence, speculate, ahead, words: Config(
        turn=TurnSettings(pause_ms=pause, silence_ms=silence, speculate=speculate),
        slm=SlmSettings(prefill_ahead=ahead),
        tts=TtsSettings(first_clause_words=words),
    ),
    st.integers(64, 400),
    st.sampled_from([0, 200, 450, 700, 1200]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, 1, 4]),
)
costs = st.tuples(
    st.floats(0.001, 1.0), st.floats(0.001, 0.3), st.floats(0.001, 0.1), st.floats(0.01, 1.5)
)
# Phrases with pauses between them: a pause may end the turn, be waited out, or come in a reply.
clips = st.lists(
    st.lists(
        st.tuples(st.floats(0.1, 2.5), st.sampled_from(WORDS), st.floats(0.2, 1.5)),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=3,
)


@pytest.mark.slow
@given(
    config=configs,
    costs=costs,
    clips=clips,
    reply=st.sampled_from(REPLIES),
    stops=st.lists(st.floats(1.0, 15.0), max_size=2),
)
def test_the_spans_of_every_turn_add_up_to_its_response_time(
    config: Config,
    costs: tuple[float, float, float, float],
    clips: list[list[tuple[float, str, float]]],
    reply: str,
    stops: list[float],
) -> None:
    """Slow stages, pauses, barge-ins, interruptions, anything ahead or not: contiguous, in order,
    none negative, from the last voiced to the first audible sample."""
    recognize, token, prefill, rtf = costs
    show = Rehearsal(reply, config)
    show.recognizer = ScriptedRecognizer(show.clock, show.book, recognize)
    show.slm = ScriptedLanguageModel(show.clock, lambda _: reply, token, prefill)
    show.synthesizer = ScriptedSynthesizer(show.clock, rtf=rtf)
    for clip in clips:
        at, phrases = 0.0, []
        for quiet, text, seconds in clip:
            phrases.append((at + quiet, text, seconds))
            at += quiet + seconds
        show.hear(*phrases)
    for stop in stops:
        show.at(stop, lambda assistant: assistant.interrupt())
    events = show.run()
    turns = fold(events)
    for turn in turns:
        own = [e for e in events if getattr(e, "turn", None) == turn.turn]
        ended = [e.at for e in own if isinstance(e, ev.SpeechEnded)]
        played = next(e for e in own if isinstance(e, ev.PlaybackStarted))
        assert turn.response_time is not None
        assert turn.response_time == pytest.approx(
            max(0.0, played.audible_at - ended[-1]), abs=1e-9
        )
        assert sum(span.seconds for span in turn.spans) == pytest.approx(
            turn.response_time, abs=1e-9
        )
        assert all(span.seconds >= 0 for span in turn.spans)
        assert [s.name for s in turn.spans] == [
            n for n in SPANS if n in {s.name for s in turn.spans}
        ]
        for span, following in zip(turn.spans, turn.spans[1:], strict=False):
            assert span.end == following.start
    answered = {e.turn for e in events if isinstance(e, ev.PlaybackStarted)}
    assert {turn.turn for turn in turns} == answered

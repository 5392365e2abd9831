"""The speed of each stage is computed from its events; without them it is None."""

from __future__ import annotations

import pytest

from edgevoice import events as ev
from edgevoice.rates import prefill_rate, rates, words_per_minute
from edgevoice.settings import Config, SlmSettings, SttSettings, TurnSettings
from edgevoice.testing.scripted import (
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from tests.bench.stage import Stage


def heard(t: float, text: str) -> ev.InterimTranscript:
    return ev.InterimTranscript(t=t, turn=0, text=text)


def reading(t: float, seconds: float, partial: bool) -> ev.TranscriptionStarted:
    return ev.TranscriptionStarted(t=t, turn=0, seconds=seconds, partial=partial)


def recognized(t: float, text: str = "go on") -> ev.FinalTranscript:
    return ev.FinalTranscript(t=t, turn=0, text=text, language="en", no_speech=0.0, logprob=0.0)


def clause(number: int, spoken: str, made: float, seconds: float) -> list[ev.Event]:
    """A clause whose synthesis starts at `made` and takes half a second."""
    return [
        ev.ClauseReady(t=made, turn=0, clause=number, text=spoken, spoken=spoken),
        ev.SynthesisStarted(t=made, turn=0, clause=number),
        ev.SynthesisEnded(t=made + 0.5, turn=0, clause=number, seconds=seconds),
    ]


def playing(number: int, audible: float) -> ev.PlaybackStarted:
    return ev.PlaybackStarted(t=audible, turn=0, clause=number, at=audible, audible_at=audible)


def test_prefill_counts_only_what_was_evaluated() -> None:
    """Of twelve tokens four were cached: eight in a fifth of a second."""
    events = [
        ev.PrefillStarted(t=1.0, turn=0),
        ev.PrefillEnded(t=1.2, turn=0, tokens=12, reused=4),
    ]
    assert prefill_rate(events) == pytest.approx(40.0)


def test_the_prefill_of_an_abandoned_guess_does_not_count() -> None:
    """The last prompt counts."""
    events = [
        ev.PrefillStarted(t=1.0, turn=0),
        ev.PrefillEnded(t=1.2, turn=0, tokens=12, reused=4),
        ev.PrefillStarted(t=3.0, turn=0),
        ev.PrefillEnded(t=3.1, turn=0, tokens=14, reused=12),
    ]
    assert prefill_rate(events) == pytest.approx(20.0)


def test_a_prompt_that_was_all_there_has_no_rate() -> None:
    """Without evaluated tokens, the rate is unknown."""
    events = [
        ev.PrefillStarted(t=1.0, turn=0),
        ev.PrefillEnded(t=1.0, turn=0, tokens=12, reused=12),
    ]
    assert prefill_rate(events) is None
    assert prefill_rate([]) is None


def test_a_final_reading_lasts_until_the_question_is_known() -> None:
    """An earlier interim transcript does not count."""
    events = [reading(1.0, 1.0, True), heard(1.1, "go"), reading(2.0, 2.0, False), recognized(2.3)]
    told = rates(events)
    assert (told["read_seconds"], told["stt_rtf"]) == (2.0, pytest.approx(0.15))


def test_a_look_that_was_the_question_ends_when_it_was_read_and_not_when_it_was_told() -> None:
    """The wait for silence in between does not count."""
    events = [reading(2.0, 2.0, True), heard(2.2, "go on"), recognized(2.9)]
    assert rates(events)["stt_rtf"] == pytest.approx(0.1)


def test_an_older_reading_that_ends_within_the_last_one_is_not_taken_for_it() -> None:
    """An interim transcript may end during the last one, even with the same text."""
    events = [
        reading(1.5, 1.6, True),
        reading(2.0, 2.0, True),
        heard(2.05, "go on"),
        heard(2.2, "go on"),
        recognized(2.9),
    ]
    assert rates(events)["stt_rtf"] == pytest.approx(0.1)


def test_a_look_of_which_it_is_not_known_when_it_ended_has_no_rate() -> None:
    """Without interim transcripts it is unknown."""
    told = rates([reading(2.0, 2.0, True), recognized(2.9)])
    assert (told["read_seconds"], told["stt_rtf"]) == (None, None)


def test_a_typed_question_was_not_read() -> None:
    """A typed question has no real-time factor."""
    assert rates([recognized(1.0)])["stt_rtf"] is None


def test_synthesis_is_all_its_clauses() -> None:
    """A second of work for four seconds of sound; an unfinished clause does not count."""
    events = [*clause(0, "One two.", 1.0, 1.5), *clause(1, "Three.", 2.0, 2.5)]
    events.append(ev.SynthesisStarted(t=3.0, turn=0, clause=2))
    told = rates(events)
    assert (told["sound_seconds"], told["tts_rtf"]) == (4.0, pytest.approx(0.25))


def test_words_are_counted_as_spoken_from_first_to_last_sound() -> None:
    """Six words in three seconds, the pause between clauses included."""
    events = [
        *clause(0, "One, two – three.", 1.0, 1.0),
        *clause(1, "Four five six.", 2.0, 1.0),
        playing(0, 2.0),
        playing(1, 3.5),
        ev.PlaybackEnded(t=5.0, turn=0, at=5.0),
    ]
    assert words_per_minute(events) == pytest.approx(120.0)


def test_a_reply_that_was_broken_off_has_no_pace() -> None:
    """The number of played words is unknown."""
    events = [
        *clause(0, "One two three.", 1.0, 1.0),
        playing(0, 2.0),
        ev.PlaybackEnded(t=2.2, turn=0, at=2.2),
        ev.TurnCompleted(t=2.2, turn=0, heard="One", interrupted=True),
    ]
    assert words_per_minute(events) is None


@pytest.mark.parametrize("partials", [True, False])
def test_a_turn_of_scripted_engines_has_the_rates_of_their_scripts(partials: bool) -> None:
    """Whether the question was read ahead or only at its end: a tenth of a second a reading, a
    hundred tokens of prompt a second, and sound made in a fifth of its length."""
    config = Config(
        turn=TurnSettings(silence_ms=700),
        stt=SttSettings(partials=partials),
        slm=SlmSettings(prefill_ahead=False),
    )
    stage = Stage("It is noon and time for tea.", config)
    show = stage.show
    show.recognizer = ScriptedRecognizer(show.clock, show.book, 0.1)
    show.slm = ScriptedLanguageModel(show.clock, lambda _: "It is noon and time for tea.", 0.05)
    show.synthesizer = ScriptedSynthesizer(show.clock, rtf=0.2)
    with stage.interview() as one:
        turn = one.ask(stage.question((0.2, "what time is it", 1.0)))
    assert turn.prefill_rate == pytest.approx(100.0)
    assert turn.read_seconds is not None
    assert 0.9 < turn.read_seconds < 2.5
    assert turn.stt_rtf == pytest.approx(0.1 / turn.read_seconds)
    assert turn.sound_seconds is not None
    assert turn.tts_rtf == pytest.approx(0.2, rel=0.05)
    assert turn.words_per_minute is not None
    assert 7 / turn.sound_seconds * 60 == pytest.approx(turn.words_per_minute, rel=0.2)

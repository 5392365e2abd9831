"""Where an utterance begins, pauses and ends, from speech probabilities alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgevoice.audio import FRAME_SAMPLES
from edgevoice.config import TurnSettings
from edgevoice.endpoint import Endpoint, Mark, Signal

SETTINGS = TurnSettings(min_speech_ms=96, pause_ms=256, silence_ms=640, barge_in_ms=256)


def marks(pattern: str, endpoint: Endpoint | None = None, **step: bool) -> list[tuple[int, Mark]]:
    """The marks for a pattern of frames, `#` voiced, `-` between the thresholds, `.` silent."""
    endpoint = endpoint or Endpoint(SETTINGS)
    found = []
    for number, frame in enumerate(pattern):
        probability = {"#": 0.9, "-": 0.4, ".": 0.05}[frame]
        if mark := endpoint.step(probability, number * FRAME_SAMPLES, **step):
            found.append((number, mark))
    return found


def signals(pattern: str, **step: bool) -> list[str]:
    return [mark.signal.value for _, mark in marks(pattern, **step)]


def test_an_utterance_starts_at_its_first_voiced_sample() -> None:
    """The start is certain after min_speech_ms, and points back to where speech began."""
    [(frame, mark)] = marks("....###")
    assert (frame, mark) == (6, Mark(Signal.STARTED, 4 * FRAME_SAMPLES))


def test_a_click_is_no_utterance() -> None:
    """Voiced runs shorter than min_speech_ms leave no trace."""
    assert signals("..#...##....#....") == []


def test_a_pause_is_told_before_the_end_and_both_name_the_last_voiced_sample() -> None:
    """Silence counts from the last voiced sample: first a pause, then the end."""
    found = marks("#####" + "." * 30)
    assert [m.signal.value for _, m in found] == ["started", "paused", "ended"]
    assert [m.index for _, m in found[1:]] == [5 * FRAME_SAMPLES] * 2
    assert [frame for frame, _ in found[1:]] == [5 + 8 - 1, 5 + 20 - 1]


def test_speech_after_a_pause_resumes_the_utterance() -> None:
    """Going on after a pause is told once, at the sample where the user went on."""
    found = marks("#####" + "." * 10 + "###" + "." * 30)
    assert [m.signal.value for _, m in found] == ["started", "paused", "resumed", "paused", "ended"]
    assert found[2][1].index == 15 * FRAME_SAMPLES


def test_a_single_frame_after_a_pause_is_not_the_user_going_on() -> None:
    """A click in the pause neither resumes the utterance nor moves its end."""
    found = marks("#####" + "." * 10 + "#" + "." * 30)
    assert [m.signal.value for _, m in found] == ["started", "paused", "ended"]
    assert found[-1][1].index == 5 * FRAME_SAMPLES


def test_probabilities_just_below_the_threshold_hold_speech_but_do_not_start_it() -> None:
    """Hysteresis: what would not begin an utterance keeps one alive."""
    assert signals("-----------") == []
    assert signals("####----------####") == ["started"]


def test_an_interruption_needs_more_voice_than_a_beginning() -> None:
    """While a reply is heard, barge_in_ms of voice is asked for instead of min_speech_ms."""
    assert signals("#####....", interrupting=True) == []
    assert signals("########", interrupting=True) == ["started"]


def test_an_endless_utterance_is_cut_at_the_limit() -> None:
    """Constant speech or noise ends at max_seconds, and is answered as it stands."""
    endpoint = Endpoint(TurnSettings(max_seconds=1.0))
    found = marks("#" * 40, endpoint)
    assert found[1][1].signal is Signal.ENDED
    assert found[1][0] == 31


def test_a_held_floor_is_ended_by_release_and_nothing_else() -> None:
    """Push-to-talk: no silence ends the utterance, letting go does."""
    endpoint = Endpoint(SETTINGS)
    assert endpoint.hold(0) == Mark(Signal.STARTED, 0)
    assert marks("...###" + "." * 60, endpoint) == []
    assert endpoint.release(66 * FRAME_SAMPLES) == Mark(Signal.ENDED, 6 * FRAME_SAMPLES)
    assert endpoint.release(67 * FRAME_SAMPLES) is None


@given(st.text("#-.", max_size=300))
def test_marks_follow_one_grammar_whatever_is_heard(pattern: str) -> None:
    """started (paused resumed)* paused? ended, over and over: no order but this ever occurs."""
    follows = {
        None: {"started"},
        "started": {"paused", "ended"},
        "paused": {"resumed", "ended"},
        "resumed": {"paused", "ended"},
        "ended": {"started"},
    }
    last = None
    for signal in signals(pattern):
        assert signal in follows[last]
        last = signal


@given(st.text("#-.", max_size=300))
def test_marks_never_point_into_the_future(pattern: str) -> None:
    """A mark speaks of samples that have been heard."""
    for frame, mark in marks(pattern):
        assert 0 <= mark.index <= (frame + 1) * FRAME_SAMPLES

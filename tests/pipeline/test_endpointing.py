"""Where an utterance begins, pauses and ends, from speech probabilities alone."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edgevoice.audio import FRAME_SAMPLES
from edgevoice.settings import TurnSettings
from edgevoice.turn_taking.endpointing import Boundary, BoundaryKind, Endpointer

SETTINGS = TurnSettings(min_speech_ms=96, pause_ms=256, silence_ms=640, barge_in_ms=256)


def marks(
    pattern: str, endpoint: Endpointer | None = None, **step: bool
) -> list[tuple[int, Boundary]]:
    """The marks for a pattern of frames, `#` voiced, `-` between the thresholds, `.` silent."""
    endpoint = endpoint or Endpointer(SETTINGS)
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
    assert (frame, mark) == (6, Boundary(BoundaryKind.STARTED, 4 * FRAME_SAMPLES))


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
    endpoint = Endpointer(TurnSettings(max_seconds=1.0))
    found = marks("#" * 40, endpoint)
    assert found[1][1].signal is BoundaryKind.ENDED
    assert found[1][0] == 31


def test_a_held_floor_is_ended_by_release_and_nothing_else() -> None:
    """Push-to-talk: no silence ends the utterance, letting go does."""
    endpoint = Endpointer(SETTINGS)
    assert endpoint.hold(0) == Boundary(BoundaryKind.STARTED, 0)
    assert marks("...###" + "." * 60, endpoint) == []
    assert endpoint.release(66 * FRAME_SAMPLES) == Boundary(BoundaryKind.ENDED, 6 * FRAME_SAMPLES)
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


QUESTION = "What is the capital of France?"


class Scene:
    """One utterance and the pause behind it, frame by frame; evidence is given where it is due."""

    def __init__(self, settings: TurnSettings | None = None) -> None:
        self.endpoint = Endpointer(settings or WEIGHED)
        self.frame = 0
        self.marks: list[Boundary] = []

    def hear(self, pattern: str, *, ready: bool = True) -> list[str]:
        """Take the frames, and give the signals they bring."""
        found = []
        for char in pattern:
            probability = {"#": 0.9, "-": 0.4, ":": 0.2, ".": 0.05}[char]
            index = self.frame * FRAME_SAMPLES
            if mark := self.endpoint.step(probability, index, ready=ready):
                self.marks.append(mark)
                found.append(mark.signal.value)
            self.frame += 1
        return found

    @property
    def pause(self) -> int:
        return self.marks[-1].index


WEIGHED = TurnSettings(min_speech_ms=96, pause_ms=128, min_silence_ms=192, max_silence_ms=1600)


def test_a_question_that_sounds_finished_ends_at_the_shortest_silence() -> None:
    """Words and tone are known when the pause begins: 192 ms are enough."""
    scene = Scene()
    assert scene.hear("#####....") == ["started", "paused"]
    assert scene.endpoint.weigh(scene.pause, complete=0.99, text=QUESTION)
    assert scene.hear(".") == []
    assert scene.hear(".") == ["ended"]
    assert scene.pause == 5 * FRAME_SAMPLES


def test_without_evidence_only_the_longest_silence_ends_a_turn() -> None:
    """Until anything is known, 1600 ms hold."""
    scene = Scene()
    assert scene.hear("#####" + "." * 49) == ["started", "paused"]
    assert scene.hear(".") == ["ended"]


def test_evidence_counts_whenever_it_comes() -> None:
    """A transcript that is late ends the turn in the next frame, for the silence has lasted."""
    scene = Scene()
    scene.hear("#####" + "." * 20)
    assert scene.endpoint.weigh(scene.pause, complete=0.99)
    assert scene.hear("..") == []
    assert scene.endpoint.weigh(scene.pause, text=QUESTION)
    assert scene.hear(".") == ["ended"]


def test_newer_evidence_replaces_older() -> None:
    """The words turn out to hang: what would have ended the turn does not."""
    scene = Scene()
    scene.hear("#####....", ready=False)
    scene.endpoint.weigh(scene.pause, complete=0.99, text=QUESTION)
    scene.endpoint.weigh(scene.pause, text="What is the capital of France and")
    assert scene.hear("." * 30) == []


def test_while_no_sound_is_waiting_no_turn_ends_early() -> None:
    """An early end gains nothing before the answer can be heard; and it is cut off by nothing."""
    scene = Scene()
    scene.hear("#####....", ready=False)
    scene.endpoint.weigh(scene.pause, complete=0.99, text=QUESTION)
    assert scene.hear("." * 20, ready=False) == []
    assert scene.hear(".", ready=True) == ["ended"]


def test_the_longest_silence_ends_a_turn_though_nothing_is_ready() -> None:
    """A slow machine does not listen for ever."""
    scene = Scene()
    assert scene.hear("#####" + "." * 50, ready=False)[-1] == "ended"


def test_without_speculation_nothing_has_to_be_ready() -> None:
    """Work begins at the end, so the end waits for no work."""
    settings = TurnSettings(pause_ms=128, min_silence_ms=192, max_silence_ms=1600, speculate=False)
    scene = Scene(settings)
    scene.hear("#####....", ready=False)
    scene.endpoint.weigh(scene.pause, complete=0.99, text=QUESTION)
    assert scene.hear("..", ready=False) == ["ended"]


def test_evidence_about_a_pause_that_is_over_is_ignored() -> None:
    """The user went on before the transcript came: it says nothing of the pause after that."""
    scene = Scene()
    scene.hear("#####....")
    old = scene.pause
    assert scene.hear("####") == ["resumed"]
    assert not scene.endpoint.weigh(old, complete=0.99, text=QUESTION)
    assert scene.hear("....") == ["paused"]
    assert not scene.endpoint.weigh(old, complete=0.99, text=QUESTION)
    assert scene.hear("." * 30) == []


def test_evidence_is_forgotten_when_the_user_goes_on() -> None:
    """A finished question that goes on is not finished in its next pause either, until weighed."""
    scene = Scene()
    scene.hear("#####....", ready=False)
    scene.endpoint.weigh(scene.pause, complete=0.99, text=QUESTION)
    assert scene.hear("####....") == ["resumed", "paused"]
    assert scene.endpoint.wait_ms == 1600
    assert scene.hear("." * 20) == []


def test_a_sound_in_the_pause_holds_the_end_back_for_a_moment() -> None:
    """A single voiced frame may be the first of a word: three silent ones must follow."""
    scene = Scene()
    scene.hear("#####.....", ready=False)
    scene.endpoint.weigh(scene.pause, complete=0.99, text=QUESTION)
    assert scene.hear("#..", ready=True) == []
    assert scene.hear(".", ready=True) == ["ended"]
    scene = Scene()
    scene.hear("#####.....", ready=False)
    scene.endpoint.weigh(scene.pause, complete=0.99, text=QUESTION)
    assert scene.hear("##", ready=True) == ["resumed"]


def test_no_turn_ends_early_in_a_frame_that_stirs() -> None:
    """A frame that is hardly silent may be the breath before a word; the next calm one will do."""
    scene = Scene()
    scene.hear("#####....", ready=False)
    scene.endpoint.weigh(scene.pause, complete=0.99, text=QUESTION)
    assert scene.hear(".:::") == []
    assert scene.hear(".") == ["ended"]
    assert Scene().hear("#####" + ":" * 50)[-1] == "ended"


def test_a_fixed_silence_needs_neither_evidence_nor_readiness() -> None:
    """silence_ms is the plain rule: that long, whatever was said."""
    scene = Scene(TurnSettings(pause_ms=128, silence_ms=320))
    scene.hear("#####....", ready=False)
    scene.endpoint.weigh(scene.pause, complete=0.99, text="and the")
    assert scene.hear("." * 5, ready=False) == []
    assert scene.hear(".", ready=False) == ["ended"]


@given(
    st.lists(
        st.tuples(
            st.text("#-.", min_size=1, max_size=30),
            st.booleans(),
            st.none() | st.floats(0, 1),
            st.none() | st.sampled_from([QUESTION, "And the", "I like it here.", ""]),
        ),
        max_size=12,
    )
)
def test_nothing_ends_within_a_word_or_before_the_shortest_silence(
    heard: list[tuple[str, bool, float | None, str | None]],
) -> None:
    """However evidence and readiness come and go, an end follows silence, and keeps the grammar."""
    scene = Scene()
    spoken = ""
    for pattern, ready, complete, text in heard:
        for frame in pattern:
            spoken += frame
            if scene.hear(frame, ready=ready) == ["ended"]:
                assert spoken.endswith("...")
                assert scene.frame * FRAME_SAMPLES - scene.pause >= 192 * 16
        if scene.marks:
            scene.endpoint.weigh(scene.pause, complete=complete, text=text)
    follows = {"started": {"paused", "ended"}, "paused": {"resumed", "ended"}}
    follows |= {"resumed": follows["started"], "ended": {"started"}}
    signals = [mark.signal.value for mark in scene.marks]
    assert all(after in follows[before] for before, after in itertools.pairwise(signals))

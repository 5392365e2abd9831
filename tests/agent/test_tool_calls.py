"""Another agent than the language model, and its side effects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from edgevoice import events as ev
from edgevoice.protocols import Agent, AgentOutput, Cancelled, Committed, Stopped, Token, ToolCall
from edgevoice.scene import Remark, Scene
from edgevoice.timings import TurnTimings, fold
from tests.agent.seam import AgentRehearsal
from tests.conftest import ROOT


class Lamp:
    """A side effect that is counted; it notes whether the turn was committed each time."""

    def __init__(
        self,
        words: str = "One moment. ",
        fails: bool = False,
        work: Callable[[], None] = lambda: None,
    ) -> None:
        self.switched = 0
        self.allowed: list[bool] = []
        self.asked = 0
        self._words = words
        self._fails = fails
        self.work = work

    def script(self, cancelled: Cancelled, committed: Committed) -> Iterator[AgentOutput]:
        """Words, the side effect, and words about its result."""
        self.asked += 1

        def switch() -> str:
            self.switched += 1
            self.allowed.append(committed() and not cancelled())
            self.work()
            if self._fails:
                raise RuntimeError("the lamp fell over")
            return f"lamp {self.switched} is on"

        if self._words:
            yield Token(self._words)
        call = ToolCall("lamp", "on", switch)
        yield call
        yield Token(f"Your {call.result}.")
        yield Stopped("stop")


def committed(show: AgentRehearsal) -> list[int]:
    return [event.turn for event in show.all(ev.TurnCommitted)]


def test_another_agent_answers_without_a_language_model() -> None:
    """It gets the conversation with the system prompt, its words are heard, and it is closed."""

    def script(cancelled: Cancelled, committed: Committed) -> Iterator[AgentOutput]:
        yield Token("It is noon, ")
        yield Token("more or less.")

    show = AgentRehearsal(script)
    show.hear((0.5, "what time is it", 1.0))
    show.rehearse()
    assert show.played == "It is noon more or less"
    assert show.heard == ["It is noon, more or less."]
    asked = [(message.role, message.text) for message in show.scripted.conversations[-1]]
    assert asked == [
        ("system", show.config.slm.system_prompt),
        ("user", "what time is it"),
    ]
    assert [event.reason for event in show.all(ev.GenerationEnded)] == ["stop"]
    assert show.scripted.closed


def test_a_tool_acts_once_the_turn_is_committed() -> None:
    """Its result is spoken and kept in the history, and the words before it do not wait."""
    lamp = Lamp()
    show = AgentRehearsal(lamp.script)
    show.hear((0.5, "lamp on please", 1.0))
    show.rehearse()
    assert (lamp.switched, lamp.allowed) == (1, [True])
    assert show.played == "One moment Your lamp 1 is on"
    said = [(message.role, message.text) for message in show.assistant.history.messages[1:]]
    assert said == [
        ("user", "lamp on please"),
        ("tool", "lamp(on): lamp 1 is on"),
        ("assistant", "One moment. Your lamp 1 is on."),
    ]
    (called,), (returned,) = show.all(ev.ToolCalled), show.all(ev.ToolReturned)
    assert show.all(ev.TurnCommitted)[0].seq < called.seq < returned.seq
    assert (called.name, called.arguments, returned.result) == ("lamp", "on", "lamp 1 is on")


def test_the_screen_shows_what_a_tool_has_done() -> None:
    """As a line between the exchanges."""
    lamp = Lamp()
    show = AgentRehearsal(lamp.script)
    show.hear((0.5, "lamp on please", 1.0))
    show.rehearse()
    scene = Scene()
    for event in show.events:
        scene.apply(event)
    assert [row.text for row in scene.rows if isinstance(row, Remark)] == ["lamp: lamp 1 is on"]


@pytest.mark.parametrize("words", ["One moment. ", ""])
@pytest.mark.parametrize("pause", [0.25, 0.4, 0.6])
def test_a_reply_to_half_a_question_never_acts(words: str, pause: float) -> None:
    """The user goes on after a pause: the agent was asked before, but acts for the whole only."""
    lamp = Lamp(words)
    show = AgentRehearsal(lamp.script)
    show.hear((0.5, "please turn the lamp", 1.2), (1.7 + pause, "on in the kitchen", 1.2))
    show.rehearse()
    assert lamp.asked > 1
    assert "resumed" in [event.reason for event in show.all(ev.TurnCancelled)]
    assert (lamp.switched, lamp.allowed) == (1, [True])
    assert len(committed(show)) == 1


def test_a_turn_that_is_cut_off_before_its_commit_never_acts() -> None:
    """A typed question takes over in the pause after a spoken one."""
    lamp = Lamp()
    show = AgentRehearsal(lamp.script)
    show.hear((0.5, "lamp on please", 1.0))
    show.at(2.5, lambda assistant: assistant.say("never mind"))
    show.rehearse()
    assert [event.reason for event in show.all(ev.TurnCancelled)] == ["barge_in"]
    assert lamp.asked == 2
    assert (lamp.switched, lamp.allowed) == (1, [True])
    assert [event.turn for event in show.all(ev.ToolCalled)] == committed(show) == [1]


def test_a_sound_into_a_reply_never_acts() -> None:
    """A listener's "mhm" begins a turn that is not committed."""
    lamp = Lamp("This is a long reply about lamps and how they are switched on. ")
    show = AgentRehearsal(lamp.script)
    show.hear((0.5, "lamp on please", 1.0), (3.5, "mhm", 0.4))
    show.rehearse()
    assert "backchannel" in [event.reason for event in show.all(ev.TurnCancelled)]
    assert (lamp.switched, lamp.allowed) == (1, [True])
    assert committed(show) == [0]


def test_an_interruption_acts_for_itself_and_what_is_done_stays_in_the_history() -> None:
    """Both turns were committed: the first had acted before it was interrupted."""
    lamp = Lamp("This is a long reply about lamps and how they are switched on. ")
    show = AgentRehearsal(lamp.script)
    show.hear((0.5, "lamp on please", 1.0), (3.5, "stop that and turn it off", 1.5))
    show.rehearse()
    assert lamp.switched == 2 == len(committed(show))
    assert all(lamp.allowed)
    said = [(message.role, message.text) for message in show.assistant.history.messages[1:]]
    assert said[1] == ("tool", "lamp(on): lamp 1 is on")
    assert said[2] == ("assistant", show.heard[0])
    assert len(show.heard[0]) < 60
    assert said[4] == ("tool", "lamp(on): lamp 2 is on")


def test_a_conversation_acts_exactly_as_often_as_it_commits() -> None:
    """With pauses, listener's sounds and interruptions in one conversation."""
    lamp = Lamp()
    show = AgentRehearsal(lamp.script)
    show.hear((0.5, "please turn the lamp", 1.2), (2.1, "on in the kitchen", 1.2))
    show.hear((0.5, "and the other one", 1.0), (2.75, "mhm", 0.5))
    show.hear((0.5, "off again", 0.8), (3.0, "no wait leave it on", 1.4))
    show.rehearse()
    acted = [event.turn for event in show.all(ev.ToolCalled)]
    assert lamp.asked > len(committed(show)) >= 4
    assert acted == committed(show)
    assert lamp.switched == len(acted)
    assert all(lamp.allowed)


def test_a_reply_that_begins_with_a_tool_does_not_wait_longer_than_one_with_words() -> None:
    """The turn ends as soon as the silence is long enough, because there is something to do."""

    def silence(words: str) -> float:
        show = AgentRehearsal(Lamp(words).script)
        show.hear((0.5, "turn the lamp on please", 1.2))
        show.rehearse()
        return show.all(ev.TurnCommitted)[0].t - show.all(ev.SpeechEnded)[0].at

    assert silence("") <= silence("One moment. ") + 0.032


def test_a_tool_that_fails_ends_the_reply_and_not_the_session() -> None:
    """The failure is reported as the agent's, and the next question is answered."""
    lamp = Lamp(fails=True)
    show = AgentRehearsal(lamp.script)
    show.hear((0.5, "lamp on please", 1.0))
    show.hear((0.5, "lamp on now", 1.0))
    show.rehearse()
    assert [event.stage for event in show.all(ev.StageFailed)] == ["agent", "agent"]
    assert lamp.switched == 2
    assert show.all(ev.SessionEnded)[0].reason == "end_of_input"


def timed(words: str, seconds: float) -> TurnTimings:
    """The timings of a turn whose tool works for so many seconds."""
    lamp = Lamp(words)
    show = AgentRehearsal(lamp.script)
    lamp.work = lambda: show.clock.sleep(seconds)
    show.hear((0.5, "turn the lamp on please", 1.2))
    show.rehearse()
    (timings,) = fold(show.events)
    return timings


@pytest.mark.parametrize("words", ["One moment. ", ""])
def test_the_work_of_a_tool_is_a_bar_and_the_spans_add_up(words: str) -> None:
    """It adds to the response time only what the user waits for."""
    quick, slow = timed(words, 0.0), timed(words, 0.5)
    assert quick.response_time is not None
    assert slow.response_time == pytest.approx(quick.response_time + (0.0 if words else 0.5))
    assert sum(span.seconds for span in slow.spans) == pytest.approx(slow.response_time)
    (bar,) = [bar for bar in slow.bars if bar.name == "tool"]
    assert bar.seconds == pytest.approx(0.5)


def test_the_documented_agent_answers_and_acts() -> None:
    """The example in docs/engines.md runs as it stands."""
    page = (ROOT / "docs" / "engines.md").read_text("utf-8")
    (example,) = [
        block for block in re.findall(r"```python\n(.*?)```", page, re.S) if "Lamp" in block
    ]
    names: dict[str, type[Agent]] = {}
    exec(compile(example, "docs/engines.md", "exec"), names)
    show = AgentRehearsal(Lamp().script)
    show.agent = names["LampAgent"]()
    show.hear((0.5, "turn on the lamp", 1.0))
    show.hear((0.5, "sing me a song", 1.0))
    show.rehearse()
    assert show.heard == ["One moment. The lamp is on.", "I only know lamps."]

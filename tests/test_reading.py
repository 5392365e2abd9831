"""Typed questions and replies that are only read, in the order in which they are read."""

from __future__ import annotations

from edgevoice import events as ev
from edgevoice.assistant import Assistant
from edgevoice.cli.typed import TypedQuestions
from edgevoice.plain import PlainPrinter
from edgevoice.testing.rehearsal import Rehearsal

READ = """\
microphone muted
replies are only shown
listening, while the other models load
ready
you: Which city is it?
edgevoice: Paris is the capital of France.
edgevoice: It lies on the Seine.
response time
you: And why?
edgevoice: Paris is the capital of France.
edgevoice: It lies on the Seine.
response time
ended: closed
"""
"""The recorded reading order, without the figures of the response times."""


class Typist:
    """Types like `edgevoice run --quiet --plain`, without a thread of its own."""

    def __init__(self, assistant: Assistant, lines: list[str]) -> None:
        self._assistant, self._lines = assistant, lines

    def __call__(self, event: ev.Event) -> None:
        if isinstance(event, ev.Ready | ev.TurnCompleted):
            if self._lines:
                self._assistant.say(self._lines.pop(0))
            else:
                self._assistant.close()


def test_a_quiet_conversation_is_read_from_top_to_bottom() -> None:
    """State, question, reply and time follow each other as in the recorded order, and reading does
    not wait for the time it takes to speak."""
    show = Rehearsal("Paris is the capital of France. It lies on the Seine.")
    show.hear((600.0, "much later", 1.0))
    lines: list[str] = []
    show.bus.subscribe(PlainPrinter(lines.append))
    assistant = show.assemble()
    assistant.mute(True)
    assistant.speak(False)
    show.bus.subscribe(Typist(assistant, ["Which city is it?", "And why?"]))
    assistant.run()
    read = [line if line[:8] != "response" else "response time\n" for line in lines]
    assert "".join(read).splitlines() == READ.splitlines()
    assert [e.heard for e in show.all(ev.TurnCompleted)] == [
        "Paris is the capital of France. It lies on the Seine."
    ] * 2
    first, last = show.all(ev.PlaybackStarted)[0], show.all(ev.PlaybackEnded)[0]
    assert last.at - first.at < 1.0


class Session:
    """Answers at once, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.typed = TypedQuestions(self, ["Which city is it?\n", "\n", "And why?\n"])

    def say(self, text: str) -> None:
        self.asked.append(text)
        self.typed(ev.TurnCompleted(turn=len(self.asked), heard="", interrupted=False))

    def close(self) -> None:
        self.asked.append("(closed)")


def test_lines_of_standard_input_are_asked_one_after_the_other() -> None:
    """Empty lines are no questions, and the end of the input ends the session."""
    session = Session()
    session.typed(ev.Ready())
    session.typed.run()
    assert session.asked == ["Which city is it?", "And why?", "(closed)"]

"""The conversation as plain lines."""

from __future__ import annotations

import io

import msgspec

from edgevoice import events as ev
from edgevoice.plain import LineWriter, PlainPrinter
from edgevoice.testing.rehearsal import Rehearsal
from tests.sessions import Session, asleep, conversation, failed


def lines_of(events: list[ev.Event], *, waterfall: bool = False) -> list[str]:
    written: list[str] = []
    printer = PlainPrinter(written.append, waterfall=waterfall, width=60)
    for event in events:
        printer(event)
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in written)
    return [line[:-1] for line in written]


def test_a_conversation_reads_as_lines() -> None:
    """Loading, readiness, questions, played clauses and timings."""
    assert lines_of(conversation().events) == [
        "edgevoice 0.1.0, loading …",
        "loading vad: silero-vad",
        "loaded vad: silero-vad in 0.1 s",
        "loading stt: whisper-base",
        "loaded stt: whisper-base in 0.6 s",
        "loading tts: en_US-joe-medium",
        "loaded tts: en_US-joe-medium in 0.9 s",
        "loading slm: qwen2.5-coder-1.5b",
        "loaded slm: qwen2.5-coder-1.5b in 1.4 s",
        "ready: vad silero-vad, stt whisper-base, slm qwen2.5-coder-1.5b, tts en_US-joe-medium",
        "microphone: Built-in microphone",
        "speaker: Built-in speaker",
        "you: What is the capital of France?",
        "edgevoice: Paris is the capital of France,",
        "edgevoice: and its largest city.",
        "response time 870 ms = pause 250 + recognize 110 + prefill 110 + first clause 180 "
        "+ synthesize 150 + output 70",
        "you: How many people live there?",
        "edgevoice: About two million in the city",
        "edgevoice: and twelve in its surroundings.",
        "response time 1180 ms = pause 250 + recognize 110 + prefill 110 + first clause 180 "
        "+ synthesize 150 + output 380",
        "you: And what should I see first?",
        "edgevoice: Walk along the river in the evening,",
        "edgevoice: then see the old islands",
    ]


def test_a_download_in_the_background_is_a_line_for_each_tenth() -> None:
    """And a note at its end, with the reason if it failed."""
    steps = (0, 50, 100, 150, 420, 490)
    events: list[ev.Event] = [
        ev.DownloadProgress(model="phi-3-mini", done=done, total=1000) for done in steps
    ]
    events += [
        ev.DownloadEnded(model="phi-3-mini", problem="the disk is full"),
        ev.DownloadEnded(model="phi-3-mini"),
    ]
    assert lines_of(events) == [
        "downloading phi-3-mini: 0 % of 0.0 GB",
        "downloading phi-3-mini: 10 % of 0.0 GB",
        "downloading phi-3-mini: 42 % of 0.0 GB",
        "note: phi-3-mini is not downloaded: the disk is full",
        "note: phi-3-mini is downloaded: the next conversation uses it",
    ]


def test_interruption_failure_and_loss_are_told_with_their_remedies() -> None:
    """Every problem is a line, followed by its fix."""
    lines = lines_of(failed().events)
    assert lines[lines.index("you: Tell me about the moon.") :] == [
        "you: Tell me about the moon.",
        "edgevoice: The moon goes around the earth,",
        "edgevoice: and always shows it the same side.",
        '(interrupted after "the earth, and always")',
        "response time 870 ms = pause 250 + recognize 110 + prefill 110 + first clause 180 "
        "+ synthesize 150 + output 70",
        "(no words recognized: a cough)",
        "you: How far away is it?",
        "! failed: agent: the context is full",
        "  fix: --set slm.context=8192",
        "(no reply: the context is full)",
        "! microphone lost: USB headset",
        "  fix: plug it in again, or press d for another",
    ]


def test_waking_and_sleeping_are_told() -> None:
    """With a wake word, each activation and deactivation is a line."""
    told = lines_of(asleep().events)
    assert told[-1] == 'asleep: say "hey jarvis"'
    assert "awake" in told
    assert told.index("awake") < told.index("you: What is the capital of France?")


def test_a_clause_is_written_when_it_is_heard() -> None:
    """A clause is written when its first sample leaves the speaker, not before."""
    session = Session().ready().asked(0, 3.0, "Why?")
    session.add(
        ev.ClauseReady(turn=0, clause=0, text="Because.", spoken="Because."),
        ev.PlaybackStarted(turn=0, clause=0, at=9.0, audible_at=9.0),
    )
    assert "edgevoice: Because." not in lines_of(session.events)
    session.at(9.1).add(ev.Level(dbfs=-50.0, speech=0.0))
    assert lines_of(session.events)[-1] == "edgevoice: Because."


def test_a_clause_that_was_never_heard_is_never_written() -> None:
    """Clauses that were not played are not written."""
    session = Session().ready().asked(0, 3.0, "Why?")
    session.add(
        ev.TokenGenerated(turn=0, index=0, text="Because."),
        ev.ClauseReady(turn=0, clause=0, text="Because.", spoken="Because."),
        ev.PlaybackStarted(turn=0, clause=0, at=9.0, audible_at=9.0),
        ev.TurnCancelled(turn=0, reason="interrupted"),
        ev.TurnCompleted(turn=0, heard="", interrupted=True),
    )
    lines = lines_of(session.at(10.0).add(ev.Muted(on=True)).events)
    assert "(interrupted)" in lines
    assert not any(line.startswith("edgevoice: ") for line in lines)


def test_a_question_that_goes_on_is_written_once() -> None:
    """A real pipeline, with a pause inside a question and an interrupted reply."""
    rehearsal = Rehearsal("Paris is the capital. It lies on the river Seine, as you may know.")
    rehearsal.hear((0.5, "what is the capital of france", 1.5), (2.4, "and why", 0.6))
    rehearsal.at(7.0, lambda assistant: assistant.interrupt())
    said = [
        line
        for line in lines_of(rehearsal.run())
        if line.startswith(("you:", "edgevoice:", "(interrupted"))
    ]
    assert said[0] == "you: what is the capital of france and why"
    assert said[1] == "edgevoice: Paris is the capital."
    assert said[-1].startswith("(interrupted after ")
    assert len([line for line in said if line.startswith("you:")]) == 1


def test_no_control_character_gets_through() -> None:
    """Control characters of models and device names are removed."""
    session = Session().ready().add(ev.Notice(text="red \x1b[31m bell \x07 and\nnew\tline"))
    assert lines_of(session.events)[-1] == "note: red  bell   and new line"


def test_the_waterfall_follows_its_sentence_when_asked_for() -> None:
    """With --waterfall every turn is drawn within the width."""
    session = Session().ready().asked(0, 3.0, "Why?").answered(0, 3.0, ["Because."])
    lines = lines_of(session.events, waterfall=True)
    drawn = lines[lines.index("you: Why?") + 3 :]
    assert drawn[0].startswith("turn 1 · prompt 96 tokens")
    assert drawn[-1].startswith("total ")
    assert max(map(len, drawn)) <= 60


def test_lines_are_written_in_order_and_flushed() -> None:
    """Closing the writer waits for all queued lines."""
    stream = io.StringIO()
    with LineWriter(stream) as write:
        for number in range(100):
            write(f"{number}\n")
    assert stream.getvalue().split() == [str(number) for number in range(100)]


class Gone(io.StringIO):
    """A pipe without a reader."""

    def flush(self) -> None:
        raise BrokenPipeError


def test_a_closed_pipe_is_told_once() -> None:
    """If the reader is gone, the session is notified and later lines are dropped."""
    told: list[bool] = []
    with LineWriter(Gone(), lambda: told.append(True)) as write:
        write("one\n")
        write("two\n")
    assert told == [True]


def test_the_language_of_a_question_is_told_where_several_are_spoken() -> None:
    """With one language, no language is shown."""
    first, *rest = conversation().events
    several = [msgspec.structs.replace(first, languages=("en", "pt")), *rest]
    assert "you (en): What is the capital of France?" in lines_of(several)
    single = [msgspec.structs.replace(first, languages=("en",)), *rest]
    assert "you: What is the capital of France?" in lines_of(single)


def test_a_reply_that_pauses_and_goes_on_is_told() -> None:
    """The reason of a pause follows as a note, and a stop command is not a question."""
    show = Rehearsal("Once there was a king who had three sons. The youngest of them was kind." * 2)
    show.hear((0.5, "tell me a story", 1.0), (5.0, "mhm", 0.4), (8.0, "stop", 0.5))
    lines = lines_of(show.run())
    begun = lines.index("you: tell me a story")
    told = [
        line for line in lines[begun + 1 :] if not line.startswith(("edgevoice:", "response time"))
    ]
    paused = "(paused: listening to you)"
    assert told[:3] == [paused, '(continues: "mhm")', paused]
    assert told[3].startswith("(interrupted after ")
    assert told[4] == '(stop command: "stop")'

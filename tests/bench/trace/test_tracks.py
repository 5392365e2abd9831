"""A trace as a viewer of traces shows it: whole, without overlap, and true to the response time."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from edgevoice import events as ev
from edgevoice.bench.trace.perfetto import document, micros
from edgevoice.bench.trace.trace_file import traced
from edgevoice.errors import EdgevoiceError
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.timings import fold
from edgevoice.trace import Recorder, line, read
from tests.command import QUICK, edgevoice, message
from tests.conftest import ROOT
from tests.sessions import Session, conversation, failed

EXAMPLE = ROOT / "docs" / "example-trace.jsonl"
Entry = dict[str, Any]


def resumed() -> list[ev.Event]:
    """Somebody pauses, goes on, is answered and breaks in."""
    show = Rehearsal("It is noon, my friend. That is all that I can say of it, and I am sorry.")
    show.hear((0.5, "what is", 0.8), (1.8, "the time", 0.8), (5.2, "stop that please", 0.9))
    return list(show.run())


SESSIONS = {
    "example": lambda: list(read(EXAMPLE)),
    "conversation": lambda: conversation().events,
    "failed": lambda: failed().events,
    "resumed": resumed,
    "nothing": lambda: [ev.Ready(t=1.0, seq=0)],
    "two sessions": lambda: [*conversation().events, *failed().events],
}


def entries(events: Iterable[ev.Event]) -> list[Entry]:
    """What a viewer reads."""
    return list(json.loads("".join(document(events)))["traceEvents"])


@pytest.fixture(params=SESSIONS)
def session(request: pytest.FixtureRequest) -> list[ev.Event]:
    return SESSIONS[request.param]()


def tracks(found: Iterable[Entry]) -> dict[tuple[int, int], str]:
    """The name of every thread."""
    return {(e["pid"], e["tid"]): e["args"]["name"] for e in found if e["name"] == "thread_name"}


def on(found: list[Entry], track: str, phase: str = "X") -> list[Entry]:
    """What is on the track of that name, in time."""
    names = tracks(found)
    own = [e for e in found if e["ph"] == phase and names.get((e["pid"], e["tid"])) == track]
    return sorted(own, key=lambda e: e["ts"])


def test_every_entry_has_what_its_kind_needs(session: list[ev.Event]) -> None:
    """Times are whole microseconds, nothing lasts less than nothing, every thread has a name."""
    found = entries(session)
    names = tracks(found)
    assert {e["ph"] for e in found} <= {"X", "i", "C", "M"}
    for entry in found:
        assert isinstance(entry["name"], str)
        assert entry["name"]
        for field in ("pid", "tid", "ts"):
            assert isinstance(entry[field], int)
            assert entry[field] >= 0
        assert isinstance(entry["args"], dict)
        if entry["ph"] == "X":
            assert isinstance(entry["dur"], int)
            assert entry["dur"] >= 0
        if entry["ph"] == "i":
            assert entry["s"] == "t"
        if entry["ph"] in "Xi":
            assert (entry["pid"], entry["tid"]) in names
        if entry["ph"] == "C":
            assert entry["args"]
            assert all(isinstance(value, int | float) for value in entry["args"].values())


def test_no_two_pieces_of_a_track_overlap(session: list[ev.Event]) -> None:
    """A viewer would put one of them where it does not belong."""
    found = entries(session)
    rows = defaultdict(list)
    for entry in found:
        if entry["ph"] == "X":
            rows[entry["pid"], entry["tid"]].append((entry["ts"], entry["ts"] + entry["dur"]))
    for row in rows.values():
        row.sort()
        for (_, end), (start, _) in itertools.pairwise(row):
            assert end <= start


def test_no_thread_has_the_number_of_another_or_of_a_process(session: list[ev.Event]) -> None:
    """Viewers know a thread by its number, and the main one by that of its process."""
    found = entries(session)
    threads = [thread for _, thread in tracks(found)]
    assert len(threads) == len(set(threads))
    assert not {e["pid"] for e in found} & set(threads)


@pytest.mark.parametrize("name", ["example", "conversation", "resumed"])
def test_spans_add_up_to_the_gap_of_their_turn(name: str) -> None:
    """To the microsecond, and the response time is that of the timings."""
    session = SESSIONS[name]()
    found = entries(session)
    timed = {turn.turn: turn for turn in fold(session)}
    response_times = on(found, "response time")
    assert {e["args"]["turn"] for e in response_times} == set(timed)
    assert timed
    for response_time in response_times:
        turn = timed[response_time["args"]["turn"]]
        spans = [
            e for e in on(found, "spans") if e["args"]["turn"] == response_time["args"]["turn"]
        ]
        assert sum(e["dur"] for e in spans) == response_time["dur"]
        assert spans[0]["ts"] == response_time["ts"] == micros(turn.spans[0].start)
        assert turn.response_time is not None
        assert response_time["dur"] == pytest.approx(turn.response_time * 1e6, abs=2)
        assert [e["name"] for e in spans] == [s.name for s in turn.spans if s.seconds > 0]


def test_each_stage_shows_what_it_worked_on() -> None:
    """One turn from its first word to its last sound, stage by stage, with its words."""
    question, reply = "What is the capital of France?", "Paris is."
    session = Session()
    for t, event in (
        (1.0, ev.TurnStarted(turn=4, origin="speech")),
        (1.0, ev.SpeechStarted(turn=4, at=0.9)),
        (1.4, ev.TranscriptionStarted(turn=4, seconds=0.5, partial=True)),
        (1.6, ev.InterimTranscript(turn=4, text="What is", agreed=4)),
        (1.7, ev.PrefillProgress(turn=4, tokens=12, text="What")),
        (2.2, ev.SpeechPaused(turn=4, at=2.0)),
        (2.2, ev.TranscriptionStarted(turn=4, seconds=1.2, partial=False)),
        (
            2.5,
            ev.FinalTranscript(turn=4, text=question, language="en", no_speech=0.0, logprob=-0.1),
        ),
        (2.5, ev.PrefillStarted(turn=4)),
        (2.6, ev.EndOfTurnScored(turn=4, complete=0.97)),
        (2.7, ev.PrefillEnded(turn=4, tokens=20, reused=12)),
        (2.8, ev.TokenGenerated(turn=4, index=0, text="Paris")),
        (2.9, ev.TokenGenerated(turn=4, index=1, text=" is.")),
        (2.9, ev.ClauseReady(turn=4, clause=0, text=reply, spoken=reply)),
        (2.9, ev.GenerationEnded(turn=4, tokens=2, reason="stop")),
        (2.9, ev.SynthesisStarted(turn=4, clause=0)),
        (3.0, ev.FirstAudio(turn=4, clause=0)),
        (3.1, ev.SpeechEnded(turn=4, at=2.0, seconds=1.4)),
        (3.1, ev.TurnCommitted(turn=4)),
        (3.2, ev.SynthesisEnded(turn=4, clause=0, seconds=0.8)),
        (3.3, ev.PlaybackStarted(turn=4, clause=0, at=3.2, audible_at=3.25)),
        (4.1, ev.PlaybackEnded(turn=4, at=4.0)),
        (4.1, ev.TurnCompleted(turn=4, heard=reply, interrupted=False)),
    ):
        session.at(t).add(event)
    found = entries(session.events)

    def pieces(track: str) -> list[tuple[str, int, int]]:
        return [(e["name"], e["ts"] // 1000, e["dur"] // 1000) for e in on(found, track)]

    def marks(track: str) -> list[str]:
        return [e["name"] for e in on(found, track, "i")]

    assert pieces("user") == [("speaks", 900, 1100)]
    assert pieces("response time") == [("1250 ms", 2000, 1250)]
    assert pieces("capture") == [("hears", 1000, 1200), ("waits for more", 2200, 900)]
    assert pieces("transcription") == [
        ("reads while they speak", 1400, 200),
        ("reads the question", 2200, 300),
    ]
    assert pieces("agent") == [("prefill", 2500, 200), ("decode", 2700, 200)]
    assert pieces("synthesis") == [("clause 0", 2900, 300)]
    assert pieces("playback") == [("clause 0", 3200, 800)]
    assert marks("capture") == ["committed"]
    assert marks("end_of_turn") == ["finished: 97%"]
    assert marks("agent") == ["words read ahead", "first token", "clause 0"]
    assert marks("synthesis") == ["first sound"]
    assert marks("playback") == ["completed"]
    texts = [e["args"]["text"] for e in (*on(found, "transcription"), on(found, "agent")[1])]
    assert texts == ["What is", question, reply]
    assert [on(found, stage)[0]["args"]["text"] for stage in ("synthesis", "playback")] == [
        reply
    ] * 2
    assert all(e["args"]["turn"] == 4 for e in found if e["ph"] in "Xi")


def test_an_utterance_with_a_pause_is_one_piece() -> None:
    """The false start is marked; the user's speech is drawn once."""
    session = resumed()
    found = entries(session)
    said = on(found, "user")
    assert len(said) == 2
    assert said[0]["args"]["turn"] == 1
    told = [e["name"] for e in on(found, "capture", "i")]
    assert "cancelled: resumed" in told
    assert "cancelled: barge_in" in told
    assert "interrupted" in [e["name"] for e in on(found, "playback", "i")]


def test_what_went_wrong_is_marked() -> None:
    """Failures, lost devices, cancelled turns, and a speaker that ran dry."""
    session = [*failed().events, ev.Underrun(t=30.0, seq=999, turn=0, count=3)]
    found = entries(session)
    marks = {e["name"]: e for e in found if e["ph"] == "i"}
    assert "failed: the context is full" in marks
    assert "cancelled: no_speech" in marks
    assert "lost: USB headset" in marks
    assert marks["underrun"]["args"]["count"] == 3


def test_resources_and_level_are_counters() -> None:
    """Processor, memory, microphone and speech, each at its time."""
    session = list(read(EXAMPLE))
    found = [e for e in entries(session) if e["ph"] == "C"]
    for kind, names in ((ev.Resources, ("CPU", "memory")), (ev.Level, ("microphone", "speech"))):
        at = [micros(event.t) for event in session if isinstance(event, kind)]
        for name in names:
            assert [e["ts"] for e in found if e["name"] == name] == at


def test_a_picture_says_what_was_running() -> None:
    """The file has the version and the models."""
    about = json.loads("".join(document(read(EXAMPLE))))["otherData"]
    assert about["edgevoice"] == "0.1.0"
    assert "slm=qwen2.5-coder-1.5b" in about["models"]


def test_every_session_is_a_process() -> None:
    """A bench of several variants is several sessions: their turns do not mix."""
    found = entries([*conversation().events, *failed().events])
    processes = [e["args"]["name"] for e in found if e["name"] == "process_name"]
    assert processes == ["edgevoice, session 1", "edgevoice, session 2"]


def test_the_end_of_work_that_no_event_tells_of_is_not_made_up() -> None:
    """A look without news is a mark, a guess that was taken back ends with what shows it."""
    session = [
        ev.TurnStarted(t=0.0, seq=0, turn=0, origin="speech"),
        ev.TranscriptionStarted(t=0.1, seq=1, turn=0, seconds=1.0, partial=True),
        ev.PrefillStarted(t=0.2, seq=2, turn=0),
        ev.PrefillEnded(t=0.3, seq=3, turn=0, tokens=9, reused=1),
        ev.TurnCancelled(t=0.5, seq=4, turn=0, reason="resumed"),
        ev.PrefillStarted(t=0.9, seq=5, turn=1),
    ]
    found = entries(session)
    [look] = [e for e in found if e["name"] == "reads while they speak"]
    assert (look["ph"], look["args"]["end"]) == ("i", "not told: no news")
    [guess] = [e for e in found if e["name"] == "decode"]
    assert (guess["ts"], guess["dur"]) == (300_000, 200_000)
    assert guess["args"]["end"] == "not told: taken back"


def test_a_tool_has_a_track_of_its_own_and_a_revision_is_marked() -> None:
    """The tool works while the agent is still writing."""
    session = [
        ev.PrefillStarted(t=0.2, seq=0, turn=0),
        ev.PrefillEnded(t=0.3, seq=1, turn=0, tokens=9, reused=1),
        ev.ToolCalled(t=0.4, seq=2, turn=0, name="lamp", arguments="on"),
        ev.ToolReturned(t=0.6, seq=3, turn=0, name="lamp", result="is on"),
        ev.ReplyRevised(t=0.7, seq=4, turn=0, start=12),
        ev.GenerationEnded(t=0.8, seq=5, turn=0, tokens=3, reason="stop"),
    ]
    found = entries(session)
    [tool] = on(found, "tools")
    assert (tool["name"], tool["ts"], tool["dur"]) == ("lamp", 400_000, 200_000)
    assert tool["args"] == {"turn": 0, "arguments": "on", "result": "is on"}
    [revised] = [e for e in on(found, "agent", "i") if e["name"] == "revised"]
    assert revised["args"] == {"turn": 0, "start": 12}


def test_a_damaged_trace_is_read_as_far_as_it_can_be(tmp_path: Path) -> None:
    """Broken lines and events of a newer version cause a notice, and the rest is read."""
    path = tmp_path / "trace.jsonl"
    events = conversation().events
    lines = [line(event) for event in events]
    lines.insert(3, '{"type":"thought_read","t":1.0,"seq":3}\n')
    path.write_text("".join(lines) + '{"type":"rea\n\n')
    told: list[str] = []
    assert traced(path, told.append) == events
    assert told[0].startswith(f"2 lines are no event, the first is line {len(events) + 2} of")
    assert "thought_read" in told[1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not a trace"),
        ('{"format": "edgevoice bench", "version": 1}\n', "not a trace"),
        ('{"type":"session_started","t":0.0,"seq":0,"schema":99}\n', "newer edgevoice"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_trace_is_named(tmp_path: Path, text: str | None, told: str) -> None:
    """Empty, another file, of a newer version, or not there: exit code 2 and nothing written."""
    path = tmp_path / "trace.jsonl"
    if text is not None:
        path.write_text(text)
    with pytest.raises(EdgevoiceError, match=told):
        traced(path, lambda _: None)
    assert told in message(edgevoice("bench", "trace", path), 2)
    assert not list(tmp_path.glob("*.json"))


def test_the_command_writes_beside_the_trace_or_where_it_is_told(tmp_path: Path) -> None:
    """A file that a viewer opens, whole; or standard output."""
    recorder = Recorder()
    show = Rehearsal("It is noon.")
    show.bus.subscribe(recorder)
    show.hear((0.2, "what time is it", 1.0))
    show.run()
    recorder.save(tmp_path / "trace.jsonl")
    done = edgevoice("bench", "trace", tmp_path / "trace.jsonl")
    assert done.returncode == 0, done.stderr
    made = tmp_path / "trace.perfetto.json"
    assert f"written to {made}" in done.stderr
    piped = edgevoice("bench", "trace", tmp_path / "trace.jsonl", "--out", "-")
    assert piped.stdout == made.read_text("utf-8")
    written = json.loads(piped.stdout)
    assert written["displayTimeUnit"] == "ms"
    assert written["traceEvents"]
    told = message(edgevoice("bench", "trace", tmp_path / "trace.jsonl", "--out", tmp_path))
    assert "cannot be written" in told


def test_a_trace_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    """Not after all questions were asked: before a model is looked for."""
    words = ("bench", "run", "--trace", tmp_path / "none" / "t.jsonl", "--json", "-")
    assert "the trace cannot be written" in message(edgevoice(*words))


@pytest.mark.models
def test_a_bench_writes_the_trace_of_what_it_measured(
    tmp_path: Path, starter_models: dict[str, Path]
) -> None:
    """The response times of the result are those of the trace and of its picture."""
    trace = tmp_path / "trace.jsonl"
    done = edgevoice(
        *(*QUICK, "bench", "run", "--limit", "1", "--warm-up", "0"),
        *("--json", "-", "--trace", trace),
    )
    assert done.returncode == 0, done.stderr
    [turn] = json.loads(done.stdout)["turns"]
    [timed] = fold(read(trace))
    assert timed.response_time == pytest.approx(turn["response_time"], abs=1e-6)
    [response_time] = on(entries(read(trace)), "response time")
    assert response_time["dur"] == pytest.approx(turn["response_time"] * 1e6, abs=2)

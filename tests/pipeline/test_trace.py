"""The trace: one schema, one object a line, written only when asked for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edgevoice import events as ev
from edgevoice.bus import Bus
from edgevoice.errors import EdgevoiceError, StorageError
from edgevoice.testing.rehearsal import Rehearsal
from edgevoice.testing.virtual import VirtualClock
from edgevoice.timings import fold
from edgevoice.trace import Recorder, TraceFile, read, recover
from tests.kept import STARTED


def rehearse(*subscribers: object) -> Rehearsal:
    show = Rehearsal("It is noon.")
    for subscriber in subscribers:
        show.bus.subscribe(subscriber)  # type: ignore[arg-type]
    show.hear((0.2, "what time is it", 1.0))
    show.run()
    return show


def test_a_trace_read_back_is_the_events_that_were_emitted(tmp_path: Path) -> None:
    """Nothing is lost between the bus and the file."""
    path = tmp_path / "trace.jsonl"
    trace = TraceFile(path)
    show = rehearse(trace)
    trace.close()
    assert list(read(path)) == show.events
    assert fold(read(path)) == fold(show.events)


def test_every_line_is_one_object_with_type_time_and_number(tmp_path: Path) -> None:
    """The documented shape, for whoever reads it without us."""
    path = tmp_path / "trace.jsonl"
    recorder = Recorder()
    rehearse(recorder)
    recorder.save(path)
    for number, line in enumerate(path.read_text().splitlines()):
        event = json.loads(line)
        assert event["seq"] == number
        assert isinstance(event["t"], float)
        assert event["type"].islower()


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    """A trace that was cut says where."""
    path = tmp_path / "trace.jsonl"
    path.write_text('{"type":"ready","t":0.0,"seq":0}\n{"type":"rea')
    with pytest.raises(EdgevoiceError, match="line 2"):
        list(read(path))


def test_a_trace_that_cannot_be_made_is_refused_at_once(tmp_path: Path) -> None:
    """Before a word is said, not after an hour."""
    with pytest.raises(StorageError, match="cannot be written"):
        TraceFile(tmp_path / "nowhere" / "trace.jsonl")


def test_a_full_disk_loses_the_trace_and_not_the_conversation() -> None:
    """Writing fails at the end with a remedy; every reply was heard."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    trace = TraceFile(full)
    show = rehearse(trace)
    assert show.heard == ["It is noon."]
    with pytest.raises(StorageError, match="No space left"):
        trace.close()


def test_a_subscriber_that_breaks_is_dropped_and_the_others_go_on() -> None:
    """A broken display cannot cost a turn."""
    bus = Bus(VirtualClock())
    seen: list[ev.Event] = []

    def broken(event: ev.Event) -> None:
        raise RuntimeError("display gone")

    bus.subscribe(broken)
    bus.subscribe(seen.append)
    bus.emit(ev.Ready())
    bus.emit(ev.Ready())
    assert [e.seq for e in seen] == [0, 1]
    assert len(bus.dropped) == 1


def test_every_event_is_part_of_the_one_schema() -> None:
    """No event can be emitted that a reader of traces does not know."""
    kinds = {c for c in vars(ev).values() if isinstance(c, type) and issubclass(c, ev.Event)}
    assert kinds - {ev.Event} == set(ev.AnyEvent.__args__)  # type: ignore[attr-defined]


def test_the_example_in_the_docs_is_a_trace_of_this_schema() -> None:
    """docs/example-trace.jsonl reads; the spans of each turn add up to its response time."""
    turns = fold(read(Path(__file__).parents[2] / "docs" / "example-trace.jsonl"))
    assert len(turns) == 3
    for turn in turns:
        assert sum(s.seconds for s in turn.spans) == pytest.approx(turn.response_time)


def unfinished(path: Path) -> list[ev.Event]:
    """A trace as a program leaves it that is killed in the middle of a line; its whole events."""
    trace = TraceFile(path)
    trace(STARTED)
    trace(ev.Notice(text="remember this"))
    trace.close()
    events = list(read(path))
    with path.open("a") as file:
        file.write('{"type":"level","t":1.')
    return events


def test_a_trace_without_its_last_event_is_set_aside_and_can_be_read(tmp_path: Path) -> None:
    """The next trace of that name does not overwrite it, nor the one that was set aside before."""
    path = tmp_path / "trace.jsonl"
    for name in ("trace.unfinished.jsonl", "trace.unfinished-2.jsonl"):
        events = unfinished(path)
        saved = recover(path)
        assert saved == tmp_path / name
        assert list(read(saved)) == events
        assert not path.exists()


def test_only_an_unfinished_trace_that_has_no_writer_is_set_aside(tmp_path: Path) -> None:
    """A complete one, another file, none at all, and one that a session is writing stay."""
    path = tmp_path / "trace.jsonl"
    assert recover(path) is None
    path.write_text("my notes\n")
    assert recover(path) is None
    trace = TraceFile(path)
    trace(STARTED)
    assert recover(path) is None
    trace(ev.SessionEnded(reason="closed"))
    trace.close()
    assert recover(path) is None
    assert len(list(read(path))) == 2


@pytest.mark.skipif(os.name == "nt", reason="files are not locked there")
def test_a_file_that_another_session_writes_is_refused_and_kept(tmp_path: Path) -> None:
    """The second session with the same file ends with a remedy; the first loses nothing."""
    path = tmp_path / "trace.jsonl"
    path.write_text("an older and much longer trace\n" * 100)
    first = TraceFile(path)
    first(STARTED)
    with pytest.raises(StorageError, match="another session") as refused:
        TraceFile(path)
    assert "--trace" in refused.value.remedy
    assert refused.value.exit_code == 1
    first(ev.SessionEnded(reason="closed"))
    first.close()
    assert len(list(read(path))) == 2
    TraceFile(path).close()
    assert path.read_bytes() == b"", "free again, and begun anew"


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no such device here")
def test_any_number_of_sessions_may_write_to_a_device() -> None:
    """Nothing of one session can be lost there to another."""
    first, second = TraceFile(Path(os.devnull)), TraceFile(Path(os.devnull))
    first.close()
    second.close()


BEGIN = b'{"type":"session_started","t":0}'
LONG = b'{"type":"notice","text":"' + b"x" * 2_500_000
ENDED = b'{"type":"session_ended","reason":"closed","t":2.0,"seq":1}'


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (BEGIN, BEGIN),
        (BEGIN + b"\n", BEGIN + b"\n"),
        (BEGIN + b"\n" + LONG, BEGIN + b"\n"),
        (BEGIN + b"\n" + LONG + b'"}', BEGIN + b"\n" + LONG + b'"}'),
        (BEGIN + b"\n" + LONG + b'"}\n', BEGIN + b"\n" + LONG + b'"}\n'),
        (BEGIN + b"\n" + LONG + b'"}\n{"ty', BEGIN + b"\n" + LONG + b'"}\n'),
    ],
    ids=["one line", "one ended line", "long and cut", "long", "long and ended", "cut after long"],
)
def test_every_whole_line_of_an_unfinished_trace_is_kept(
    tmp_path: Path, written: bytes, kept: bytes
) -> None:
    """However few or long its lines are; only what is no event at the end is cut off."""
    path = tmp_path / "trace.jsonl"
    path.write_bytes(written)
    saved = recover(path)
    assert saved == tmp_path / "trace.unfinished.jsonl"
    assert saved.read_bytes() == kept


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b'\n{"type":"le'])
def test_a_complete_trace_is_left_as_it_is(tmp_path: Path, end: bytes) -> None:
    """Also one that lacks only its final newline, as some editors save it."""
    path = tmp_path / "trace.jsonl"
    path.write_bytes(BEGIN + b"\n" + ENDED + end)
    assert recover(path) is None
    assert path.read_bytes() == BEGIN + b"\n" + ENDED + end

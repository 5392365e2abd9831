"""What people already have keeps working: files of older versions, under the names of today."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice import compatibility
from edgevoice import events as ev
from edgevoice.bench.trace.trace_file import traced
from edgevoice.recordings import recorded_turn
from edgevoice.timings import fold
from edgevoice.trace import read
from tests.conftest import ROOT

OLD = Path(__file__).with_name("old")


def test_a_trace_of_schema_1_is_the_same_conversation() -> None:
    """Every line is read, and each span is as long as under the new names."""
    new = ROOT / "docs" / "example-trace.jsonl"
    old = list(read(OLD / "trace-1.jsonl"))
    assert [type(event) for event in old] == [type(event) for event in read(new)]
    assert fold(old) == fold(read(new))


def test_a_tool_that_reads_what_it_can_leaves_nothing_of_it_out() -> None:
    """`bench trace` and the report take an old trace without a notice."""
    notices: list[str] = []
    assert len(traced(OLD / "trace-1.jsonl", notices.append)) == len(
        (OLD / "trace-1.jsonl").read_text().splitlines()
    )
    assert notices == []


def test_a_recorded_turn_of_version_1_holds_all_of_its_events() -> None:
    """It can be replayed: what was asked, what was answered and when."""
    turn = recorded_turn.read(OLD / "turn-1.json")
    assert len(turn.told()) == len(turn.events)
    assert {ev.FinalTranscript, ev.PrefillEnded, ev.ClauseReady, ev.FirstAudio} <= set(
        map(type, turn.told())
    )


@pytest.mark.parametrize(("old", "new"), compatibility.REASONS.items())
def test_a_turn_that_was_recorded_without_an_answer_has_its_reason(
    old: str, new: str, tmp_path: Path
) -> None:
    """What `replay --list` shows is what a new recording would show."""
    text = (OLD / "turn-1.json").read_text()
    file = tmp_path / "turn-000001.json"
    file.write_text(text.replace('"ending":"completed"', f'"ending":"{old}"'))
    assert recorded_turn.read(file).ending == new


@pytest.mark.parametrize(("old", "new"), compatibility.STAGES.items())
def test_a_stage_that_failed_has_its_name(old: str, new: str) -> None:
    """In a trace of either schema."""
    line = f'{{"type":"stage_failed","stage":"{old}","turn":null,"what":"w","remedy":"r"}}'
    assert f'"stage":"{new}"' in compatibility.event(line.encode()).decode()


def test_every_old_event_has_a_name_that_exists_and_none_has_two_meanings() -> None:
    """An old name is never that of another event today."""
    assert set(compatibility.EVENTS.values()) <= ev.KINDS
    assert not set(compatibility.EVENTS) & ev.KINDS


@pytest.mark.parametrize("line", [b"", b'{"type":"spoken"', b'["type":"spoken"]', b'"type":"woke"'])
def test_text_that_is_no_event_is_left_as_it_is(line: bytes) -> None:
    """Whoever reads it says what is wrong with it."""
    assert compatibility.event(line) == line

"""The file a bench writes: documented field by field, whole or not at all, and read again."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import pytest

from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.driver.run_state import RunState
from edgevoice.bench.result import result as made
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.bench.result.summary import figures, summarize
from edgevoice.bench.result.text import render
from edgevoice.clock import SystemClock
from edgevoice.errors import EdgevoiceError, StorageError
from edgevoice.settings import Config, TurnSettings


def turn(
    question: str, response_time: float | None, variant: str = AS_SET, **more: object
) -> BenchTurn:
    spans = {"pause": 0.2, "recognize": response_time - 0.2} if response_time is not None else {}
    return msgspec.convert(
        {
            "variant": variant,
            "question": question,
            "response_time": response_time,
            "spans": spans,
            **more,
        },
        BenchTurn,
    )


@pytest.fixture
def run_state() -> RunState:
    """Four questions, one of them cut off, and two that others interrupted a reply with."""
    run_state = RunState(
        BenchPlan(
            command="run",
            config=Config(turn=TurnSettings(silence_ms=500)),
            questions=(),
            source="built-in",
            left_out=["broken.wav"],
            variants=(AS_SET, "barge-in"),
        ),
        SystemClock(),
    )
    run_state.models = {"stt": "whisper-base", "slm": "shape-phi-3-mini"}
    run_state.turns = [
        turn("one", 9.0, warm_up=True),
        turn("one", 0.4, reference="human", words=10, word_errors=1),
        turn("one", 2.0, "barge-in"),
        turn("two", 0.6, underruns=2),
        turn("two", 2.4, "barge-in"),
        turn("three", 0.1, cut_off=True, transcript="thr"),
        turn("four", None, dropped="nothing said"),
    ]
    run_state.finished = True
    return run_state


def test_what_is_written_is_what_is_read(run_state: RunState, tmp_path: Path) -> None:
    """Nothing of a result is lost in its file."""
    result = run_state.result()
    made.write(tmp_path / "r.json", result)
    assert made.read(tmp_path / "r.json") == result


def test_only_answers_in_one_piece_count(run_state: RunState) -> None:
    """Warm-ups, cut-offs and dropped turns are counted, and are in no percentile."""
    result = run_state.result()
    ours = result.variants[0].summary
    assert ours.response_time is not None
    assert (ours.response_time.n, ours.response_time.p50) == (2, 0.4)
    assert (ours.turns, ours.answered, ours.cut_off, ours.dropped) == (4, 3, 1, 1)
    assert ours.underruns == 2
    assert ours.wer == pytest.approx(0.1)


def test_mean_spans_add_up_to_the_mean_response_time() -> None:
    """Also where a span is missing from some of the turns."""
    turns = [turn("a", 0.5), msgspec.structs.replace(turn("b", 0.3), spans={"pause": 0.3})]
    summary = summarize(turns)
    assert summary.response_time is not None
    assert sum(f.mean for f in summary.spans.values()) == pytest.approx(summary.response_time.mean)


def test_percentiles_of_nothing_are_nothing() -> None:
    """Without values there is no figure."""
    assert figures([]) is None
    assert figures([None]) is None
    assert summarize([]).response_time is None


def test_settings_that_are_not_the_default_are_kept(run_state: RunState) -> None:
    """A result says under which settings it was measured."""
    assert run_state.result().settings == {"turn.silence_ms": 500}


def test_the_table_fits_80_columns_and_tells_all(run_state: RunState) -> None:
    """Spans, both variants, every failure by name, and synthetic models."""
    lines = render(run_state.result())
    assert max(map(len, lines)) <= 80
    text = "\n".join(" ".join(line.split()) for line in lines)
    for told in (
        "response time 400 ms 590 ms 500 ms",
        "3 of 4 questions answered · 1 cut off · 1 dropped · 2 underruns",
        "WER 10.0 % of 10 words",
        "cut off, as set: three: heard “thr”",
        "dropped, as set: four: nothing said",
        "left out: broken.wav",
        "shape-phi-3-mini: a synthetic model",
        "turn.silence_ms=500",
    ):
        assert told in text


def test_a_result_says_how_a_synthetic_model_accepts_drafts(run_state: RunState) -> None:
    """Only where there was a draft model."""
    assert "by chance" not in " ".join(render(run_state.result()))
    run_state.models = {**run_state.models, "draft": "small"}
    text = " ".join(" ".join(render(run_state.result())).split())
    assert "drafts are accepted by chance" in text
    assert "draft small" in text


def test_a_result_without_an_answer_is_still_a_table(run_state: RunState) -> None:
    """All dropped: no percentile, no bar, and no crash."""
    run_state.turns = [turn("one", None, dropped="no speech was noticed")]
    text = "\n".join(render(run_state.result()))
    assert "nothing was answered" in text
    assert "dropped, as set: one: no speech was noticed" in text


def test_a_full_disk_is_told_and_leaves_what_was_there(
    run_state: RunState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result of hours is not half written over the one before."""
    path = tmp_path / "r.json"
    path.write_text("before")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StorageError, match="cannot be written: No space left on device"):
        made.write(path, run_state.result())
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"format": "edgevoice bench", "version": 99}', "written by a newer edgevoice"),
        ('{"type": "session_started"}', "not a result of the bench"),
        ('{"format": "edgevoice bench", "version": 1}', "a damaged result"),
        ("[", "a damaged result"),
    ],
)
def test_what_is_no_result_is_named(tmp_path: Path, text: str, told: str) -> None:
    """A newer file, another JSON, a damaged one and none at all."""
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(EdgevoiceError, match=told):
        made.read(path)
    with pytest.raises(EdgevoiceError, match="cannot be read"):
        made.read(tmp_path / "none.json")

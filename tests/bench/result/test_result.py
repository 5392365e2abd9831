"""The file a bench writes: documented field by field, whole or not at all, and read again."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import pytest

from edgevoice.bench.driver.run_state import RunState
from edgevoice.bench.result import result as made
from edgevoice.bench.result.result import AS_SET, BASELINE, BenchTurn
from edgevoice.bench.result.summary import figures, ratio, summarize
from edgevoice.bench.result.text import recognition, render, switches
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
    """Three questions through the pipeline and the plain sequence, one of them cut off."""
    run_state = RunState(
        "run",
        Config(turn=TurnSettings(silence_ms=500)),
        "built-in",
        ["broken.wav"],
        {AS_SET: {}, BASELINE: {}},
        SystemClock(),
    )
    run_state.models = {"stt": "whisper-base", "slm": "shape-phi-3-mini"}
    run_state.compared = (AS_SET, BASELINE)
    run_state.turns = [
        turn("one", 9.0, warm_up=True),
        turn("one", 0.4, reference="human", words=10, word_errors=1),
        turn("one", 2.0, BASELINE),
        turn("two", 0.6, underruns=2),
        turn("two", 2.4, BASELINE),
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


def test_the_ratio_is_taken_question_by_question(run_state: RunState) -> None:
    """The median of the questions' own ratios, and only of those that both answered."""
    found = run_state.result().ratio
    assert found is not None
    assert found.n == 2
    assert found.of_questions == pytest.approx((2.0 / 0.4 + 2.4 / 0.6) / 2)
    assert found.of_p50 == pytest.approx(2.0 / 0.4)
    assert ratio([turn("a", 1.0)], [turn("b", 1.0)]) is None


def test_percentiles_of_nothing_are_nothing() -> None:
    """Without values there is no figure."""
    assert figures([]) is None
    assert figures([None]) is None
    assert summarize([]).response_time is None


def test_settings_that_are_not_the_default_are_kept(run_state: RunState) -> None:
    """A result says under which settings it was measured."""
    assert run_state.result().settings == {"turn.silence_ms": 500}


def test_the_table_fits_80_columns_and_tells_all(run_state: RunState) -> None:
    """Spans, both variants, their ratio, every failure by name, and synthetic models."""
    lines = render(run_state.result())
    assert max(map(len, lines)) <= 80
    text = "\n".join(" ".join(line.split()) for line in lines)
    for told in (
        "response time 400 ms 590 ms 500 ms",
        "3 of 4 questions answered · 1 cut off · 1 dropped · 2 underruns",
        "WER 10.0 % of 10 words",
        "4.5 times as long",
        "cut off, as set: three: heard “thr”",
        "dropped, as set: four: nothing said",
        "left out: broken.wav",
        "shape-phi-3-mini: a synthetic model",
        "turn.silence_ms=500",
    ):
        assert told in text


def test_a_result_without_an_answer_is_still_a_table(run_state: RunState) -> None:
    """All dropped: no percentile, no bar, and no crash."""
    run_state.turns = [turn("one", None, dropped="no speech was noticed")]
    text = "\n".join(render(run_state.result()))
    assert "nothing was answered" in text
    assert "dropped, as set: one: no speech was noticed" in text


def test_switches_are_a_markdown_table() -> None:
    """A row a technique: its setting as it is written in the file, and what it buys."""
    variants = {AS_SET: {}, "clip": {"stt.window": "full"}, "ahead": {"slm.prefill_ahead": False}}
    run_state = RunState("switches", Config(), "", [], variants, SystemClock())
    run_state.turns = [turn("one", 0.4), turn("one", 0.9, "clip"), turn("one", None, "ahead")]
    lines = switches(run_state.result())
    assert all(line.count("|") == lines[0].count("|") for line in lines)
    assert (
        '| clip | `stt.window = "full"` | 400 ms | 400 ms | 900 ms | 900 ms | +500 ms' in lines[2]
    )
    assert "`slm.prefill_ahead = false`" in lines[3]
    assert "nothing was answered" in lines[3]


def test_recognition_is_a_table_of_words_and_time() -> None:
    """Each way of reading with its word error rate."""
    run_state = RunState("recognition", Config(), "x", [], {AS_SET: {}}, SystemClock())
    run_state.turns = [turn("one", None, words=200, word_errors=3, spans={"recognize": 0.08})]
    lines = [" ".join(line.split()) for line in recognition(run_state.result())]
    assert "as set 1.50 % 3 200 80 ms 80 ms" in lines


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

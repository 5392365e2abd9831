"""Two runs are compared: changes are named, and noise is not."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from edgevoice.bench.compare.compare import ALPHA, ComparisonResult, QuantityChange, compare
from edgevoice.bench.compare.text import headline, markdown, render
from edgevoice.bench.result.result import AS_SET, BenchResult, BenchTurn, Model
from edgevoice.bench.statistics import significance
from edgevoice.errors import UsageError
from tests.bench.simulated import MACHINE, result, turns

FILES = ("a.json", "b.json")


def compared(before: BenchResult, after: BenchResult, least: float = 0.05) -> ComparisonResult:
    return compare(before, after, FILES, least=least)


def change(of: ComparisonResult, name: str) -> QuantityChange:
    return next(change for change in of.changes if change.name == name)


@pytest.mark.parametrize("name", ["question", "other question"])
def test_two_runs_of_the_same_are_seldom_called_different(
    name: str, monkeypatch: pytest.MonkeyPatch, trials: Callable[[int], int]
) -> None:
    """Over many pairs of runs, paired or not, false alarms are as rare as the documents say,
    even where the smallest change counts."""
    monkeypatch.setattr(significance, "DRAWS", 599)
    base = result([])
    alarms = 0
    count = trials(120)
    for seed in range(count):
        one = replace(base, turns=tuple(turns(2 * seed)))
        other = replace(base, turns=tuple(turns(2 * seed + 1, name=name)))
        found = compared(one, other, least=1e-6)
        assert found.paired == (name == "question")
        alarms += found.verdict != "no change"
        assert found.regressed == bool(found.having("slower", "worse"))
    assert alarms <= count * ALPHA + 3 * math.sqrt(count * ALPHA * (1 - ALPHA))


@pytest.mark.parametrize("seed", range(5))
def test_a_slowed_span_is_named_first_and_the_others_are_not(seed: int) -> None:
    """120 ms more of prefill: that, and nothing else but what it is a part of."""
    before = result(turns(100 + seed))
    after = result(turns(200 + seed, slower={"prefill": 0.12}))
    found = compared(before, after)
    assert found.regressed
    assert found.having("slower")[0].name == "prefill"
    assert {one.name for one in found.having("slower")} <= {"prefill", "response time", "ttft"}
    moved = change(found, "prefill")
    assert moved.low is not None
    assert moved.high is not None
    assert 0.0 < moved.low <= moved.high < 0.24
    assert headline(found)[0].startswith("slower: prefill (+")


def test_a_span_that_became_faster_is_no_regression() -> None:
    """The change has its sign."""
    found = compared(result(turns(1, slower={"prefill": 0.12})), result(turns(2)))
    assert not found.regressed
    assert found.verdict == "faster"
    assert headline(found)[0].startswith("faster: prefill (-1")


def test_a_change_that_does_not_matter_is_no_change() -> None:
    """A span of no time that takes a millisecond is far beyond chance, and no news."""
    quiet = turns(1, wild=0.0)
    slower = [
        replace(turn, spans={**turn.spans, "confirm": turn.spans["confirm"] + 0.001})
        for turn in quiet
        if turn.spans
    ]
    found = compared(result(quiet), result(slower))
    moved = change(found, "confirm")
    assert moved.p is not None
    assert moved.p < 0.05
    assert moved.verdict == "no change"
    assert headline(found) == ["no change"]
    assert change(compared(result(quiet), result(slower), least=0.0005), "confirm").verdict == (
        "slower"
    )


def test_what_the_noise_could_hide_is_unclear() -> None:
    """Twelve noisy questions cannot exclude a change that matters, and that is said."""
    found = compared(result(turns(1, questions=12)), result(turns(2, questions=12)))
    assert not found.regressed
    assert found.having("unclear")
    assert headline(found) == ["no change beyond the noise"]
    assert any(line.startswith("unclear: ") for line in render(found))


def test_fewer_tokens_a_second_are_slower() -> None:
    """More is better there: the sign is the other way round."""
    before = turns(1)
    after = [
        replace(turn, tokens_per_second=turn.tokens_per_second * 0.8)
        if turn.tokens_per_second
        else turn
        for turn in turns(2)
    ]
    found = compared(result(before), result(after))
    assert [one.name for one in found.having("slower")] == ["tokens/s"]
    assert headline(found)[0].startswith("slower: tokens/s (-2.")


def test_questions_that_are_dropped_are_worse_and_named() -> None:
    """A run does not become faster by leaving its slow answers out."""
    before = turns(1)
    after = [
        replace(turn, response_time=None, spans={}, dropped="no speech was noticed")
        if i % 3 == 0
        else turn
        for i, turn in enumerate(turns(2))
    ]
    found = compared(result(before), result(after))
    assert found.regressed
    assert [one.name for one in found.having("worse")] == ["dropped"]
    assert change(found, "response time").verdict in ("no change", "unclear")
    assert found.lost[0] == "question 2"
    assert any("B dropped what A answered (13): question 2, " in line for line in render(found))


def test_a_question_asked_twice_is_paired_in_order() -> None:
    """The first answer with the first, the second with the second."""
    first, again = turns(1), turns(1, slower={"prefill": 0.5})
    both = result([*first, *again])
    found = compared(both, both)
    assert found.pairs == 80
    assert change(found, "response time").change == 0.0


def test_few_shared_questions_are_compared_as_two_heaps() -> None:
    """A warning says that this finds fewer changes."""
    found = compared(result(turns(1)), result(turns(2, name="other", slower={"prefill": 1.0})))
    assert not found.paired
    assert found.regressed
    assert any("without pairs" in warning for warning in found.warnings)


def test_wer_is_compared_where_it_is_known() -> None:
    """Every third question with a wrong word is worse; where no words are known there is no row."""
    before, after = turns(1), turns(2)
    wrong = [replace(turn, word_errors=int(i % 3 == 0)) for i, turn in enumerate(after)]
    right = [replace(turn, word_errors=0) for turn in before]
    found = compared(result(right), result(wrong))
    assert [one.name for one in found.having("worse")] == ["WER"]
    assert change(found, "WER").change == pytest.approx(13 / 280)
    silent = [replace(turn, words=None, word_errors=None) for turn in before]
    assert "WER" not in [one.name for one in compared(result(silent), result(silent)).changes]


def test_a_stage_is_compared_by_its_only_span() -> None:
    """Results without an answer have spans all the same."""

    def read(seed: int, more: float) -> BenchResult:
        made = [
            replace(turn, response_time=None, spans={"recognize": turn.spans["recognize"] + more})
            for turn in turns(seed, wild=0.0)
            if turn.spans
        ]
        return result(made, command="stages")

    found = compared(read(1, 0.0), read(2, 0.1))
    assert [one.name for one in found.having("slower")] == ["recognize"]


def test_what_makes_two_runs_unlike_is_told() -> None:
    """Machine, model, setting, library, questions, replies, load, and a run cut short."""
    before = result([replace(turn, reply="yes") for turn in turns(1)])
    assert not compared(before, result(turns(2))).warnings
    other = replace(
        result([replace(turn, clip_seconds=3.0, reply="so") for turn in turns(2, 39)]),
        machine=replace(MACHINE, cpu="Slow 2", memory=4_000_000_000, load_before=3.5, load_after=7),
        models={"slm": Model(name="phi", shape=False), "tts": Model(name="joe", shape=False)},
        settings={"stt.window": "full"},
        libraries={"llama-cpp-python": "0.4.0"},
        interrupted=True,
        conversation=True,
        played_to="user",
        command="replay",
    )
    told = "\n".join(compared(before, other).warnings)
    for part in (
        "another machine (cpu): Quiet 1000 in A, Slow 2 in B",
        "another machine (memory): 8.0 GB in A, 4.0 GB in B",
        "another model (slm): qwen in A, phi in B",
        "another model (tts): none in A, joe in B",
        "another setting (stt.window): the default in A, full in B",
        "another version of llama-cpp-python: 0.3.36 in A, 0.4.0 in B",
        "other questions: 1 only in A, 0 only in B",
        "other recordings of 39 of the 39",
        "other replies to 39 of the 39",
        "B was stopped before its end",
        "busy before B began: load 3.5 on 4 cores",
        "busy during B: load 7",
        "another way of asking: each question by itself in A, one conversation in B",
        "another sound path: without devices in A, through devices in B",
        "another measurement: bench run in A, bench replay in B",
    ):
        assert part in told, part
    assert "A and B are the same run" in compared(before, before).warnings


def test_variants_of_one_file_are_compared() -> None:
    """A technique on and off; one that is not there is answered with those that are."""
    made = turns(1)
    off = [replace(turn, variant="off") for turn in turns(2, slower={"prefill": 0.3})]
    both = result([*made, *off])
    both = replace(both, variants=(*both.variants, replace(both.variants[0], name="off")))
    found = compare(both, both, FILES, (AS_SET, "off"))
    assert found.having("slower")[0].name == "prefill"
    assert not found.warnings
    with pytest.raises(UsageError, match="no variant 'on'") as caught:
        compare(both, both, FILES, ("on", AS_SET))
    assert caught.value.remedy.endswith("as set, off")


def test_too_few_turns_are_no_verdict() -> None:
    """An error, not a `no change` that could not be wrong."""
    with pytest.raises(UsageError, match="too few turns"):
        compared(result(turns(1, questions=9)), result(turns(2, questions=9)))
    nothing = [BenchTurn(variant=AS_SET, question=str(i), response_time=None) for i in range(20)]
    spoken = [BenchTurn(variant=AS_SET, question=str(i), response_time=1.0) for i in range(20)]
    with pytest.raises(UsageError, match="nothing was measured often enough"):
        compared(result(nothing), result(spoken))
    few = [turn for turn in turns(1) if turn.spans]
    assert compared(result(few[:10]), result(few[:10])).verdict == "no change"
    empty = result([])
    with pytest.raises(UsageError, match="too few turns"):
        compared(empty, empty)


@pytest.mark.parametrize("seconds", [0.0, 0.12, 90.0])
def test_the_text_fits_80_columns(seconds: float) -> None:
    """Small changes and large ones, long file names and warnings."""
    other = result(turns(2, slower={"prefill": seconds}), models={})
    found = compare(result(turns(1)), other, ("a" * 70 + ".json", "b.json"))
    assert max(map(len, render(found))) <= 80
    verdict = "slower: prefill (+" if seconds else "no change"
    assert any(line.startswith(verdict) for line in render(found))


def test_markdown_is_one_table_with_the_verdict_on_top() -> None:
    """Whatever a question or a file is called, it cannot break out of its cell."""
    after = turns(2, slower={"prefill": 0.12})
    found = compare(result(turns(1)), result(after), ("<script>|a*.json", "b.json"))
    lines = markdown(found)
    assert lines[0].startswith("**slower: prefill (+1")
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(found.changes)
    assert {line.replace("\\|", "").count("|") for line in table} == {table[0].count("|")}
    assert not any("<script>" in line for line in lines)

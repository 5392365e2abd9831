"""Limits that a run must keep: read strictly, and broken only by what was measured."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from edgevoice.bench.compare.budgets import STATISTICS, BudgetOutcome, check, nameable, parse
from edgevoice.bench.result.result import BenchTurn
from edgevoice.bench.result.summary import summarize
from edgevoice.errors import UsageError
from tests.bench.simulated import SPANS, turns

MEASURED = [
    BenchTurn(
        variant="as set",
        question=str(i),
        response_time=0.5 + 0.01 * i,
        spans={"pause": 0.2, "first clause": 0.3 + 0.01 * i},
        ttft=0.25,
        tokens_per_second=8.0,
        underruns=int(i == 3),
        words=10,
        word_errors=int(i < 2),
    )
    for i in range(20)
]
TURNS = [*MEASURED, BenchTurn(variant="as set", question="lost", dropped="no speech was noticed")]


def outcome(text: str, made: list[BenchTurn] | None = None) -> BudgetOutcome:
    [found] = check([parse(text)], summarize(TURNS if made is None else made))
    return found


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        *(("first_audio.p50=591ms", True), ("first_audio.p50=589ms", False)),
        *(
            ("response_time.p95<=0.7s", True),
            ("response_time.p95<=0.68s", False),
            ("response_time.mean>=0.5s", True),
        ),
        *(("response_time.p90=700 ms", True), ("response_time.p99=680ms", False)),
        *(("first_clause.p50=391ms", True), ("first_clause.p50=389ms", False)),
        *(("ttft.p99=250ms", True), ("ttft.p99=.2s", False)),
        *(("tokens_per_second>=8", True), ("tokens_per_second=9", False)),
        *(("tokens_per_second.p95<=7.5", False), ("tokens_per_second.mean=8", True)),
        *(("underruns=1", True), ("underruns=0", False)),
        *(("dropped<=1", True), ("dropped=0", False), ("dropped=5%", True), ("dropped=4%", False)),
        *(("cut_off=0", True), ("wer<=1%", True), ("wer=0.9%", False)),
    ],
)
def test_a_budget_is_kept_or_broken(text: str, kept: bool) -> None:
    """`=` is no worse than, whichever way is worse; the limit itself is kept."""
    assert outcome(text).met == kept


def test_every_name_and_statistic_can_be_measured() -> None:
    """What the usage error lists is what a run of the pipeline has, and not only words."""
    summary = summarize(turns(1))
    pipeline = {name.replace(" ", "_") for name in SPANS}
    for name in {"response_time", "ttft", "tokens_per_second"} | pipeline:
        unit = "" if name == "tokens_per_second" else "s"
        for statistic in STATISTICS:
            [found] = check([parse(f"{name}.{statistic}<=1000{unit}")], summary)
            assert found.value is not None
            assert found.met
    assert pipeline < set(nameable())


def test_a_line_tells_value_and_limit() -> None:
    """With as many digits as it takes to see why it is broken."""
    assert outcome("first_audio.p50=580ms").message == (
        "budget not met: response time p50 590 ms, at most 580 ms (first_audio.p50=580ms)"
    )
    assert (
        outcome("dropped=4%").message == "budget not met: dropped 4.8 %, at most 4 % (dropped=4%)"
    )
    assert outcome("underruns=1").message == "budget met: underruns 1, at most 1 (underruns=1)"
    close = [replace(turn, response_time=0.9000004) for turn in MEASURED]
    assert (
        "response time p50 900.0004 ms, at most 900 ms"
        in outcome("response_time.p50=900ms", close).message
    )


@pytest.mark.parametrize(
    "text", ["response_time.p95=1s", "prefill.p50=1s", "wer=5%", "tokens_per_second=1", "dropped=0"]
)
def test_what_was_not_measured_breaks_its_budget(text: str) -> None:
    """A gate that has seen nothing must not open."""
    found = outcome(text, [])
    assert (found.met, found.value) == (False, None)
    assert "nothing was measured" in found.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        *(
            ("", "not a budget"),
            ("response_time", "not a budget"),
            ("response_time.p95", "not a budget"),
        ),
        *(("response_time.p95=", "not a budget"), ("response_time.p95=fast", "not a budget")),
        *(("response_time.p95<900ms", "not a budget"), ("response_time.p95=-1s", "not a budget")),
        *(("response_time.p95=1e3ms", "its unit is ms or s, not 'e3ms'"),),
        *(("latency.p95=900ms", "nothing is called 'latency'"),),
        *(
            ("response_time=900ms", "it takes a statistic"),
            ("response_time.p75=900ms", "'p75' is no statistic"),
        ),
        *(("response_time.p95=900", "its unit is ms or s, and it is missing"),),
        *(("response_time.p95=90%", "its unit is ms or s, not '%'"),),
        *(("dropped.p95=0", "has no p95"), ("underruns=5%", "its unit is none, not '%'")),
        *(("wer=10", "its unit is %"), ("tokens_per_second=8ms", "its unit is none, not 'ms'")),
    ],
)
def test_a_malformed_budget_says_what_may_be_named(text: str, told: str) -> None:
    """What is wrong with it, and every name, statistic and unit there is."""
    with pytest.raises(UsageError, match="--budget") as caught:
        parse(text)
    assert told in str(caught.value)
    for name in ("first_audio", "first_clause", "tokens_per_second", "wer", "p99", "ms, s, %"):
        assert name in caught.value.remedy


def test_a_span_that_only_this_run_has_may_be_named() -> None:
    """Results may have other spans than those of the pipeline."""
    assert parse("warm_start.p50=1s", ["warm start"]).name == "warm_start"
    with pytest.raises(UsageError):
        parse("warm_start.p50=1s")

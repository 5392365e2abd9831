"""Which models meet a budget: what is predicted of them, in which order they come, what would."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from edgevoice.bench.fitting import quantity
from edgevoice.bench.fitting.choosing import Limits, choices, would
from edgevoice.bench.fitting.options import Option, Voiced
from edgevoice.bench.fitting.predicting import first_clauses, predict, tail
from edgevoice.bench.fitting.record import Choice, Hearing, Speaking, Thinking
from edgevoice.bench.fitting.thinking import best_threads, on
from edgevoice.bench.fitting.unmeasured import Costs
from edgevoice.errors import UsageError
from edgevoice.settings import AudioSettings, Config, SlmSettings, TtsSettings, TurnSettings
from edgevoice.timings import SPANS
from tests.bench.fitted import CORES, SPEEDS, hearing, known, option, speaking, thinking

PLENTY = 10**12


def gap(token: float = 0.05, config: Config | None = None, devices: bool = True) -> Any:
    """The prediction for models with such a token's time, the rest always alike."""
    models = (thinking("m", token), hearing("r", 0.2), speaking())
    return predict(*models, config or Config(), CORES, devices=devices)


def test_a_prediction_has_every_span_and_lies_within_its_own_range() -> None:
    """Spans in the order of the bench; the range around p50."""
    made = gap()
    assert tuple(made.spans) == SPANS
    assert made.low <= made.gap <= made.high
    # Sums of medians are not medians of sums, and yet near.
    assert made.gap == pytest.approx(sum(made.spans.values()), rel=0.1)


def test_a_slower_token_makes_prefill_and_first_clause_longer_and_nothing_else() -> None:
    """What a language model costs is what its tokens cost."""
    quick, slow = gap(0.05), gap(0.1)
    longer = {name for name in SPANS if slow.spans[name] > quick.spans[name] * 1.5}
    assert longer == {"prefill", "first clause"}
    assert slow.spans["prefill"] == pytest.approx(2 * quick.spans["prefill"])
    assert slow.gap > quick.gap


def test_the_first_clause_becomes_longer_where_tokens_are_slower() -> None:
    """The assistant's own rule is followed: what is heard must last until the next clause comes."""
    few = [tokens for tokens, _ in first_clauses(0.02, 0.03, speaking(), Config())]
    many = [tokens for tokens, _ in first_clauses(0.25, 0.35, speaking(), Config())]
    assert sum(few) < sum(many)


def test_a_first_clause_of_fixed_length_is_as_long_as_it_is_set() -> None:
    """With tts.first_clause_words speed does not matter."""
    fixed = Config(tts=TtsSettings(first_clause_words=3))
    quick, slow = (first_clauses(token, token, speaking(), fixed) for token in (0.02, 0.5))
    assert quick == slow


def test_however_quick_a_machine_is_it_waits_for_the_end_of_the_turn() -> None:
    """Where everything comes at once, the gap is the shortest silence and the speaker's delay."""
    instant = (thinking("m", 1e-6), hearing("r", 1e-6), speaking(seconds=1e-6))
    waits = Config(turn=TurnSettings(silence_ms=700), audio=AudioSettings(latency_ms=60))
    made = predict(*instant, waits, CORES)
    assert made.spans["confirm"] > 0
    assert made.gap == pytest.approx(0.7 + 0.06 + 0.01, abs=1e-3)


def test_work_begins_behind_the_silence_where_it_may_not_before() -> None:
    """turn.speculate off: the wait stands in front of everything."""
    waits = Config(turn=TurnSettings(silence_ms=700, speculate=False))
    assert gap(config=waits).spans["pause"] == 0.7
    assert gap(config=waits).spans["confirm"] == 0.0
    assert gap(config=waits).gap > gap(config=Config(turn=TurnSettings(silence_ms=700))).gap


def test_without_devices_only_the_first_and_the_last_span_are_shorter() -> None:
    """As `bench run` measures where it is not told of any."""
    loud, quiet = gap(), gap(devices=False)
    shorter = {n for n in SPANS if loud.spans[n] > quiet.spans[n]}
    assert shorter == {n for n in SPANS if loud.spans[n] != quiet.spans[n]} == {"pause", "output"}
    assert quiet.gap < loud.gap


def test_what_closes_the_question_counts_and_so_does_prefill_ahead() -> None:
    """A template of two tokens leaves three fewer than one of five; without prefill all words."""
    short = thinking("m", 0.1, closing=2)
    assert tail(short, Config())[1] == tail(thinking("m", 0.1), Config())[1] - 3
    late = Config(slm=SlmSettings(prefill_ahead=False))
    assert tail(short, late)[1] > tail(short, Config())[1]
    unknown = thinking("m", 0.1, closing=None)
    assert tail(unknown, Config()) == tail(thinking("m", 0.1, closing=5), Config())


def test_what_was_not_measured_itself_has_a_wider_range() -> None:
    """The same figures with less behind them are told with less certainty."""

    def width(how: Any) -> float:
        made = predict(thinking("m", 0.05, how=how), hearing("r", 0.2), speaking(), Config(), CORES)
        return float(made.high - made.low)

    told = ("measured", "part of a shape", "by size", "by the machine's speed")
    widths = [width(how) for how in told]
    assert widths == sorted(set(widths))


def test_fewer_threads_are_taken_only_where_they_gain_enough() -> None:
    """A tenth of a token's time; and what was not measured is reckoned from the nearest."""
    batches = {4: {1: 0.1}, 3: {1: 0.095}, 2: {1: 0.05}}
    assert best_threads(batches, 0.1) == 2
    assert best_threads({4: {1: 0.1}, 3: {1: 0.095}}, 0.1) == 4
    assert on(batches, 1) == {1: 0.1}
    assert on(batches, 8) == {1: 0.1}


LARGE, SMALL = 2_000_000_000, 500_000_000
SLMS = [option("large", "slm", LARGE), option("small", "slm", SMALL)]
STTS = [option("fine", "stt", 150_000_000), option("rough", "stt", 75_000_000)]
VOICES = [option("joe", "tts", 63_000_000)]
WANTED: dict[Voiced, list[Option]] = {"slm": SLMS, "stt": STTS, "tts": VOICES}
COSTS = known(
    thinking=(thinking("large", 0.12, LARGE), thinking("small", 0.03, SMALL)),
    hearing=(hearing("fine", 0.2), hearing("rough", 0.1, 75_000_000)),
    speaking=(speaking(),),
)


def chosen(budget: float, memory: int = PLENTY, disk: int = PLENTY) -> list[Choice]:
    """What is offered for a budget in seconds, bytes of memory and bytes of disk."""
    return choices(measurable(WANTED), COSTS, Config(), Limits(budget, memory, disk))


def measurable(wanted: dict[Voiced, list[Option]]) -> dict[Voiced, list[Option]]:
    """The same as if their files were there."""
    from dataclasses import replace as changed
    from pathlib import Path

    return {
        role: [changed(each, path=Path(each.name)) if each.here else each for each in found]
        for role, found in wanted.items()
    }


def test_of_those_that_meet_the_budget_the_most_able_comes_first() -> None:
    """The larger language model before the smaller one, then the larger recognizer."""
    names = [(choice.slm, choice.stt) for choice in chosen(60.0)]
    assert names == [("large", "fine"), ("large", "rough"), ("small", "fine"), ("small", "rough")]


def test_what_does_not_meet_it_comes_behind_what_does() -> None:
    """With a budget between the two language models, the smaller one leads."""
    found = chosen(1.1)
    assert [(choice.slm, choice.meets) for choice in found] == [
        *[("small", True)] * 2,
        *[("large", False)] * 2,
    ]
    assert all(choice.why == ("gap",) for choice in found[2:])


def test_each_limit_that_is_exceeded_is_named() -> None:
    """Gap, memory and disk, all that hold."""
    (first, *_) = chosen(0.01, memory=1)
    assert first.why == ("gap", "memory")
    lacking = {**WANTED, "slm": [option("small", "slm", SMALL, here=False)]}
    (only, *_) = choices(measurable(lacking), COSTS, Config(), Limits(60.0, PLENTY, 1000))
    assert only.why == ("disk",)
    assert only.missing[0] == "small"
    assert only.fetch >= SMALL


def test_the_budget_that_is_said_to_be_met_is_met() -> None:
    """Where none meets it, the longer budget that is offered lets the named models through."""
    found = chosen(0.2)
    lines = told(found, 0.2)
    offered = re.fullmatch(r"a budget of ([\d.]+) s: (.+) with (.+)", lines[0])
    assert offered
    (best, *_) = chosen(float(offered[1]))
    assert best.meets
    assert (best.slm, best.stt) == (offered[2], offered[3])


def test_the_machine_that_is_said_to_do_does() -> None:
    """As many times as fast in every stage, the nearest models meet the budget just so."""
    limit = 0.4
    found = chosen(limit)
    (line,) = [line for line in told(found, limit) if line.startswith("a machine")]
    factor = float(line.split()[2])
    quicker = faster(factor + 0.1)
    (best, *_) = choices(measurable(WANTED), quicker, Config(), Limits(limit, PLENTY, PLENTY))
    assert best.meets
    slower = faster(factor - 0.2)
    (best, *_) = choices(measurable(WANTED), slower, Config(), Limits(limit, PLENTY, PLENTY))
    assert not best.meets


def test_a_budget_below_what_is_only_waited_for_is_met_by_no_machine() -> None:
    """Silence that must be seen and a speaker's delay are no matter of speed."""
    lines = told(chosen(0.05), 0.05)
    assert any(line.startswith("no faster machine") for line in lines)


def test_where_memory_alone_is_short_it_is_told_how_much_would_do() -> None:
    """The amount that is named is enough."""
    found = chosen(60.0, memory=1_000_000_000)
    (line,) = [line for line in told(found, 60.0, 10**9) if line.endswith("small with rough")]
    needed = float(line.split()[0]) * 1e9 + 5e7
    assert any(choice.meets for choice in chosen(60.0, memory=int(needed)))


def test_a_shorter_context_is_offered_where_that_makes_room() -> None:
    """Keys and values of positions are memory, too; the offered context fits."""
    thought = thinking("small", 0.03, SMALL, cache=400_000)
    costs = known(thinking=(thought,), hearing=COSTS.calibration.hearing, speaking=(speaking(),))
    wanted = measurable({**WANTED, "slm": SLMS[1:]})
    limits = Limits(60.0, 2_300_000_000, PLENTY)
    found = choices(wanted, costs, Config(), limits)
    lines = would(found, limits, SPEEDS, costs, Config())
    offered = re.search(r"slm\.context=(\d+)", "\n".join(lines))
    assert offered
    shorter = Config(slm=SlmSettings(context=int(offered[1])))
    assert choices(wanted, costs, shorter, limits)[0].meets


def test_where_fewer_threads_are_quicker_they_are_to_be_set() -> None:
    """The plan of threads is part of the choice, and of what is written."""
    batches = {2: {n: 0.3 * n for n in (1, 2, 4, 8, 16)}, 1: {n: 0.1 * n for n in (1, 2, 4, 8, 16)}}
    costs = known(
        thinking=(thinking("small", 0.1, SMALL, batches=batches),),
        hearing=COSTS.calibration.hearing,
        speaking=(speaking(),),
    )
    wanted = measurable({**WANTED, "slm": SLMS[1:]})
    (best, *_) = choices(wanted, costs, Config(), Limits(60.0, PLENTY, PLENTY))
    assert best.settings["slm.threads"] == 1
    assert best.threads["language model"] == 1
    (plain, *_) = chosen(60.0)
    assert "slm.threads" not in plain.settings
    disturbed = Costs(replace(costs.calibration, busy=1.0), Config())
    (best, *_) = choices(wanted, disturbed, Config(), Limits(60.0, PLENTY, PLENTY))
    assert "slm.threads" not in best.settings, "beside other programs nothing is concluded"


def faster(factor: float) -> Costs:
    """The same machine, so many times as fast."""
    found = COSTS.calibration

    def thought(each: Thinking) -> Thinking:
        return replace(
            each,
            batches={t: {n: s / factor for n, s in c.items()} for t, c in each.batches.items()},
        )

    def heard(each: Hearing) -> Hearing:
        return replace(each, alone=each.alone / factor, beside=each.beside / factor)

    def said(each: Speaking) -> Speaking:
        return replace(each, first={n: seconds / factor for n, seconds in each.first.items()})

    return known(
        thinking=tuple(map(thought, found.thinking)),
        hearing=tuple(map(heard, found.hearing)),
        speaking=tuple(map(said, found.speaking)),
    )


def told(found: list[Choice], budget: float, memory: int = PLENTY) -> list[str]:
    """What would have to change."""
    return would(found, Limits(budget, memory, PLENTY), SPEEDS, COSTS, Config())


@pytest.mark.parametrize(("text", "value"), [("1.0s", 1.0), ("900ms", 0.9), (" .5 s ", 0.5)])
def test_a_budget_is_a_time(text: str, value: float) -> None:
    """In seconds or milliseconds."""
    assert quantity.seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["0", "0s", "fast", "", "1", "-1s", "1.0 h", "90s", "1..0s"])
def test_what_is_no_budget_is_refused_with_an_example(text: str) -> None:
    """Nothing, no number, no unit, too much."""
    with pytest.raises(UsageError, match=r"1\.0s or 900ms"):
        quantity.seconds(text)


@pytest.mark.parametrize(("text", "value"), [("3GB", 3e9), ("2500 mb", 2.5e9), ("1GiB", 1 << 30)])
def test_memory_has_a_unit(text: str, value: float) -> None:
    """Decimal or binary."""
    assert quantity.memory(text) == value


@pytest.mark.parametrize("text", ["3", "3TB", "GB", "0GB", "much"])
def test_memory_without_one_is_refused(text: str) -> None:
    """A bare number might be anything."""
    with pytest.raises(UsageError, match="3GB or 2500MB"):
        quantity.memory(text)

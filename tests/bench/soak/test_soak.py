"""A soak asks and interrupts until its time is over, and what is done is never lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from edgevoice.bench.compare.compare import compare
from edgevoice.bench.driver.interruption import InterruptedExchange
from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.report.page import page
from edgevoice.bench.report.report import Report, ReportSource, columns
from edgevoice.bench.report.text import text
from edgevoice.bench.result.result import AS_SET, BenchResult, BenchTurn, encoded, read, write
from edgevoice.bench.soak.soak import BARGE_IN, WRITE_EVERY, ResultFile, SoakDriver, line
from edgevoice.bench.soak.text import headline, whole
from edgevoice.protocols import ChatMessage
from edgevoice.settings import Config, TurnSettings
from tests.bench.pages import Page
from tests.bench.simulated import result
from tests.bench.soaks import samples, soak, turns
from tests.bench.stage import Stage

LONG = "There is a great deal to be said about that, and it takes a long while to say all of it."


@pytest.fixture
def longer() -> BenchResult:
    """Half an hour that was steady, on a machine with sensors."""
    made = turns(0.5)
    told = samples(
        0.5, temperature=lambda h: 50.0 + 9.0 * h, clock=lambda h: 2.4e9, throttled=lambda h: False
    )
    endured = soak(0.5, made, told)
    return replace(result(made), command="soak", samples=tuple(told), soak=endured)


def a_stint(
    stage: Stage,
    seconds: float,
    every: int,
    done: Callable[[InterruptedExchange], None],
    conversation: bool = False,
    lead: float = 0.2,
) -> SoakDriver:
    """Two questions over and over; `lead` seconds of each clip are silent."""
    questions = [
        stage.question((lead, words, 1.0)) for words in ("what time is it", "and where are we")
    ]
    plan = BenchPlan(
        command="soak",
        config=stage.show.config,
        questions=questions,
        source="written",
        conversation=conversation,
        seconds=seconds,
        interrupt_every=every,
    )
    stint = SoakDriver(plan)
    with stage.interview() as one:
        stint.run(one, done)
    return stint


def test_questions_are_asked_over_and_over_until_the_time_is_over() -> None:
    """Two questions in turn; the last one is heard out; the warm-up is not counted."""
    stage = Stage("It is noon.")
    made: list[BenchTurn] = []
    stint = a_stint(stage, 60.0, 0, lambda exchange: made.extend(exchange.turns))
    assert [turn.warm_up for turn in made[:2]] == [True, False]
    asked = [turn.question for turn in made[1:]]
    assert asked == ["what time is it", "and where are we"] * (len(asked) // 2) + (
        ["what time is it"] * (len(asked) % 2)
    )
    assert all(turn.counts for turn in made[1:])
    judged = stint.judged(made, ())
    assert 60.0 <= judged.ran <= 60.0 + 10.0
    assert judged.ran >= made[-1].asked_at - judged.began


def test_each_so_manieth_reply_is_interrupted_by_a_question_that_is_answered() -> None:
    """Both are turns, the second in a variant of its own, and the reply falls silent."""
    stage = Stage(LONG)
    made: list[InterruptedExchange] = []
    stint = a_stint(stage, 90.0, 3, made.append)
    counted = [exchange for exchange in made if not exchange.turns[0].warm_up]
    kinds = [exchange.interruption is not None for exchange in counted]
    assert kinds == [number % 3 == 0 for number in range(1, len(counted) + 1)]
    assert len(stint.interruptions) >= 2
    for exchange in counted[2::3]:
        first, second = exchange.turns
        found = exchange.interruption
        assert found is not None
        assert (first.variant, second.variant) == (AS_SET, BARGE_IN)
        assert (found.question, found.by) == (first.question, second.question)
        assert (found.outcome, found.answered) == ("stopped", True)
        assert found.silent_after is not None
        assert 0.0 < found.silent_after < 1.0
        assert first.response_time is not None
        assert first.words_per_minute is None
        assert (second.transcript, second.cut_off) == (second.said, False)
        assert second.asked_at > first.asked_at + first.clip_seconds


def test_an_interruption_that_is_not_heard_is_missed() -> None:
    """With barge-in off the reply goes on, and what was said into it is not answered."""
    stage = Stage(LONG, Config(turn=TurnSettings(barge_in=False)))
    stint = a_stint(stage, 40.0, 1, lambda exchange: None)
    assert stint.interruptions
    assert {(i.outcome, i.answered) for i in stint.interruptions} == {("missed", False)}
    assert stint.judged([], ()).verdict == "misses interruptions"


def test_a_reply_that_is_over_before_anybody_speaks_was_not_interrupted() -> None:
    """The clip begins in time, but its first word comes three seconds later."""
    stage = Stage("It is noon, or nearly so.")
    stint = a_stint(stage, 30.0, 1, lambda exchange: None, lead=3.0)
    assert {(i.outcome, i.answered) for i in stint.interruptions} == {("late", True)}


def test_a_reply_that_is_too_short_is_left_alone() -> None:
    """Nothing is thrown in where there is nothing to interrupt: each question stands alone."""
    stage = Stage("Yes.")
    made: list[InterruptedExchange] = []
    stint = a_stint(stage, 30.0, 1, made.append)
    assert not stint.interruptions
    assert all(len(exchange.turns) == 1 for exchange in made)


@pytest.mark.parametrize("conversation", [False, True])
def test_a_conversation_is_kept_or_begun_anew(conversation: bool) -> None:
    """The model is asked with all that was said, or with the one question alone."""
    lengths: list[int] = []

    def answer(messages: object) -> str:
        said: list[ChatMessage] = list(messages)  # type: ignore[call-overload]
        lengths.append(len([message for message in said if message.role == "user"]))
        return "It is noon."

    a_stint(Stage(answer), 30.0, 0, lambda exchange: None, conversation)
    assert max(lengths) == (lengths[-1] if conversation else 1)
    assert not conversation or lengths[-1] > 3


def test_what_is_done_when_it_is_stopped_is_judged() -> None:
    """Ctrl-C after four exchanges of an hour: the verdict says how much of it was run."""
    stage = Stage("It is noon.")
    made: list[BenchTurn] = []

    def done(exchange: InterruptedExchange) -> None:
        made.extend(exchange.turns)
        if len(made) == 5:
            raise KeyboardInterrupt

    plan = BenchPlan(
        command="soak",
        config=stage.show.config,
        questions=[stage.question((0.2, "what time is it", 1.0))],
        source="written",
        seconds=3600.0,
    )
    stint = SoakDriver(plan)
    with pytest.raises(KeyboardInterrupt), stage.interview() as one:
        stint.run(one, done)
    judged = stint.judged(made, ())
    assert judged.verdict == "too short to tell"
    assert sum(window.turns for window in judged.windows) == 4
    assert "of 1 h 0 min" in headline(judged)


def test_a_line_of_progress_tells_what_came_of_its_turns() -> None:
    """Gaps, what was not answered, interruptions, memory, and heat where it is known."""
    made = turns(0.01)
    lost = replace(made[1], response_time=None, dropped="no speech was noticed")
    sample = samples(0.01, noise=0.0, temperature=lambda h: 61.0)[-1]
    told = line(
        [InterruptedExchange((replace(made[1], response_time=0.5),)), InterruptedExchange((lost,))],
        sample,
    )
    assert told == "2 turns, response time 500 ms, 1 not answered, 1000 MB, 61 °C"


def test_a_result_is_on_disk_every_minute_and_can_be_read(
    longer: BenchResult, tmp_path: Path
) -> None:
    """Whatever happens next, what was written holds all that was measured by then."""
    path = tmp_path / "r.json"
    now = 0.0
    kept = ResultFile(path, pytest.fail, lambda: now)
    kept.keep(lambda: longer)
    assert not path.exists()
    now = WRITE_EVERY
    kept.keep(lambda: longer)
    assert read(path) == longer
    path.unlink()
    now += WRITE_EVERY / 2
    kept.keep(lambda: longer)
    assert not path.exists()


def test_a_disk_that_is_full_for_a_while_ends_nothing_and_is_told_once(
    longer: BenchResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was there stays; once there is room again it is brought up to date."""
    path = tmp_path / "r.json"
    path.write_text("before")
    told: list[str] = []
    now = 0.0
    kept = ResultFile(path, told.append, lambda: now)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        for now in (100.0, 200.0):  # noqa: B007 - the clock reads it
            kept.keep(lambda: longer)
    assert told == ["what was measured cannot be kept for now: No space left on device"]
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["r.json"]
    now = 300.0
    kept.keep(lambda: longer)
    assert read(path) == longer


def test_nowhere_is_nothing_written() -> None:
    """With --json - the result goes to standard output, once and in the end."""
    ResultFile(None, pytest.fail, lambda: 1e9).keep(lambda: pytest.fail("made for nothing"))


def test_nothing_of_a_soak_is_lost_in_its_file(longer: BenchResult, tmp_path: Path) -> None:
    """And a result of anything else says that it has none."""
    write(tmp_path / "r.json", longer)
    assert read(tmp_path / "r.json") == longer
    assert '"soak": null' in encoded(replace(longer, soak=None))


def test_the_text_fits_80_columns_and_ends_with_the_verdict(longer: BenchResult) -> None:
    """A row a window, a line for each thing that was looked at, and what could not be told."""
    lines = whole(longer)
    assert max(map(len, lines)) <= 80
    told = "\n".join(lines)
    for words in ("throttled", "2.40 GHz", "0:00", "25:00", "memory: 1000 MB in the end"):
        assert words in told
    assert lines[-1] == "steady after 30 min 0 s"
    short = replace(longer, soak=soak(2 / 60))
    assert "too short to tell after 2 min 0 s: memory, threads" in " ".join(whole(short))


def test_columns_of_what_the_machine_does_not_tell_are_left_out(longer: BenchResult) -> None:
    """No column of zeros; the reason says that it is not available."""
    told = "\n".join(whole(replace(longer, soak=soak(0.5))))
    assert "clock" not in told.split("from")[1].split("memory:")[0]
    assert "temperature, clock and throttling not available on this machine" in told


def test_a_bench_that_is_no_soak_has_no_verdict() -> None:
    """Its text is what it was."""
    assert not any("steady after" in told for told in whole(result(turns(0.1))))


def test_reports_show_the_verdict_and_the_course(longer: BenchResult) -> None:
    """As a page with a picture of response time and temperature, and as text."""
    assert longer.soak is not None
    told = headline(longer.soak)
    source = ReportSource("long", longer)
    report = Report((source,), tuple(columns([source])))
    drawn = Page(page(report))
    words = drawn.all[0].words
    assert told in words
    assert "response time: in the last third" in words
    assert "temperature 50 to 54 °C" in words
    assert told in "\n".join(text(report))


def test_two_soaks_can_be_compared(longer: BenchResult) -> None:
    """Turn by turn, as two runs of another bench are."""
    again = replace(longer, turns=tuple(turns(0.5, seed=2)))
    compared = compare(longer, again, ("a.json", "b.json"))
    assert compared.paired
    assert compared.verdict == "no change"

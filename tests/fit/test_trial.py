"""What one set is asked, and when it is given up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest

from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.result.result import BenchTurn
from edgevoice.errors import EngineError, ModelError
from edgevoice.fit.record import Answers
from edgevoice.fit.trial import Ask, Trial, hopeless, run
from edgevoice.settings import Config
from tests.bench.stage import Stage
from tests.fit.world import Told

SILENCE = np.zeros(160, dtype=np.float32)


def asked(*response_times: float | None, told: Told | None = None, budget: float = 1.0) -> Answers:
    """A set that answers its questions after so many seconds, None being no answer."""
    left = list(response_times)

    @contextmanager
    def session(config: Config) -> Iterator[Ask]:
        def ask(question: BenchQuestion, warm_up: bool) -> BenchTurn:
            response_time = left.pop(0)
            spans = {"pause": 0.1, "prefill": response_time - 0.1} if response_time else {}
            dropped = "" if response_time else "no speech"
            return BenchTurn(
                variant="as set",
                question=question.name,
                warm_up=warm_up,
                response_time=response_time,
                spans=spans,
                dropped=dropped,
            )

        yield ask

    questions = [
        BenchQuestion(f"question {number}", SILENCE, 0.0) for number in range(len(response_times))
    ]
    return run(Trial(Config(), questions, budget), told or Told(), session)


def test_the_first_question_only_warms_up() -> None:
    """Its answer is later than others and does not count."""
    made = asked(4.0, 0.8, 0.6, 1.0)
    assert made.times == (0.8, 0.6, 1.0)
    assert (made.asked, made.dropped) == (3, False)
    assert made.spans == pytest.approx({"pause": 0.1, "prefill": 0.7})
    assert made.peak_rss > 0


def test_the_pipeline_answers_every_question() -> None:
    """On virtual time, with scripted engines: each one has a response time and its spans."""
    stage = Stage("It is noon, and it will be noon for quite a while.")

    @contextmanager
    def session(config: Config) -> Iterator[Ask]:
        with stage.interview() as one:
            yield lambda question, warm_up: one.ask_briefly(question, warm_up)

    questions = [stage.question((0.2, text, 1.0)) for text in ("hello", "what time is it", "why")]
    made = run(Trial(Config(), questions, 5.0), Told(), session)
    assert made.asked == len(made.times) == 2
    assert sum(made.spans.values()) == pytest.approx(sum(made.times) / 2, abs=0.3)


def test_a_set_that_is_clearly_too_slow_is_dropped_early() -> None:
    """After one answer at twice the budget, or two above it by a quarter."""
    assert asked(9.0, 2.1, 0.5, 0.5).times == (2.1,)
    made = asked(2.0, 1.3, 1.4, 0.5, 0.5)
    assert (made.times, made.asked, made.dropped) == ((1.3, 1.4), 2, True)


@pytest.mark.parametrize(
    ("times", "expected"),
    [((), False), ((1.9,), False), ((2.1,), True), ((2.1, 1.0), False), ((1.2, 1.2), False)],
)
def test_one_quick_answer_keeps_a_set(times: Sequence[float], expected: bool) -> None:
    """Other programs make answers slower, and never quicker."""
    assert hopeless(times, 1.0) == expected


def test_a_question_without_an_answer_is_told_and_counted() -> None:
    """It has no response time."""
    told = Told()
    made = asked(1.0, None, 0.9, told=told)
    assert (made.times, made.asked) == ((0.9,), 2)
    assert told.lines == [
        "loaded",
        "question 0  1.00 s (warm-up)",
        "question 1  not answered: no speech",
        "question 2  0.90 s",
    ]


def test_what_a_stage_fails_with_is_an_error_with_a_remedy() -> None:
    """Models that cannot be loaded keep their own."""

    def failing(error: Exception) -> None:
        @contextmanager
        def session(config: Config) -> Iterator[Ask]:
            raise error
            yield

        run(Trial(Config(), [], 1.0), Told(), session)

    with pytest.raises(EngineError, match="do not answer: two of them"):
        failing(RuntimeError("two of them"))
    with pytest.raises(ModelError, match="damaged"):
        failing(ModelError("damaged"))

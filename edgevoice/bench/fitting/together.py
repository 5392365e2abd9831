"""How much longer stages take when all of them are at work: a few questions to the real pipeline.

Each stage was measured by itself. In a turn it has ears, voice and other stages beside it, which
weighs little on many cores and much on two. What that comes to is seen with the models that are
here, and holds for the machine rather than for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from edgevoice.bench.corpus.preparation import asked_aloud
from edgevoice.bench.driver.bench import Bench, BenchPlan
from edgevoice.bench.driver.run_state import changed
from edgevoice.bench.fitting.options import Option
from edgevoice.bench.fitting.record import Prediction, Strain
from edgevoice.bench.result.result import BenchTurn
from edgevoice.errors import EdgevoiceError, EngineError
from edgevoice.settings import Config

QUESTIONS, WARM_UPS = 5, 2
"""How many count, and how many go before them, in which the pace is learnt."""
LEAST = 3
"""Answers without which nothing is concluded."""
STAGES = {
    "recognize": ("recognize",),
    "think": ("prefill", "first clause"),
    "speak": ("synthesize",),
}
"""The spans that each stage's work is in."""


class Quiet:
    """Progress that nobody sees: the whole of it is one step of another one's."""

    def begin(self, what: str, total: float) -> None:
        """Ignored."""

    def done(self, seconds: float, line: str) -> None:
        """Ignored."""

    def say(self, line: str) -> None:
        """Ignored."""


def asked(slm: Option, stt: Option, tts: Option, config: Config) -> list[BenchTurn]:
    """What these models answer to some of the built-in questions, without sound devices.

    Raises EdgevoiceError.
    """
    names = {"models.slm": slm.name, "models.stt": stt.name, "models.tts": tts.name}
    settings = changed(config, names)
    quiet = Quiet()
    try:
        questions = asked_aloud(None, QUESTIONS, settings, quiet)
        plan = BenchPlan(
            command="run",
            config=settings,
            questions=questions,
            source="built-in, synthesized",
            warm_ups=WARM_UPS,
        )
        bench = Bench(plan, quiet)
        bench.run()
    except EdgevoiceError:
        raise
    except Exception as error:  # stages that fail together raise a group of whatever they met
        raise EngineError(f"the models do not answer together: {error}") from error
    return bench.account.turns


def strain(turns: Sequence[BenchTurn], predicted: Prediction, models: Sequence[str]) -> Strain:
    """How many times as long as predicted each stage took. Raises EngineError of too few turns."""
    counted = [turn for turn in turns if turn.counts]
    if len(counted) < LEAST:
        raise EngineError(
            f"{len(counted)} of {QUESTIONS} questions were answered: how stages get on together "
            "is not known",
            remedy="edgevoice bench run shows why",
        )

    def factor(stage: str) -> float:
        names = STAGES[stage]
        took = median(sum(turn.spans.get(name, 0.0) for name in names) for turn in counted)
        expected = sum(predicted.spans[name] for name in names)
        return took / expected if took > 0 and expected > 0 else 1.0

    return Strain(
        n=len(counted),
        models=tuple(models),
        recognize=factor("recognize"),
        think=factor("think"),
        speak=factor("speak"),
    )

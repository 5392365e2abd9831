"""What a bench is to measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.result.result import AS_SET
from edgevoice.settings import Config

ANSWER_SECONDS = 5.0
"""Seconds that an answer may be expected to take."""


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """What to measure."""

    command: str
    config: Config
    questions: Sequence[BenchQuestion]
    source: str
    left_out: Sequence[str] = ()
    variants: Sequence[str] = (AS_SET,)
    """Ways of asking, by name."""
    warm_ups: int = 1
    conversation: bool = False
    through_devices: bool = False
    play_to: str = ""
    stages: Sequence[str] = ()
    """For `stages`: the stages, in order."""
    repeat: int = 1
    """For `stages`: runs of all questions. For `starts`: starts of each kind."""
    seconds: float = 0.0
    """For `soak`: how long to ask."""
    interrupt_every: int = 0
    """For `soak`: which replies are interrupted, every so many; 0: none."""

    @property
    def asks(self) -> list[tuple[BenchQuestion, bool]]:
        """The questions in order, each with whether it only warms up."""
        warming = [(self.questions[i % len(self.questions)], True) for i in range(self.warm_ups)]
        return [*warming, *((question, False) for question in self.questions)]

    def begins(self, question: BenchQuestion) -> bool:
        """Whether a new conversation begins with it."""
        if not self.conversation:
            return True
        # A recorded conversation begins with the first question, and where it was forgotten.
        first = question is self.questions[0]
        return question.history is not None and (first or not question.history)

    def expected(self, question: BenchQuestion) -> float:
        """Seconds that one question will take, roughly."""
        return question.seconds + ANSWER_SECONDS

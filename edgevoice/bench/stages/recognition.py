"""The recognizer beside its own full window, and beside faster-whisper itself: words and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edgevoice.audio import Samples
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.run_state import RunState, changed
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.clock import SystemClock
from edgevoice.errors import UsageError
from edgevoice.models.store import Store
from edgevoice.settings import Config

FULL = "full window"
PLAIN_WHISPER = "faster-whisper"
READ_VARIANTS: Mapping[str, Mapping[str, Any]] = {
    AS_SET: {},
    FULL: {"stt.window": "full"},
    PLAIN_WHISPER: {},
}

COST = 0.5
"""Seconds that reading one recording in every way may be expected to take, beside its length."""


class RecognitionComparison:
    """Reads every recording in each way, one after the other; `run_state` holds what is done."""

    def __init__(
        self,
        config: Config,
        questions: Sequence[BenchQuestion],
        source: str,
        left_out: Sequence[str],
        progress: BenchProgress,
    ) -> None:
        self._questions = [question for question in questions if question.known]
        if not self._questions:
            raise UsageError(
                "of none of the recordings is it known what is said in it",
                where=source,
                remedy="write a person's transcript of each into manifest.tsv; see docs/bench.md",
            )
        self._config = config
        self._clock = SystemClock()
        self._progress = progress
        self.run_state = RunState(
            "recognition", config, source, left_out, READ_VARIANTS, self._clock
        )

    def run(self) -> None:
        """Read everything. Raises ModelError and EngineError."""
        from edgevoice.engines.registry import load

        self._progress.begin("loading the recognizers", 0.0)
        stt = Store(self._config).choose("stt")
        self.run_state.models = {"stt": stt.name}
        ours = load(stt, self._config)
        full = load(stt, changed(self._config, READ_VARIANTS[FULL]))
        plain = load(stt, self._config, "unmodified")
        ways: Mapping[str, Callable[[Samples], str]] = {
            AS_SET: lambda samples: ours.transcribe(samples).text,
            FULL: lambda samples: full.transcribe(samples).text,
            PLAIN_WHISPER: plain.transcribe,
        }
        for way in ways.values():
            way(self._questions[0].samples)
        self._progress.begin(
            f"{len(self._questions)} recordings",
            sum(COST + 0.1 * question.seconds for question in self._questions),
        )
        for number, question in enumerate(self._questions, 1):
            made = [self._read(question, name, way) for name, way in ways.items()]
            self.run_state.turns += made
            told = ", ".join(f"{turn.word_errors} wrong" for turn in made)
            self._progress.done(
                COST + 0.1 * question.seconds,
                f"{number}/{len(self._questions)} {question.name}  {told} of {made[0].words} words",
            )
        self.run_state.finished = True

    def _read(self, question: BenchQuestion, name: str, way: Callable[[Samples], str]) -> BenchTurn:
        began = self._clock.now()
        text = way(question.samples).strip()
        seconds = self._clock.now() - began
        length = question.seconds
        return question.turn(
            name,
            began,
            text,
            spans={"recognize": seconds},
            read_seconds=length,
            stt_rtf=seconds / length if length else None,
        )

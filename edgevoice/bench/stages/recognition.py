"""Transcription of clips compared with the full window and with faster-whisper: words and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgevoice.audio import Samples
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.bench import BenchPlan
from edgevoice.bench.driver.run_state import RunState, changed
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.clock import SystemClock
from edgevoice.errors import UsageError
from edgevoice.models.store import Store

FULL, PLAIN_WHISPER = "full window", "faster-whisper"
READ_VARIANTS: Mapping[str, Mapping[str, Any]] = {
    AS_SET: {},
    FULL: {"stt.window": "full"},
    PLAIN_WHISPER: {},
}


class RecognitionComparison:
    """Reads every recording in each way, one after the other; `run_state` holds what is done."""

    def __init__(self, plan: BenchPlan, progress: BenchProgress) -> None:
        """Raises UsageError if no recording has a transcript."""
        self._questions = [question for question in plan.questions if question.known]
        if not self._questions:
            raise UsageError(
                "no recording has a transcript",
                where=plan.source,
                remedy="write a person's transcript of each into manifest.tsv; see docs/bench.md",
            )
        self._config = plan.config
        self._clock = SystemClock()
        self._progress = progress
        self.run_state = RunState(
            plan.command, plan.config, plan.source, plan.left_out, READ_VARIANTS, self._clock
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
        many, seconds = len(self._questions), [0.5 + 0.1 * q.seconds for q in self._questions]
        self._progress.begin(f"{many} recordings", sum(seconds))
        for number, question in enumerate(self._questions):
            made = [self._read(question, name, way) for name, way in ways.items()]
            self.run_state.turns += made
            wrong = ", ".join(f"{turn.word_errors} wrong" for turn in made)
            line = f"{number + 1}/{many} {question.name}  {wrong} of {made[0].words} words"
            self._progress.done(seconds[number], line)
        self.run_state.finished = True

    def _read(self, question: BenchQuestion, name: str, way: Callable[[Samples], str]) -> BenchTurn:
        began = self._clock.now()
        text = way(question.samples).strip()
        took, length = self._clock.now() - began, question.seconds
        rtf = took / length if length else None
        spans = {"recognize": took}
        return question.turn(name, began, text, spans=spans, read_seconds=length, stt_rtf=rtf)

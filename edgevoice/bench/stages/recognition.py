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
PLAIN = "faster-whisper"
VARIANTS: Mapping[str, Mapping[str, Any]] = {AS_SET: {}, FULL: {"stt.window": "full"}, PLAIN: {}}

COST = 0.5
"""Seconds that reading one recording in every way may be expected to take, beside its length."""


class RecognitionComparison:
    """Reads every recording in each way, one after the other; `account` holds what is done."""

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
        self.account = RunState("recognition", config, source, left_out, VARIANTS, self._clock)

    def run(self) -> None:
        """Read everything. Raises ModelError and EngineError."""
        from edgevoice.engines.whisper import Whisper
        from edgevoice.engines.whisper_plain import PlainWhisper

        self._progress.begin("loading the recognizers", 0.0)
        stt = Store(self._config).choose("stt")
        self.account.models = {"stt": stt.name}
        ours = Whisper(stt.path, self._config.stt)
        full = Whisper(stt.path, changed(self._config, VARIANTS[FULL]).stt)
        plain = PlainWhisper(stt.path, self._config.stt)
        ways: Mapping[str, Callable[[Samples], str]] = {
            AS_SET: lambda samples: ours.transcribe(samples).text,
            FULL: lambda samples: full.transcribe(samples).text,
            PLAIN: plain.transcribe,
        }
        for way in ways.values():
            way(self._questions[0].samples)
        self._progress.begin(
            f"{len(self._questions)} recordings",
            sum(COST + 0.1 * question.seconds for question in self._questions),
        )
        for number, question in enumerate(self._questions, 1):
            made = [self._read(question, name, way) for name, way in ways.items()]
            self.account.turns += made
            told = ", ".join(f"{turn.word_errors} wrong" for turn in made)
            self._progress.done(
                COST + 0.1 * question.seconds,
                f"{number}/{len(self._questions)} {question.name}  {told} of {made[0].words} words",
            )
        self.account.finished = True

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

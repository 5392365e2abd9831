"""Single stages, each by itself: nothing else computes while one of them works over the corpus.

One stage after the other, each over all recordings, so that it is alone in memory and in the
caches too; its engine is freed before the next one is loaded. A turn holds what all stages made of
one recording, as in a bench of whole turns, and `Result.stages` every quantity of each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from edgevoice.audio import EAR_RATE, FRAME_SAMPLES
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.bench import BenchPlan
from edgevoice.bench.driver.run_state import RunState
from edgevoice.bench.jobs.progress import BenchProgress
from edgevoice.bench.result.result import AS_SET, BenchTurn, StageFigures
from edgevoice.bench.result.summary import figures
from edgevoice.clock import Clock, SystemClock
from edgevoice.errors import EdgevoiceError
from edgevoice.events import Role
from edgevoice.history import History
from edgevoice.languages.text_normalization import normalize
from edgevoice.protocols import (
    ChatMessage,
    LanguageModel,
    Prefilled,
    Recognizer,
    SpeechDetector,
    Synthesizer,
    Token,
    TurnDetector,
)

STAGES: Mapping[str, Role] = {
    "vad": "vad",
    "endpoint": "turn",
    "stt": "stt",
    "llm": "slm",
    "tts": "tts",
}
"""Each stage that can be measured by itself, and the role of the model that does it."""

COSTS = {"vad": 0.1, "endpoint": 0.1, "stt": 0.6, "llm": 4.0, "tts": 1.5}
"""Seconds that a recording may be expected to take."""

UNITS = {
    "frame": ("s", "frame of 32 ms"),
    "judgement": ("s", "recording"),
    "reading": ("s", "recording"),
    "read_rtf": ("s", "second of sound"),
    "prefill": ("tokens/s", "question"),
    "ttft": ("s", "question"),
    "decode": ("tokens/s", "reply"),
    "first_sound": ("s", "reply"),
    "speak_rtf": ("s", "second of sound"),
}
"""What is measured of the stages, its unit, and what each value is of."""

OTHER_WORDS = "Zz"
"""What no question begins with: once it is in the cache, only what they share is left there."""

Engine = Callable[[str], tuple[str, Any]]
"""Loads what does a stage: the model's name, and the engine. Raises ModelError."""
Found = dict[str, Any]


def never() -> bool:
    """Nobody breaks off what is measured."""
    return False


class StageBench:
    """Runs the stages of a plan; `run_state` holds what is done, `problems` what could not be."""

    def __init__(
        self,
        plan: BenchPlan,
        progress: BenchProgress,
        engine: Engine | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.plan = plan
        self.problems: list[EdgevoiceError] = []
        self._progress = progress
        self._clock: Clock = clock or SystemClock()
        self._engine = engine or self._loaded
        self._asked = [q for _ in range(plan.repeat) for q in plan.questions]
        self._values: dict[tuple[str, str], list[float]] = {}
        self._models: dict[str, str] = {}
        self._turns: dict[int, BenchTurn] = {}
        self.run_state = RunState(
            plan.command, plan.config, plan.source, plan.left_out, {AS_SET: {}}, self._clock
        )
        self.run_state.input = "recordings, one after the other"
        self.run_state.output = "nowhere"

    def run(self) -> None:
        """Measure each stage; one whose model is missing or fails is told of, and the next one
        begins. Raises the first of these errors at the end."""
        for stage in self.plan.stages:
            self._progress.begin(f"{stage}: loading", 0.0)
            try:
                self._stage(stage)
            except EdgevoiceError as error:
                self._problem(stage, error)
        self.run_state.finished = True
        if self.problems:
            raise self.problems[0]

    def _problem(self, stage: str, error: EdgevoiceError) -> None:
        self.problems.append(error)
        self._progress.say(f"{stage} is left out: {error}")
        self.run_state.left_out += (f"{stage}: {error.what}",)

    def _stage(self, stage: str) -> None:
        name, engine = self._engine(stage)
        try:
            self._models[STAGES[stage]] = name
            self.run_state.models = dict(self._models)
            measure = self._measure(stage, engine)
            total = COSTS[stage] * len(self._asked)
            self._progress.begin(f"{stage}: {len(self._asked)} recordings", total)
            for question in self._asked[: self.plan.warm_ups]:
                measure(question, None)
            for number, question in enumerate(self._asked):
                where = f"{stage} {number + 1}/{len(self._asked)} {question.name[:40]}"
                found = measure(question, self._turns.get(number))
                if found is None:
                    told = "nobody knows what is said in it, so it cannot be asked"
                    self.run_state.left_out += (f"{stage}: {question.name}: {told}",)
                else:
                    told = _told(found["spans"])
                    self._note(stage, number, found)
                self._progress.done(COSTS[stage], f"{where}  {told}")
        finally:
            if hasattr(engine, "close"):
                engine.close()

    def _loaded(self, stage: str) -> tuple[str, Any]:
        from edgevoice.engines.registry import load
        from edgevoice.models.store import Store

        role = STAGES[stage]
        model = Store(self.plan.config).choose(role, shapes=True)
        return model.name, load(model, self.plan.config)

    def _note(self, stage: str, number: int, found: Found) -> None:
        """Put what was found of one recording beside what other stages made of it."""
        for quantity, values in found.pop("values").items():
            self._values.setdefault((stage, quantity), []).extend(values)
        self.run_state.stages = tuple(self._figures())
        question, turn = self._asked[number], self._turns.get(number)
        read = question.turn(AS_SET, self._clock.now(), found.get("recognized", ""))
        if turn is None:
            # What was not read has no words that are wrong.
            turn = replace(read, words=None, word_errors=None)
        if "recognized" in found:
            found |= {"words": read.words, "word_errors": read.word_errors}
        spans = {**turn.spans, **found.pop("spans")}
        self._turns[number] = replace(turn, spans=spans, **found)
        self.run_state.turns[:] = [self._turns[each] for each in sorted(self._turns)]

    def _figures(self) -> Iterator[StageFigures]:
        for (stage, quantity), values in self._values.items():
            unit, per = UNITS[quantity]
            if summed := figures(values):
                yield StageFigures(
                    stage=stage,
                    model=self._models[STAGES[stage]],
                    quantity=quantity,
                    unit=unit,
                    per=per,
                    figures=summed,
                )

    def _measure(
        self, stage: str, engine: Any
    ) -> Callable[[BenchQuestion, BenchTurn | None], Found | None]:
        match stage:
            case "vad":
                return lambda question, _: self._detect(engine, question)
            case "endpoint":
                return lambda question, _: self._judge(engine, question)
            case "stt":
                return lambda question, _: self._read(engine, question)
            case "llm":
                history = History(self.plan.config.slm.system_prompt)
                model = engine.session()
                return lambda question, turn: self._think(model, history, question, turn)
            case _:
                return lambda question, _: self._speak(engine, question)

    def _detect(self, detector: SpeechDetector, question: BenchQuestion) -> Found:
        """Every whole frame of the recording, timed by itself."""
        detector.reset()
        took = []
        for start in range(0, len(question.samples) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            frame = question.samples[start : start + FRAME_SAMPLES]
            began = self._clock.now()
            detector.probability(frame)
            took.append(self._clock.now() - began)
        mean = sum(took) / len(took) if took else 0.0
        return {"spans": {"detect a frame": mean}, "values": {"frame": took}}

    def _judge(self, detector: TurnDetector, question: BenchQuestion) -> Found:
        """Whether they have finished, asked where it is first asked in a conversation."""
        end = question.speech_end + self.plan.config.turn.pause_ms / 1000
        began = self._clock.now()
        detector.end_probability(question.samples[: int(end * EAR_RATE)])
        took = self._clock.now() - began
        return {"spans": {"judge the end": took}, "values": {"judgement": [took]}}

    def _read(self, recognizer: Recognizer, question: BenchQuestion) -> Found:
        began = self._clock.now()
        text = recognizer.transcribe(question.samples).text.strip()
        took = self._clock.now() - began
        rtf = took / question.seconds
        return {
            "spans": {"recognize": took},
            "values": {"reading": [took], "read_rtf": [rtf]},
            "recognized": text,
            "read_seconds": question.seconds,
            "stt_rtf": rtf,
        }

    def _think(
        self,
        model: LanguageModel,
        history: History,
        question: BenchQuestion,
        turn: BenchTurn | None,
    ) -> Found | None:
        """The question after the system prompt, which is in the cache, and the whole reply."""
        asked = question.said or (turn.recognized if turn else "")
        if not asked:
            return None
        # What an earlier question left in the cache must not help this one.
        model.prime([*history.messages, ChatMessage("user", OTHER_WORDS)], never)
        if hasattr(model, "reply_text"):
            model.reply_text = question.reply
        began = self._clock.now()
        prompt: Prefilled | None = None
        ready = began
        times: list[float] = []
        said: list[str] = []
        for part in model.reply(history.asking(asked), never):
            if isinstance(part, Prefilled):
                prompt, ready = part, self._clock.now()
            elif isinstance(part, Token):
                times.append(self._clock.now())
                said.append(part.text)
        new = prompt.tokens - prompt.reused if prompt else 0
        prefill = ready - began
        rate = new / prefill if new and prefill > 0 else None
        decoding = times[-1] - times[0] if times else 0.0
        decode = (len(times) - 1) / decoding if decoding > 0 else None
        ttft = times[0] - began if times else None
        values = {"prefill": rate, "ttft": ttft, "decode": decode}
        return {
            "spans": {"prefill": prefill},
            "values": {name: [v] for name, v in values.items() if v is not None},
            "prompt_tokens": prompt.tokens if prompt else 0,
            "reused_tokens": prompt.reused if prompt else 0,
            "reply_tokens": len(times),
            "prefill_rate": rate,
            "ttft": ttft,
            "tokens_per_second": decode,
            "reply": "".join(said).strip(),
        }

    def _speak(self, voice: Synthesizer, question: BenchQuestion) -> Found:
        """The reply that belongs to the question, whatever a model would say to it."""
        began = self._clock.now()
        first: float | None = None
        sound = 0.0
        for audio in voice.synthesize(normalize(question.reply), never):
            first = self._clock.now() - began if first is None else first
            sound += len(audio.samples) / voice.rate
        took = self._clock.now() - began
        rtf = took / sound if sound else None
        return {
            "spans": {} if first is None else {"first sound": first},
            "values": {"first_sound": [first], "speak_rtf": [rtf]} if sound else {},
            "sound_seconds": round(sound, 4) if sound else None,
            "tts_rtf": rtf,
        }


def _told(spans: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {seconds * 1000:.3g} ms" for name, seconds in spans.items())

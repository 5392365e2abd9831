"""Single stages, each alone: nothing else computes while a stage works over all recordings.

Its engine is freed before the next one is loaded. A turn holds what all stages made of one
recording, as in a bench of whole turns; the result's `stages` hold every quantity of each stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from statistics import fmean, stdev
from typing import Any

from msgspec.structs import replace

from edgevoice.audio import CAPTURE_RATE, FRAME_SAMPLES
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.plan import BenchPlan
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
from edgevoice.settings import Config

STAGE_ROLES: Mapping[str, Role] = {
    "vad": "vad",
    "endpoint": "turn",
    "stt": "stt",
    "llm": "slm",
    "tts": "tts",
}
"""Each stage that can be measured alone, and the role of its model."""

COSTS = {"vad": 0.1, "endpoint": 0.1, "stt": 0.6, "llm": 4.0, "tts": 1.5}
"""Seconds that a recording is expected to take."""

StageQuantity = tuple[str, str, Callable[[BenchTurn], float | None]]
QUANTITIES: Mapping[str, Mapping[str, StageQuantity]] = {
    "vad": {"frame": ("s", "frame of 32 ms", lambda _: None)},
    "endpoint": {"judgement": ("s", "recording", lambda turn: turn.spans.get("judge the end"))},
    "stt": {
        "reading": ("s", "recording", lambda turn: turn.spans.get("recognize")),
        "read_rtf": ("s", "second of sound", lambda turn: turn.stt_rtf),
    },
    "llm": {
        "prefill": ("tokens/s", "question", lambda turn: turn.prefill_rate),
        "ttft": ("s", "question", lambda turn: turn.ttft),
        "decode": ("tokens/s", "reply", lambda turn: turn.tokens_per_second),
        "pp512": ("tokens/s", "prompt of 512 tokens", lambda _: None),
        "tg128": ("tokens/s", "reply of 128 tokens", lambda _: None),
    },
    "tts": {
        "first_sound": ("s", "reply", lambda turn: turn.spans.get("first sound")),
        "speak_rtf": ("s", "second of sound", lambda turn: turn.tts_rtf),
    },
}
"""The quantities of each stage: unit, the unit of work of a value, and the value of a turn. Those
without one are not measured once a turn."""

REPEATED = ("pp512", "tg128")
"""Quantities whose values repeat the same work, so that their deviation tells how sure they are."""

OTHER_WORDS = "Zz"
"""No question begins with it: in the cache, it leaves only the system prompt there."""

EngineLoader = Callable[[str], tuple[str, Any]]
"""Loads the engine of a stage: the model's name, and the engine. Raises ModelError."""
Found = dict[str, Any]
StageMeasure = Callable[[Any, BenchQuestion, BenchTurn | None], Found | None]
"""Measures an engine on a recording, whose turn holds what earlier stages made of it."""


def never() -> bool:
    """Nothing is cancelled."""
    return False


def _rates(config: Config) -> Mapping[str, list[float]]:
    from edgevoice.engines.facts import published_rates
    from edgevoice.models.store import Store

    return published_rates(Store(config).choose("slm", shapes=True).path, config.slm)


class StageBench:
    """Measures the stages of a plan; `run_state` holds what is done, `problems` what failed."""

    def __init__(
        self,
        plan: BenchPlan,
        progress: BenchProgress,
        engine: EngineLoader | None = None,
        clock: Clock | None = None,
        rates: Callable[[Config], Mapping[str, list[float]]] | None = None,
    ) -> None:
        self.plan = plan
        self.problems: list[EdgevoiceError] = []
        self._progress = progress
        self._clock: Clock = clock or SystemClock()
        self._engine = engine or self._loaded
        self._rates = rates or _rates
        self._asked = [q for _ in range(plan.repeat) for q in plan.questions]
        self._history = History(plan.config.slm.system_prompt)
        self._values: dict[str, list[float]] = {}
        self._models: dict[str, str] = {}
        self._turns: dict[int, BenchTurn] = {}
        self.run_state = RunState(plan, self._clock)
        self.run_state.input = "recordings, one after the other"
        self.run_state.output = "nowhere"

    def run(self) -> None:
        """Measure each stage. A stage that fails is reported, and the next one begins; raises the
        first of these errors at the end."""
        for stage in self.plan.stages:
            self._progress.begin(f"{stage}: loading", 0.0)
            try:
                self._stage(stage)
            except EdgevoiceError as error:
                self.problems.append(error)
                self._progress.say(f"{stage} is left out: {error}")
                self.run_state.left_out += (f"{stage}: {error.what}",)
        self.run_state.finished = True
        if self.problems:
            raise self.problems[0]

    def _stage(self, stage: str) -> None:
        name, engine = self._engine(stage)
        measures: Mapping[str, StageMeasure] = {
            "vad": self._detect,
            "endpoint": self._judge,
            "stt": self._read,
            "llm": self._think,
            "tts": self._speak,
        }
        measure = measures[stage]
        try:
            measured = engine.session() if stage == "llm" else engine
            self._models[STAGE_ROLES[stage]] = name
            self.run_state.models = dict(self._models)
            total = COSTS[stage] * len(self._asked)
            self._progress.begin(f"{stage}: {len(self._asked)} recordings", total)
            for question in self._asked[: self.plan.warm_ups]:
                measure(measured, question, None)
            for number, question in enumerate(self._asked):
                where = f"{stage} {number + 1}/{len(self._asked)} {question.name[:40]}"
                if (found := measure(measured, question, self._turns.get(number))) is None:
                    told = "nobody knows what is said in it, so it cannot be asked"
                    self.run_state.left_out += (f"{stage}: {question.name}: {told}",)
                else:
                    spans = found["spans"].items()
                    told = ", ".join(f"{name} {span * 1000:.3g} ms" for name, span in spans)
                    self._note(number, found)
                self._progress.done(COSTS[stage], f"{where}  {told}")
        finally:
            if hasattr(engine, "close"):
                engine.close()
        if stage == "llm":
            self._progress.begin("llm: pp512 and tg128", 0.0)
            self._values |= self._rates(self.plan.config)
            self.run_state.stages = tuple(self._figures())

    def _loaded(self, stage: str) -> tuple[str, Any]:
        from edgevoice.engines.registry import load
        from edgevoice.models.store import Store

        role = STAGE_ROLES[stage]
        model = Store(self.plan.config).choose(role, shapes=True)
        return model.name, load(model, self.plan.config)

    def _note(self, number: int, found: Found) -> None:
        """Add what a stage found of one recording to its turn."""
        if frames := found.pop("frames", None):
            self._values.setdefault("frame", []).extend(frames)
        question, turn = self._asked[number], self._turns.get(number)
        read = question.turn(AS_SET, self._clock.now(), found.get("transcript", ""))
        if turn is None:
            # Without a transcript no word is wrong.
            turn = replace(read, words=None, word_errors=None)
        if "transcript" in found:
            found |= {"words": read.words, "word_errors": read.word_errors}
        spans = {**turn.spans, **found.pop("spans")}
        self._turns[number] = replace(turn, spans=spans, **found)
        self.run_state.turns[:] = [self._turns[each] for each in sorted(self._turns)]
        self.run_state.stages = tuple(self._figures())

    def _figures(self) -> Iterator[StageFigures]:
        for stage in self.plan.stages:
            for name, (unit, per, take) in QUANTITIES[stage].items():
                taken = (take(turn) for turn in self.run_state.turns)
                values = self._values.get(name) or [one for one in taken if one is not None]
                if summed := figures(values):
                    yield StageFigures(
                        stage=stage,
                        model=self._models[STAGE_ROLES[stage]],
                        quantity=name,
                        unit=unit,
                        per=per,
                        figures=summed,
                        deviation=stdev(values) if name in REPEATED else None,
                    )

    def _detect(self, detector: SpeechDetector, question: BenchQuestion, _: object) -> Found:
        """Every whole frame of the recording, timed by itself."""
        detector.reset()
        took = []
        for start in range(0, len(question.samples) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            began = self._clock.now()
            detector.probability(question.samples[start : start + FRAME_SAMPLES])
            took.append(self._clock.now() - began)
        return {"spans": {"detect a frame": fmean(took or [0.0])}, "frames": took}

    def _judge(self, detector: TurnDetector, question: BenchQuestion, _: object) -> Found:
        """The end-of-turn decision where it is first asked for in a conversation."""
        end = question.speech_end + self.plan.config.turn.pause_ms / 1000
        began = self._clock.now()
        detector.end_probability(question.samples[: int(end * CAPTURE_RATE)])
        return {"spans": {"judge the end": self._clock.now() - began}}

    def _read(self, recognizer: Recognizer, question: BenchQuestion, _: object) -> Found:
        began = self._clock.now()
        text = recognizer.transcribe(question.samples).text.strip()
        took = self._clock.now() - began
        return {
            "spans": {"recognize": took},
            "transcript": text,
            "read_seconds": question.seconds,
            "stt_rtf": took / question.seconds,
        }

    def _think(
        self, model: LanguageModel, question: BenchQuestion, turn: BenchTurn | None
    ) -> Found | None:
        """The question after the system prompt, which is in the cache, and the whole reply."""
        asked = question.said or (turn.transcript if turn else "")
        if not asked:
            return None
        # What an earlier question left in the cache must not help this one.
        model.prime([*self._history.messages, ChatMessage("user", OTHER_WORDS)], never)
        if hasattr(model, "reply_text"):
            model.reply_text = question.reply
        ready = began = self._clock.now()
        prompt, times, said = Prefilled(0, 0), [], []
        for part in model.reply(self._history.asking(asked), never):
            if isinstance(part, Prefilled):
                prompt, ready = part, self._clock.now()
            elif isinstance(part, Token):
                times.append(self._clock.now())
                said.append(part.text)
        new, prefill = prompt.tokens - prompt.reused, ready - began
        decoding = times[-1] - times[0] if times else 0.0
        return {
            "spans": {"prefill": prefill},
            "prompt_tokens": prompt.tokens,
            "reused_tokens": prompt.reused,
            "reply_tokens": len(times),
            "prefill_rate": new / prefill if new and prefill > 0 else None,
            "ttft": times[0] - began if times else None,
            "tokens_per_second": (len(times) - 1) / decoding if decoding > 0 else None,
            "reply": "".join(said).strip(),
        }

    def _speak(self, voice: Synthesizer, question: BenchQuestion, _: object) -> Found:
        """The prescribed reply to the question, whatever the model would say."""
        began = self._clock.now()
        first: float | None = None
        sound = 0.0
        for audio in voice.synthesize(normalize(question.reply), never):
            first = self._clock.now() - began if first is None else first
            sound += len(audio.samples) / voice.rate
        took = self._clock.now() - began
        return {
            "spans": {} if first is None else {"first sound": first},
            "sound_seconds": round(sound, 4) if sound else None,
            "tts_rtf": took / sound if sound else None,
        }

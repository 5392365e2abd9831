"""A stage by itself is timed to the tick, beside what the other stages made of the same clip."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest

from edgevoice.audio import FRAME_SAMPLES, Samples
from edgevoice.bench.compare.compare import compare
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.jobs.progress import BenchProgressLines
from edgevoice.bench.result.result import AS_SET, BenchResult
from edgevoice.bench.stages.stages import STAGE_ROLES, StageBench
from edgevoice.bench.stages.text import stages as drawn
from edgevoice.clock import Clock
from edgevoice.errors import ModelError
from edgevoice.settings import Config, SlmSettings
from edgevoice.testing.scripted import (
    Phrasebook,
    ScriptedLanguageModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from edgevoice.testing.virtual import VirtualClock

WORDS = ("what time is it", "where am I", "what is it for")
REPLY = "It is noon by the clock"


class Slow:
    """A detector of speech and of finished turns that takes its time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.heard: list[int] = []

    def probability(self, samples: Samples) -> float:
        self.clock.sleep(0.002)
        return 1.0

    def end_probability(self, samples: Samples) -> float:
        self.clock.sleep(0.05)
        self.heard.append(len(samples))
        return 1.0

    def reset(self) -> None:
        return None


class Bench:
    """Stages with scripted engines on virtual time, over one second of each question."""

    def __init__(self, stages: Sequence[str], missing: str = "", **plan: Any) -> None:
        self.clock = VirtualClock()
        self.book = Phrasebook()
        self.closed: list[str] = []
        self.detector = Slow(self.clock)
        self.model = ScriptedLanguageModel(self.clock, lambda _: REPLY)
        self.engines = {
            "vad": self.detector,
            "endpoint": self.detector,
            "stt": ScriptedRecognizer(self.clock, self.book),
            "llm": self.model,
            "tts": ScriptedSynthesizer(self.clock),
        }
        self.missing = missing
        self.rates: dict[str, list[float]] = {}
        questions = [
            BenchQuestion(text, self.book.speech(text, 1.0), 0.8, text, "human", REPLY)
            for text in WORDS
        ]
        given = {"questions": questions, "config": Config(slm=SlmSettings(system_prompt="Be kind"))}
        self.plan = BenchPlan(
            **{"command": "stages", "source": "test", "stages": stages, **given, **plan}
        )
        self.out = io.StringIO()
        self.stages = StageBench(
            self.plan, BenchProgressLines(self.out), self.load, self.clock, lambda _: self.rates
        )

    def load(self, stage: str) -> tuple[str, Any]:
        if stage == self.missing:
            raise ModelError("there is no voice here", remedy="edgevoice models pull joe")
        return f"model of {stage}", self.engines[stage]

    def run(self) -> BenchResult:
        self.stages.run()
        return self.stages.run_state.result()


def quantity(result: BenchResult, name: str) -> Any:
    [one] = [one for one in result.stages if one.quantity == name]
    return one.figures


def test_every_stage_is_timed_by_itself() -> None:
    """Seconds, rates and real-time factors as the scripted engines have them."""
    found = Bench(list(STAGE_ROLES)).run()
    assert quantity(found, "frame").n == len(WORDS) * (16_000 // FRAME_SAMPLES)
    assert quantity(found, "frame").p99 == pytest.approx(0.002)
    assert quantity(found, "judgement").p50 == pytest.approx(0.05)
    assert quantity(found, "read_rtf").p50 == pytest.approx(quantity(found, "reading").p50)
    # One word of a prompt in 10 ms, one of a reply in 50.
    assert quantity(found, "prefill").p50 == pytest.approx(100.0)
    assert quantity(found, "decode").p50 == pytest.approx(20.0)
    assert quantity(found, "ttft").p50 == pytest.approx(0.09)
    assert quantity(found, "speak_rtf").p50 == pytest.approx(0.1)
    assert {one.model for one in found.stages} == {f"model of {stage}" for stage in STAGE_ROLES}


def test_a_turn_holds_what_all_stages_made_of_one_recording() -> None:
    """As a turn of a conversation would, but for the response time."""
    found = Bench(list(STAGE_ROLES)).run()
    assert [turn.question for turn in found.turns] == list(WORDS)
    for turn in found.turns:
        assert turn.response_time is None
        assert list(turn.spans) == [
            *("detect a frame", "judge the end", "recognize", "prefill", "first sound"),
        ]
        assert (turn.transcript, turn.word_errors, turn.reply) == (turn.question, 0, REPLY)
    summary = found.variants[0].summary
    assert summary.wer == 0.0
    assert summary.ttft is not None
    assert summary.spans["recognize"].n == len(WORDS)


def test_the_detector_of_finished_turns_hears_up_to_the_pause() -> None:
    """What it would have heard when it is first asked."""
    bench = Bench(["endpoint"], warm_ups=0)
    bench.run()
    pause = bench.plan.config.turn.pause_ms * 16
    assert bench.detector.heard == [16_000 * 8 // 10 + pause] * len(WORDS)


def test_no_question_is_helped_by_one_before() -> None:
    """Nor by the warm-up with the same words: only the system prompt is in the cache."""
    found = Bench(["llm"], repeat=2).run()
    assert len(found.turns) == 2 * len(WORDS)
    assert {turn.reused_tokens for turn in found.turns} == {2}
    assert [turn.prompt_tokens for turn in found.turns] == [6, 5, 6] * 2


def test_a_stage_without_its_model_is_named_and_the_others_are_measured() -> None:
    """With what brings it; at the end the command fails."""
    bench = Bench(["stt", "tts"], missing="tts")
    with pytest.raises(ModelError, match="there is no voice here"):
        bench.stages.run()
    found = bench.stages.run_state.result()
    assert not found.interrupted
    assert {one.stage for one in found.stages} == {"stt"}
    assert found.left_out == ("tts: there is no voice here",)
    assert "edgevoice models pull joe" in bench.out.getvalue()


def test_what_nobody_knows_the_words_of_is_asked_as_it_was_read() -> None:
    """And not at all where it was not read; then it is named."""
    bench = Bench(["stt", "llm"])
    unknown = [BenchQuestion(q.name, q.samples, 0.8, reply=REPLY) for q in bench.plan.questions]
    bench = Bench(["stt", "llm"], questions=unknown)
    for text in WORDS:
        bench.book.speech(text, 1.0)
    found = bench.run()
    assert [turn.prompt_tokens for turn in found.turns] == [6, 5, 6]
    assert found.turns[0].words is None
    alone = Bench(["llm"], questions=unknown).run()
    assert not alone.turns
    assert len(alone.left_out) == len(WORDS)
    assert "so it cannot be asked" in alone.left_out[0]


def test_what_is_done_when_it_is_stopped_is_there() -> None:
    """The clips of the stage that was at work, and all of those before it."""
    bench = Bench(["stt", "tts"])
    said = 0

    def stop(text: str, cancelled: object) -> Any:
        nonlocal said
        said += 1
        if said > 2:  # the first one warms up
            raise KeyboardInterrupt
        return ScriptedSynthesizer(bench.clock).synthesize(text, lambda: False)

    bench.engines["tts"].synthesize = stop  # type: ignore[attr-defined, union-attr]
    with pytest.raises(KeyboardInterrupt):
        bench.stages.run()
    found = bench.stages.run_state.result()
    assert found.interrupted
    assert quantity(found, "reading").n == 3
    assert quantity(found, "first_sound").n == 1


def test_the_table_tells_percentiles_and_how_sure_they_are() -> None:
    """In 80 columns, each quantity with its unit; intervals where there are values enough."""
    lines = drawn(Bench(list(STAGE_ROLES), repeat=2).run())
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    [frame] = [line for line in lines if line.startswith("vad: a frame of 32 ms")]
    assert frame.split()[6:] == ["186", "2.00", "2.00", "2.00", "2.00", "ms"]
    sure = lines[lines.index(frame) + 1].split()
    assert sure == ["95", "%", "confidence", *["2.00–2.00"] * 3]
    assert "llm: prefill" in text
    assert "WER 0.0 % of 22 words" in text
    assert "response time" not in text


def test_the_rates_of_llama_bench_stand_beside_the_language_model() -> None:
    """pp512 and tg128 with mean and standard deviation, in the text and in the result."""
    bench = Bench(["llm"])
    bench.rates = {"pp512": [98.0, 100.0, 102.0], "tg128": [10.0, 10.0, 10.0]}
    found = bench.run()
    [pp] = [one for one in found.stages if one.quantity == "pp512"]
    assert (pp.figures.mean, pp.deviation, pp.unit) == (100.0, 2.0, "tokens/s")
    text = "\n".join(drawn(found))
    assert "llm: pp512 100.0 ± 2.0 tokens/s" in text
    assert "llm: tg128 10.0 ± 0.0 tokens/s" in text


def test_a_slower_stage_is_told_from_noise_by_its_name() -> None:
    """`bench compare` goes by what stages took where there is no response time."""
    before = Bench(["stt", "llm"], repeat=5)
    after = Bench(["stt", "llm"], repeat=5)
    after.model.prefill = 0.02
    found = compare(before.run(), after.run(), ("A", "B"), (AS_SET, AS_SET))
    assert {change.name for change in found.having("slower")} == {"prefill", "ttft"}

"""A start is told step by step, and it is known whether it was cold."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgevoice import events as ev
from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.jobs.progress import BenchProgressLines
from edgevoice.bench.result.device_record import Load, Start
from edgevoice.bench.result.result import BenchResult, BenchTurn
from edgevoice.bench.stages import cold_start
from edgevoice.bench.stages.cold_start import (
    COLD,
    WARM,
    ColdStartBench,
    StartOutcome,
    StartTask,
    drop,
    timeline,
)
from edgevoice.bench.stages.text import starts as drawn
from edgevoice.errors import EdgevoiceError, ModelError
from edgevoice.settings import Config
from edgevoice.testing.virtual import VirtualClock
from tests.sessions import Session

QUESTIONS = [
    BenchQuestion(name, np.zeros(16_000, dtype=np.float32), 1.0) for name in ("one", "two")
]


class Program:
    """Starts that never were; `done` are those that were asked for."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.done: list[StartTask] = []

    def __call__(self, first: StartTask) -> StartOutcome:
        self.done.append(first)
        ready = 2.0 if first.variant == COLD else 1.0
        self.clock.sleep(ready)
        loads = {
            "vad": Load(model="silero-vad", began=0.4, ready=0.5),
            "slm": Load(model="qwen", began=0.4, ready=ready - 0.1),
        }
        return StartOutcome(
            start=Start(
                variant=first.variant,
                program=0.2,
                imported=0.4,
                loads=loads,
                listening=0.6,
                ready=ready,
                response_time=0.9,
                rss=700_000_000,
            ),
            turn=BenchTurn(
                variant=first.variant,
                question=first.question.name,
                warm_up=first.warm_up,
                response_time=0.9,
                spans={"pause": 0.9},
            ),
            models={"vad": "silero-vad", "slm": "qwen"},
            input="ears",
            output="speaker",
        )


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that stands for all weights."""
    file = tmp_path / "weights.gguf"
    file.write_bytes(b"w" * 1_000_000)
    monkeypatch.setattr(cold_start, "weights", lambda config: [file])
    return file


Run = Callable[[int], tuple[BenchResult, Program, str]]


@pytest.fixture
def run(weights: Path) -> Run:
    """Starts the program so many times, and gives the result, the starts and the progress."""

    def go(repeat: int) -> tuple[BenchResult, Program, str]:
        clock = VirtualClock()
        program = Program(clock)
        plan = BenchPlan(
            command="starts", config=Config(), questions=QUESTIONS, source="test", repeat=repeat
        )
        out = io.StringIO()
        bench = ColdStartBench(plan, BenchProgressLines(out), program, clock)
        bench.run()
        return bench.run_state.result(), program, out.getvalue()

    return go


def test_cold_and_warm_starts_take_turns(run: Run) -> None:
    """After one that is not counted; each pair is asked the same question."""
    result, program, _ = run(2)
    assert [(f.variant, f.warm_up, f.question.name) for f in program.done] == [
        (WARM, True, "one"),
        *((kind, False, name) for name in ("one", "two") for kind in (COLD, WARM)),
    ]
    assert [start.variant for start in result.starts] == [COLD, WARM] * 2
    assert [variant.summary.turns for variant in result.variants] == [2, 2]
    assert (result.peak_rss, result.steady_rss) == (700_000_000, None)


def test_only_a_warm_start_finds_the_state_of_the_prompt(run: Run) -> None:
    """Whatever else is set is the same for both, and the result says in what they differ."""
    result, program, _ = run(1)
    kept = {first.variant: first.config.slm.prompt_cache for first in program.done}
    assert kept == {COLD: False, WARM: True}
    assert result.variants[0].settings == {"slm.prompt_cache": False}


def test_where_nothing_can_be_dropped_it_is_said_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the starts are measured all the same."""
    monkeypatch.setattr(cold_start, "drop", lambda files: False)
    result, _, told = run(3)
    assert told.count("only root can drop weights") == 1
    assert len(result.starts) == 6


def test_the_table_shows_every_step_and_what_was_loaded_at_the_same_time(run: Run) -> None:
    """Cold beside warm in 80 columns, and a picture of the loads."""
    lines = drawn(run(3)[0])
    assert max(map(len, lines)) <= 80
    steps = [line[:26].strip() for line in lines if line.rstrip().endswith((" s", " ms"))]
    for step in (
        *("command line read", "pipeline imported", "VAD loaded", "LLM loaded"),
        *("listening", "ready to answer", "first response time"),
    ):
        assert step in steps
    [ready] = [line for line in lines if line.startswith("ready to answer")]
    assert ready.split()[3:] == ["2.00", "s", "2.00", "s", "1.00", "s", "1.00", "s"]
    assert "6 of 6 first questions answered" in lines


def test_what_a_start_fails_with_ends_the_bench_and_what_is_done_is_there(weights: Path) -> None:
    """The starts before it stay in the run_state."""
    clock = VirtualClock()
    program = Program(clock)

    def launch(first: StartTask) -> StartOutcome:
        if len(program.done) == 2:
            raise ModelError("the model is gone")
        return program(first)

    plan = BenchPlan(
        command="starts", config=Config(), questions=QUESTIONS, source="test", repeat=2
    )
    bench = ColdStartBench(plan, BenchProgressLines(io.StringIO()), launch, clock)
    with pytest.raises(ModelError):
        bench.run()
    assert [start.variant for start in bench.run_state.starts] == [COLD]
    assert bench.run_state.result().interrupted


def test_steps_are_read_off_the_events_of_the_session() -> None:
    """Counted from the making of the process, which was before the session."""
    session = Session().start()
    session.at(0.1).add(ev.EngineLoading(role="stt", model="whisper"))
    session.at(0.2).add(ev.EngineLoading(role="slm", model="qwen"))
    session.at(0.5).add(ev.EngineReady(role="stt", model="whisper", seconds=0.4), ev.Listening())
    session.at(0.9).add(ev.EngineReady(role="slm", model="qwen", seconds=0.7), ev.Ready())
    found = timeline(session.events, 1.0)
    assert found["loads"] == {
        "stt": Load(model="whisper", began=1.1, ready=1.5),
        "slm": Load(model="qwen", began=1.2, ready=1.9),
    }
    assert (found["listening"], found["ready"]) == (1.5, 1.9)
    with pytest.raises(EdgevoiceError, match="never ready"):
        timeline(session.events[:4], 1.0)


def test_what_is_not_there_is_not_dropped(tmp_path: Path) -> None:
    """And that is no failure."""
    assert not drop([tmp_path / "none"])

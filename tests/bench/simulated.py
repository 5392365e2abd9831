"""Runs that never were: turns drawn at random, as noisy as real ones, for tests of statistics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec.structs import replace

from edgevoice.bench.driver.plan import BenchPlan
from edgevoice.bench.driver.run_state import RunState
from edgevoice.bench.result.result import AS_SET, BenchResult, BenchTurn, Machine, Model, Variant
from edgevoice.bench.result.summary import summarize
from edgevoice.clock import SystemClock
from edgevoice.settings import Config

SPANS = {
    "pause": 0.06,
    "recognize": 0.3,
    "prefill": 0.5,
    "first clause": 0.3,
    "synthesize": 0.15,
    "confirm": 0.0,
    "output": 0.07,
}
"""Seconds that each span takes on the average."""

MACHINE = Machine(
    cpu="Quiet 1000",
    cores=4,
    logical_cores=8,
    usable_cores=4,
    memory=8_000_000_000,
    system="Linux 6.1 x86_64",
    python="3.12.1",
    load_before=0.4,
    load_after=1.9,
)


def turns(
    seed: int,
    questions: int = 40,
    slower: Mapping[str, float] | None = None,
    name: str = "question",
    wild: float = 0.05,
) -> list[BenchTurn]:
    """Answers to questions that are easy or hard for every seed alike, with noise of this seed's.

    `slower` seconds are added to spans by their name; in `wild` of the turns something else ran.
    """
    hard = np.random.default_rng(0).lognormal(0.0, 0.4, (questions, len(SPANS)))
    rng = np.random.default_rng(seed)
    noise = rng.lognormal(0.0, 0.12, (questions, len(SPANS)))
    made = [BenchTurn(variant=AS_SET, question="to warm up", warm_up=True, response_time=9.0)]
    for i in range(questions):
        spans = {
            span: mean * float(hard[i, j] * noise[i, j]) + (slower or {}).get(span, 0.0)
            for j, (span, mean) in enumerate(SPANS.items())
        }
        if rng.random() < wild:
            spans["recognize"] += float(rng.exponential(1.0))
        made.append(
            BenchTurn(
                variant=AS_SET,
                question=f"{name} {i}",
                response_time=sum(spans.values()),
                spans=spans,
                ttft=spans["prefill"] + 0.01,
                tokens_per_second=12.0 / float(rng.lognormal(0.0, 0.05)),
                words=7,
                word_errors=int(rng.random() < 0.05),
            )
        )
    return made


def result(made: list[BenchTurn], **changes: object) -> BenchResult:
    """A whole result with these turns, on a machine that is always the same."""
    run_state = RunState(
        BenchPlan(command="run", config=Config(), questions=(), source="built-in"), SystemClock()
    )
    run_state.finished = True
    summary = summarize([turn for turn in made if turn.variant == AS_SET])
    fixed: dict[str, object] = {
        "started": f"2026-01-01T00:00:{len(made) % 60:02}+00:00",
        "machine": MACHINE,
        "libraries": {"llama-cpp-python": "0.3.36"},
        "models": {"slm": Model(name="qwen", shape=False)},
        "variants": (Variant(name=AS_SET, settings={}, summary=summary),),
        "turns": tuple(made),
    }
    return replace(run_state.result(), **{**fixed, **changes})

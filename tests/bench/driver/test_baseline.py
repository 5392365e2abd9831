"""The plain sequence, which the pipeline is compared with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgevoice.bench.corpus.corpus import BenchQuestion
from edgevoice.bench.driver.baseline import SILENCE_SECONDS, SequentialBaseline
from edgevoice.build import quiet_sink
from edgevoice.clock import SystemClock
from edgevoice.settings import Config, SlmSettings
from edgevoice.testing.scripted import ScriptedSynthesizer
from tests.engines.watched import opened


@pytest.mark.models
def test_no_answer_profits_from_one_before_or_from_what_is_kept(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    """The whole prompt is evaluated each time, though the same question was asked before."""
    settings = SlmSettings(context=512, max_tokens=4)
    clock = SystemClock()
    question = BenchQuestion("one", np.zeros(16_000, dtype=np.float32), 1.0, "What is gold?")
    with opened(model_path("smollm2-135m"), settings, tmp_path) as model:
        plain = SequentialBaseline(
            Config(slm=settings),
            clock,
            lambda _: "What is gold?",
            model,
            ScriptedSynthesizer(clock),
            quiet_sink(clock, "nobody"),
        )
        turns = [plain.ask(question) for _ in range(2)]
    for turn in turns:
        assert turn.prompt_tokens > 30
        assert turn.reused_tokens <= 5, "no more than how every prompt begins"
        assert turn.gap is not None
        assert turn.gap == pytest.approx(sum(turn.spans.values()))
        assert turn.spans["silence"] >= SILENCE_SECONDS

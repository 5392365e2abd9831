"""pp512 and tg128 are measured as llama-bench does."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgevoice.engines import llama_bench
from edgevoice.settings import SlmSettings


@pytest.mark.models
def test_each_run_begins_on_an_empty_context(
    starter_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prompt that fills the whole context fits each time; every run is a rate, without the
    warm-up. With shorter runs than the real ones, which take minutes on a busy machine."""
    monkeypatch.setattr(llama_bench, "PROMPT", 32)
    monkeypatch.setattr(llama_bench, "GENERATED", 4)
    monkeypatch.setattr(llama_bench, "REPETITIONS", 2)
    rates = llama_bench.llama_rates(starter_models["slm"], SlmSettings())
    assert list(rates) == ["pp512", "tg128"]
    assert all(len(values) == 2 and min(values) > 0 for values in rates.values())

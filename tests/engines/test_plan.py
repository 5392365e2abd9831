"""The plan of threads that the doctor shows, and that the engines keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgevoice.engines import plan, prompt_cache
from edgevoice.settings import Config, SlmSettings, SttSettings, TtsSettings


def test_no_part_of_a_turn_plans_more_threads_than_there_are_cores() -> None:
    """Counted with the fewest the language model takes, every row fits the machine."""
    for cores in (2, 3, 4, 8, 16):
        for part, row in plan.threads(Config(), cores).items():
            needed = [int(cell.split(" ")[0]) for cell in row if cell != plan.NO_THREADS]
            beside = needed[0] + needed[2] if part == "you pause" else sum(needed)
            # The turn detector takes a few hundredths of a second, beside the recognizer.
            assert beside <= cores, (cores, part, row)


def test_what_is_fixed_is_shown_as_it_is_set() -> None:
    """A number of threads in the settings holds in every part of a turn."""
    config = Config(
        stt=SttSettings(threads=3), slm=SlmSettings(threads=5), tts=TtsSettings(threads=2)
    )
    for recognizer, _, model, voice in plan.threads(config, 8).values():
        assert recognizer in ("3", plan.NO_THREADS)
        assert model == "5"
        assert voice in ("2", plan.NO_THREADS)


def test_without_adapting_the_language_model_takes_every_core() -> None:
    """That is what slm.adapt_threads off means, and the plan does not hide it."""
    config = Config(slm=SlmSettings(adapt_threads=False))
    assert {row[2] for row in plan.threads(config, 4).values()} == {"4"}


def test_the_table_names_every_stage_and_part() -> None:
    """One line for each part of a turn under a line of stages."""
    head, *rows = plan.table(Config(), 2)
    assert all(stage in head for stage in plan.THREAD_COLUMNS)
    assert [row.split("  ")[0] for row in rows] == list(plan.threads(Config(), 2))


def test_measured_rates_are_told_for_each_number_of_threads() -> None:
    """A token of the reply, and the prompt's best rate with the batch size that gives it."""
    assert plan.rates({2: {1: 0.05, 4: 0.1, 16: 0.8}, 1: {1: 0.09}}) == [
        "1 thread: 90 ms a token",
        "2 threads: 50 ms a token; 40 tokens of a prompt a second, 4 at once",
    ]
    assert plan.rates({}) == []


def test_a_model_that_never_ran_here_has_no_rates(tmp_path: Path) -> None:
    """Only what was measured on this machine is shown."""
    path = tmp_path / "model[1].gguf"
    assert plan.measured("model", path) == []
    prompt_cache.PromptCache(prompt_cache.default_folder(), _file(path), "1").keep_costs(
        {2: {1: 0.05}}
    )
    assert plan.measured("model", path) == ["model on 2 threads: 50 ms a token"]


def _file(path: Path) -> Path:
    path.write_bytes(b"weights")
    return path


@pytest.mark.models
def test_the_engines_run_the_threads_the_plan_says(
    model_path: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the doctor shows for recognizer and voice is what they take in the ledger."""
    from edgevoice.engines.cpu_budget import cores
    from edgevoice.engines.piper import Piper
    from edgevoice.engines.whisper import Whisper

    taken: list[int] = []
    real = cores.taken
    monkeypatch.setattr(cores, "taken", lambda count: taken.append(count) or real(count))
    for config in (Config(), msgspec.structs.replace(Config(), stt=SttSettings(threads=2))):
        listening, _, speaking = plan.threads(config, cores.all).values()
        recognizer = Whisper(model_path("whisper-base"), config.stt)
        recognizer.transcribe(np.zeros(16000, dtype=np.float32))
        assert set(taken) == {int(listening[0])}
        taken.clear()
        voice = Piper(model_path("en_US-joe-medium"), config.tts)
        assert list(voice.synthesize("Yes.", lambda: False))
        assert set(taken) == {int(speaking[3])}
        taken.clear()

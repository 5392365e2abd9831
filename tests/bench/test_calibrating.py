"""Calibrating: each model once, whatever fails, and kept until something changes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edgevoice.bench.fitting import calibrating, part
from edgevoice.bench.fitting.calibrating import Calibrator
from edgevoice.bench.fitting.options import Option, Voiced, options
from edgevoice.bench.fitting.part import CACHES, LEAST, part_of, written
from edgevoice.bench.fitting.predicting import predict
from edgevoice.bench.fitting.record import Thinking
from edgevoice.bench.fitting.together import strain
from edgevoice.bench.fitting.unmeasured import Costs
from edgevoice.bench.result.result import BenchTurn
from edgevoice.catalog import Catalog
from edgevoice.errors import EngineError, ModelError, StorageError, UsageError
from edgevoice.models.gguf import ALIGNMENT, read_header
from edgevoice.models.shape_layout import weights_size
from edgevoice.models.shape_table import ARCHITECTURES
from edgevoice.settings import Config, Models, SlmSettings, SttSettings
from tests.bench.fitted import SPEEDS, calibration, hearing, option, speaking, thinking
from tests.bench.simulated import turns
from tests.models.small_shapes import small

PHI = ARCHITECTURES["phi-3-mini"]


@dataclass
class Told:
    """Progress as it is told."""

    lines: list[str] = field(default_factory=list)

    def begin(self, what: str, total: float) -> None:
        assert total > 0

    def done(self, seconds: float, line: str) -> None:
        self.lines.append(line)

    def say(self, line: str) -> None:
        self.lines.append(line)


class Bench(NamedTuple):
    """Calibrates `wanted`; what is measured is noted in `done`."""

    wanted: dict[Voiced, list[Option]]
    done: list[str]

    def run(self, config: Config | None = None, again: bool = False) -> Calibrator:
        calibrator = Calibrator(config or Config(), Told(), again)
        calibrator.run(self.wanted)
        return calibrator


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A model in each role with a file, one without, and measurements that only say so."""
    done: list[str] = []

    def there(made: Option) -> Option:
        path = tmp_path / f"{made.name}.bin"
        path.write_bytes(b"weights")
        return replace(made, path=path)

    def noted(name: str, found: Any) -> Any:
        done.append(name)
        return found

    def thought(name: str, path: Path, config: Config) -> Thinking:
        if path.read_bytes() != b"weights":
            raise ModelError("the file is not what it was", where=str(path), remedy="mend it")
        return noted(name, thinking(name, 0.05))  # type: ignore[no-any-return]

    monkeypatch.setattr(calibrating, "measured_elsewhere", lambda: noted("speeds", SPEEDS))
    monkeypatch.setattr(calibrating.thinking, "measured", thought)
    monkeypatch.setattr(
        calibrating.thinking,
        "from_part",
        lambda model, config: noted(
            model.name, thinking(model.name, 0.1, how="part of a shape", mark="")
        ),
    )
    monkeypatch.setattr(
        calibrating.sounding, "hearing", lambda name, *_: noted(name, hearing(name, 0.2))
    )
    monkeypatch.setattr(
        calibrating.sounding, "speaking", lambda name, *_: noted(name, speaking(name))
    )
    monkeypatch.setattr(calibrating.sounding, "questions", lambda voice: [])
    monkeypatch.setattr(calibrating, "voice_of", lambda option, config: None)
    monkeypatch.setattr(calibrating.together, "asked", lambda *_: noted("together", turns(1)))
    far = replace(option("phi-3-mini", "slm", 2_400_000_000, here=False), architecture=PHI)
    return Bench(
        {
            "slm": [there(option("near", "slm", 1000)), far],
            "stt": [there(option("ears", "stt", 1000))],
            "tts": [there(option("joe", "tts", 1000))],
        },
        done,
    )


def test_everything_is_measured_once_and_known_the_next_time(bench: Bench) -> None:
    """Files, and a part of the shape of what has none; a second run measures nothing."""
    first = bench.run()
    assert bench.done == ["speeds", "joe", "ears", "near", "phi-3-mini", "together"]
    assert not first.problems
    bench.done.clear()
    assert bench.run().calibration == first.calibration
    assert bench.done == []


def test_again_measures_anew(bench: Bench) -> None:
    """As if nothing had been known."""
    bench.run()
    bench.done.clear()
    bench.run(again=True)
    assert len(bench.done) == 6


def test_a_file_that_changed_is_measured_again(bench: Bench) -> None:
    """And nothing else."""
    bench.run()
    bench.done.clear()
    path = bench.wanted["stt"][0].path
    assert path
    path.write_bytes(b"other weights")
    bench.run()
    assert bench.done == ["ears"]


def test_settings_that_change_the_work_are_another_calibration(bench: Bench) -> None:
    """What was measured with them holds for no others; other settings do not matter."""
    bench.run()
    bench.done.clear()
    bench.run(Config(slm=SlmSettings(temperature=0.9)))
    assert bench.done == []
    bench.run(Config(stt=SttSettings(beam=5)))
    assert "ears" in bench.done


def test_a_model_that_cannot_be_read_is_named_and_the_rest_is_measured(bench: Bench) -> None:
    """With the reason and the remedy; it is tried again the next time."""
    path = bench.wanted["slm"][0].path
    assert path
    path.write_bytes(b"damaged")
    calibrator = bench.run()
    (problem,) = calibrator.problems
    assert (problem.about, problem.what) == ("near", "the file is not what it was")
    assert problem.fix == "mend it"
    assert bench.done == ["speeds", "joe", "ears", "phi-3-mini", "together"]
    path.write_bytes(b"weights")
    bench.done.clear()
    assert not bench.run().problems
    assert bench.done == ["near"]


def test_what_was_measured_is_kept_when_it_is_broken_off(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C costs what was under way."""

    def interrupted(*_: Any) -> Thinking:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(calibrating.thinking, "measured", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bench.run()
    bench.done.clear()
    bench.run()
    assert bench.done == ["near", "phi-3-mini", "together"]


def test_without_a_voice_no_question_can_be_asked_and_that_is_told(bench: Bench) -> None:
    """The recognizer is left to be reckoned; the command that brings a voice is named."""
    silent = Bench({**bench.wanted, "tts": [option("joe", "tts", 1000, here=False)]}, bench.done)
    (problem,) = silent.run().problems
    assert problem.about == "ears"
    assert problem.fix.startswith("edgevoice models pull")
    assert "ears" not in bench.done


def test_stages_that_take_longer_together_are_predicted_to() -> None:
    """What the answers took beside what was predicted of each stage by itself, and then is."""
    models = (thinking("m", 0.05), hearing("r", 0.2), speaking())
    alone = predict(*models, Config(), 2, devices=False)
    longer = {"recognize": 1.5, "prefill": 2.0, "first clause": 2.0, "synthesize": 3.0}
    spans = {name: seconds * longer.get(name, 1.0) for name, seconds in alone.spans.items()}
    took = [BenchTurn(variant="as set", question="q", gap=sum(spans.values()), spans=spans)] * 3
    made = strain(took, alone, ["m", "r", "joe"])
    assert (made.recognize, made.think, made.speak) == pytest.approx((1.5, 2.0, 3.0))
    again = predict(*models, Config(), 2, made, devices=False)
    assert again.spans["recognize"] == pytest.approx(spans["recognize"])
    assert again.spans["prefill"] == pytest.approx(spans["prefill"])
    assert again.gap > alone.gap


def test_too_few_answers_tell_nothing_of_stages_together() -> None:
    """And that is said, with the command that shows why."""
    alone = predict(thinking("m", 0.05), hearing("r", 0.2), speaking(), Config(), 2)
    with pytest.raises(EngineError, match="0 of 5 questions") as told:
        strain(turns(1, questions=0), alone, [])
    assert "bench run" in told.value.remedy


def test_a_part_of_a_shape_is_several_caches_large_and_no_more_than_its_model() -> None:
    """So that it is read from memory, as the model would be."""
    for model in ARCHITECTURES.values():
        made = part_of(model, cache=32 << 20)
        assert min(LEAST, weights_size(model)) <= weights_size(made) < weights_size(model)
        assert weights_size(made) >= CACHES * (32 << 20)
        assert (made.width, made.feed_forward) == (model.width, model.feed_forward)
    assert part_of(small("phi-3-mini")).blocks == 2


def test_a_part_is_a_gguf_file_without_a_tokenizer_and_does_not_stay(tmp_path: Path) -> None:
    """Its tensors are those that its dimensions ask for."""
    made = small("llama-3-8b")
    with written(made, tmp_path) as path, path.open("rb") as file:
        header = read_header(file.read)
        assert 0 <= path.stat().st_size - header.length < ALIGNMENT
        assert header.values["tokenizer.ggml.model"] == "no_vocab"
        assert header.values["llama.vocab_size"] == made.vocabulary
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_finds_no_room_is_told_before_it_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How much it takes, how much is free, and what else would do."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(part.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with (
        pytest.raises(StorageError, match=r"takes .* of disk, 1 KB are free") as told,
        written(small("phi-3-mini"), tmp_path),
    ):
        pass
    assert "edgevoice bench shape phi-3-mini" in told.value.remedy
    assert list(tmp_path.iterdir()) == []


def costs(**found: Any) -> Costs:
    return Costs(calibration(**found), Config())


def test_what_is_not_here_is_reckoned_from_the_nearest_in_size() -> None:
    """Twice the weights take twice as long; and it is told so."""
    near = thinking("near", 0.05, 1_000_000_000)
    made = costs(thinking=(thinking("tiny", 0.01, 100_000_000), near)).thinking(
        option("large", "slm", 2_000_000_000, here=False)
    )
    assert made
    assert made.how == "by size"
    assert made.batches[1][1] == pytest.approx(2 * near.batches[1][1])


def test_a_recognizer_that_is_not_here_is_reckoned_by_its_work() -> None:
    """Whisper's dimensions are known by name: small multiplies more than its size tells."""
    known = costs(hearing=(hearing("whisper-base", 0.2, 145_000_000),))
    tiny = known.hearing(option("whisper-tiny", "stt", 75_000_000, here=False))
    larger = known.hearing(option("whisper-small", "stt", 484_000_000, here=False))
    assert tiny
    assert larger
    assert tiny.how == larger.how == "by size"
    assert tiny.alone < 0.2 < larger.alone


def test_where_nothing_is_here_the_machine_itself_tells_something() -> None:
    """Of every role; a machine twice as fast takes half as long."""
    import msgspec

    fast = msgspec.structs.replace(
        SPEEDS,
        **{f: 2 * getattr(SPEEDS, f) for f in ("memory_all", "float32_one", "float32_all")},
        int8_all=2 * (SPEEDS.int8_all or 0),
    )
    slow_machine, fast_machine = costs(), costs(speeds=fast)
    slm = option("m", "slm", 1_000_000_000, here=False)
    one, other = slow_machine.thinking(slm), fast_machine.thinking(slm)
    assert one
    assert other
    assert one.how == "by the machine's speed"
    assert one.batches[2][1] == pytest.approx(2 * other.batches[2][1])
    ears = option("whisper-base", "stt", 145_000_000, here=False)
    heard, sooner = slow_machine.hearing(ears), fast_machine.hearing(ears)
    assert heard
    assert sooner
    assert heard.alone == pytest.approx(2 * sooner.alone)
    assert slow_machine.speaking(option("joe", "tts", 63_000_000, here=False))


def test_where_nothing_at_all_is_known_nothing_is_made_up() -> None:
    """Neither models nor the machine."""
    nothing = costs(speeds=None)
    assert nothing.thinking(option("m", "slm", 1000)) is None
    assert nothing.hearing(option("whisper-base", "stt", 1000)) is None
    assert nothing.speaking(option("joe", "tts", 1000)) is None


def test_a_shape_stands_for_its_model() -> None:
    """A model that is not here is measured by its shape, or by a part of it."""
    known = costs(thinking=(thinking("phi-3-mini", 0.2, how="part of a shape"),))
    far = replace(option("phi-3.5-mini", "slm", 2_400_000_000, here=False), architecture=PHI)
    made = known.thinking(far)
    assert made
    assert made.how == "part of a shape"
    whole = costs(thinking=(*known.calibration.thinking, thinking("shape-phi-3-mini", 0.3)))
    made = whole.thinking(replace(far, path=Path("shape.gguf"), of_shape=True))
    assert made
    assert made.model == "shape-phi-3-mini"


@pytest.fixture
def empty(tmp_path: Path) -> Config:
    """A folder without any model."""
    return Config(models=Models(folder=str(tmp_path / "models")))


def test_without_being_asked_only_what_can_converse_is_offered(empty: Config) -> None:
    """Ranked language models, one recognizer of each size, one voice in the user's language."""
    found, problems = options(empty)
    assert not problems
    assert [each.name for each in found["slm"]] == [
        *("phi-3-mini", "phi-3.5-mini", "qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b"),
    ]
    assert [each.name for each in found["stt"]] == ["whisper-base", "whisper-small", "whisper-tiny"]
    assert [each.name for each in found["tts"]] == ["en_US-joe-medium"]
    assert not any(each.here or each.path for role in found.values() for each in role)
    assert [each.quantization for each in found["slm"]] == ["Q4_K_M"] * 4
    phi = found["slm"][0].architecture
    assert phi is found["slm"][1].architecture is PHI


def test_a_model_that_is_named_is_offered_whatever_its_rank(empty: Config) -> None:
    """Shapes too; a name that is unknown or of another role is refused."""
    found, _ = options(empty, {"slm": ("smollm2-135m", "mistral-7b", "shape-mistral-7b")})
    assert [each.name for each in found["slm"]] == ["smollm2-135m", *["shape-mistral-7b"] * 2]
    assert len(found["stt"]) == 3
    with pytest.raises(UsageError, match="whisper-base is a model for stt"):
        options(empty, {"slm": ("whisper-base",)})
    with pytest.raises(UsageError, match="did you mean"):
        options(empty, {"slm": ("qwen2.5-coder-1.5",)})


def test_a_damaged_model_is_named_and_counts_as_not_here(empty: Config, tmp_path: Path) -> None:
    """What is wrong, and the command that mends it."""
    entry = Catalog.load().get("en_US-joe-medium")
    for file in entry.files:
        path = tmp_path / "models" / entry.name / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"short")
    found, (problem,) = options(empty)
    assert problem.about == entry.name
    assert "truncated" in problem.what
    assert problem.fix == entry.mend
    assert not found["tts"][0].here

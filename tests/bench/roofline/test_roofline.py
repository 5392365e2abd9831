"""Floors are arithmetic on what a model's file holds and on what the machine was measured to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgevoice.bench.result.device_record import Speeds
from edgevoice.bench.result.result import AS_SET, BenchTurn
from edgevoice.bench.roofline import costs, roofline
from edgevoice.bench.roofline.costs import LanguageModelCosts, UnknownCosts, hearing, thinking
from edgevoice.bench.roofline.roofline import MachineLimits
from edgevoice.engines.piper_parts import open_parts
from edgevoice.models.ct2 import stored
from edgevoice.models.gguf import Header, Weight
from edgevoice.settings import Config, Models, SlmSettings, SttSettings
from tests.engines.voices import RATE, write_voice
from tests.models.ct2_file import model_bin

Q4_K, Q6_K, F32 = 12, 14, 0
LIMITS = MachineLimits(memory=1e9, float32=1e9, int8=4e9, cache=1000)


def header(*weights: Weight, **values: object) -> Header:
    about = {
        "general.architecture": "toy",
        "toy.block_count": 1,
        "toy.embedding_length": 256,
        "toy.attention.head_count": 4,
        "toy.attention.head_count_kv": 2,
        **{f"toy.{key}": value for key, value in values.items()},
    }
    return Header(about, 1, len(weights), weights)


EMBEDDING = Weight("token_embd.weight", (256, 1000), Q4_K)
QUERIES = Weight("blk.0.attn_q.weight", (256, 256), Q4_K)
NORM = Weight("output_norm.weight", (256,), F32)
OUTPUT = Weight("output.weight", (256, 1000), Q6_K)
TOY = thinking(header(EMBEDDING, QUERIES, NORM, OUTPUT))


def turn(**found: Any) -> BenchTurn:
    return msgspec.convert(
        {"variant": AS_SET, "question": "one", "response_time": 1.0, **found}, BenchTurn
    )


def test_a_token_costs_every_tensor_but_the_embedding() -> None:
    """256 · 256 numbers in Q4_K, 256 · 1000 in Q6_K and 256 in float32; two heads' cache."""
    size = 65536 // 256 * 144 + 256_000 // 256 * 210 + 1024
    assert LanguageModelCosts(size, 65536, 256_000, 1 * 2 * 64 * 2 * 2) == TOY


def test_an_embedding_that_is_also_the_output_is_read_whole() -> None:
    """Tied weights have no output matrix of their own."""
    tied = thinking(header(EMBEDDING, QUERIES, NORM))
    assert tied.weights == 65536 // 256 * 144 + 256_000 // 256 * 144 + 1024
    assert (tied.inner, tied.outer) == (65536, 256_000)


def test_of_experts_only_those_that_are_used_count() -> None:
    """Two of eight: a quarter of what is stored is read and multiplied."""
    experts = Weight("blk.0.ffn_up_exps.weight", (256, 256, 8), Q4_K)
    mixture = thinking(
        header(EMBEDDING, QUERIES, NORM, OUTPUT, experts, expert_count=8, expert_used_count=2)
    )
    assert mixture.inner - TOY.inner == 2 * 65536
    assert mixture.weights - TOY.weights == 2 * 65536 // 256 * 144


def test_a_file_of_unknown_tensors_has_no_cost() -> None:
    """Half a sum would be a floor that is none."""
    with pytest.raises(UnknownCosts, match="unknown type"):
        thinking(Header({}, 0, 1, (QUERIES,)))


def test_decoding_is_bound_by_memory() -> None:
    """All weights and the cache of twelve positions at a gigabyte a second, and half of that."""
    least = (TOY.weights + 12 * TOY.cache) / 1e9
    told = turn(prompt_tokens=10, reply_tokens=4, tokens_per_second=1 / (2 * least))
    floor = roofline.decode(LIMITS, TOY, [told])
    assert floor.floor == pytest.approx(least)
    assert floor.measured == pytest.approx(2 * least)
    assert floor.share == pytest.approx(0.5)
    assert (floor.bound, floor.n) == ("memory", 1)


def test_a_prompt_at_once_is_bound_by_arithmetic() -> None:
    """Eight new tokens read the weights once; the output matrix is multiplied once."""
    told = turn(prompt_tokens=10, reused_tokens=2, prefill_rate=10_000.0)
    floor = roofline.prefill(LIMITS, TOY, [told])
    assert floor.floor == pytest.approx(2 * (65536 * 8 + 256_000) / 4e9 / 8)
    assert floor.share == pytest.approx(floor.floor * 10_000.0)
    assert (floor.bound, floor.per) == ("compute", "token, 8 at once")


def test_weights_that_may_stay_in_the_cache_have_no_floor_of_memory() -> None:
    """What memory could do says nothing about what need not be read from it."""
    roomy = MachineLimits(memory=1e9, float32=1e9, int8=4e9, cache=TOY.weights)
    told = turn(prompt_tokens=10, reply_tokens=4, tokens_per_second=1000.0)
    floor = roofline.decode(roomy, TOY, [told])
    assert floor.bound == "compute"
    assert floor.floor == pytest.approx(2 * (65536 + 256_000) / 4e9)


def test_whole_numbers_are_as_fast_as_the_faster_kind() -> None:
    """Where 8-bit products are the slower ones, nobody has to use them."""
    slow = MachineLimits(memory=None, float32=2e9, int8=1e9)
    assert slow.least(0, 2e9) == (1.0, "compute")
    assert slow.least(0, 0, 4e9) == (2.0, "compute")


def test_whisper_is_counted_from_its_own_tensors(tmp_path: Path) -> None:
    """Its first convolution twice; keys and values of what was heard with the encoder; the output
    matrix with the decoder; positions of the clip and of the silence behind it."""
    path = tmp_path / "model.bin"
    path.write_bytes(model_bin())
    model = hearing(stored(path), padding=1.5, window=30.0, full=False)
    assert model.linear == 64 + 64 + 48 + 16 + 32
    assert model.convolved == 2 * 960 + 48
    assert (model.width, model.layers) == (4, 1)
    assert model.decoder == 400 + 16 + 16 + 64 + 64 + 48 + 16
    assert (model.positions(1.0), model.positions(40.0)) == (125, 1500)
    full = hearing(stored(path), padding=1.5, window=30.0, full=True)
    assert full.positions(1.0) == 1500


def test_a_question_is_the_encoder_and_a_token_for_each_word(tmp_path: Path) -> None:
    """Convolutions and attention in float32, the matrices in whole numbers, two words and three
    marks."""
    path = tmp_path / "model.bin"
    path.write_bytes(model_bin())
    model = hearing(stored(path), padding=1.5, window=30.0, full=False)
    told = turn(read_seconds=1.0, stt_rtf=0.01, transcript="Go on.")
    floor = roofline.recognize(LIMITS, model, [told])
    floating = 2 * (1968 * 125 + 2 * 125 * 125 * 4)
    least = floating / 1e9 + 2 * 224 * 125 / 4e9 + 5 * 2 * 624 / 4e9
    assert floor.floor == pytest.approx(least)
    assert floor.measured == pytest.approx(0.01)
    assert (floor.bound, floor.per) == ("compute", "question")


def test_other_files_are_not_taken_for_whisper(tmp_path: Path) -> None:
    """A model of CTranslate2 that has none of its parts."""
    path = tmp_path / "model.bin"
    path.write_bytes(model_bin({"model/layer_0/weight": (4, 4)}))
    with pytest.raises(UnknownCosts, match="Whisper"):
        hearing(stored(path), 1.5, 30.0, False)


@pytest.mark.parametrize("speakers", [1, 3])
def test_a_voice_is_counted_from_the_convolutions_of_its_decoder(
    speakers: int, tmp_path: Path
) -> None:
    """Each layer once for every frame or sample it works on, the speaker's not at all:
    80 + 128 + 4 · 48 + 4 · 28 for a frame of four samples."""
    path = tmp_path / "voice.onnx"
    write_voice(path, speakers=speakers)
    assert open_parts(path, 1) is not None
    assert costs.voice(path) == 2 * (80 + 128 + 4 * 48 + 4 * 28) / 4 * RATE


def test_a_voice_that_was_not_split_has_no_cost(tmp_path: Path) -> None:
    """Nor one whose settings are not there."""
    path = tmp_path / "voice.onnx"
    write_voice(path, decoder="global")
    assert open_parts(path, 1) is None
    with pytest.raises(UnknownCosts, match="split"):
        costs.voice(path)
    with pytest.raises(UnknownCosts, match="settings"):
        costs.voice(tmp_path / "other.onnx")


def test_a_second_of_sound_is_floating() -> None:
    """A hundred million operations at a billion a second, beside a real-time factor of a half."""
    floor = roofline.synthesize(LIMITS, 1e8, [turn(tts_rtf=0.5), turn()])
    assert (floor.floor, floor.share) == (pytest.approx(0.1), pytest.approx(0.2))
    assert (floor.n, floor.per) == (1, "second of sound")


def test_without_turns_there_is_a_floor_and_no_share() -> None:
    """What was never measured is not said to be as fast as it can be."""
    floor = roofline.decode(LIMITS, TOY, [])
    assert floor.floor == pytest.approx(TOY.weights / 1e9)
    assert (floor.measured, floor.share) == (None, None)
    assert floor.why


def test_without_limits_there_is_a_measurement_and_no_floor() -> None:
    """None, and the reason; never a floor of zero."""
    nothing = MachineLimits.of(Speeds(threads=2), None)
    told = turn(prompt_tokens=10, reply_tokens=4, tokens_per_second=100.0)
    floor = roofline.decode(nothing, TOY, [told])
    assert (floor.floor, floor.share, floor.measured) == (None, None, 0.01)
    assert "not measured" in floor.why


def test_a_model_that_cannot_be_counted_is_named_and_the_others_are(tmp_path: Path) -> None:
    """No file of it any more: the reason stands where its floor would."""
    config = Config(models=Models(folder=str(tmp_path)))
    names = {"stt": "whisper-base", "slm": "nobody's model", "vad": "silero-vad"}
    found = roofline.roofline(config, LIMITS, names, [turn()])
    assert [floor.stage for floor in found.floors] == ["recognize", "prefill", "decode"]
    assert all(floor.floor is None and floor.why for floor in found.floors)
    assert "not here" in found.floors[0].why
    assert "nobody's model" in found.floors[1].why


@pytest.mark.models
def test_the_starter_models_are_counted(starter_models: dict[str, Path]) -> None:
    """Whisper base has six layers of 512; the language model is most of its file; the voice makes
    a few billion operations a second of sound."""
    whisper = costs.recognizer(starter_models["stt"], SttSettings())
    assert (whisper.width, whisper.layers) == (512, 6)
    model = costs.language_model(starter_models["slm"], SlmSettings())
    size = starter_models["slm"].stat().st_size
    assert 0.6 * size < model.weights < size
    assert 4e8 < model.inner + model.outer < 7e8
    assert 1e9 < costs.voice(starter_models["tts"]) < 1e11

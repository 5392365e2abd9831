"""Kokoro voices: on a network of four operations, and on the real one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgevoice.engines.kokoro import STYLES, SYMBOLS, Kokoro, speakers, spelled
from edgevoice.engines.kokoro_network import prepared
from edgevoice.engines.onnx import open_model
from edgevoice.errors import ConfigError, ModelError
from edgevoice.settings import TtsSettings
from edgevoice.wav import read_speech
from tests.command import edgevoice
from tests.engines.voices import write_voice

SCALE = 1e-6
"""A sample of the small network is its id times the number of ids in the run times this."""


def write_network(path: Path, tokens: str = "tokens") -> None:
    """A network that gives one sample for each id: the id, times the style, times the speed."""
    nodes = [
        helper.make_node("Cast", [tokens], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["style"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["numbers", "mean"], ["styled"]),
        helper.make_node("Mul", ["styled", "speed"], ["fast"]),
        helper.make_node("Mul", ["fast", "scale"], ["audio"]),
    ]
    inputs = [
        helper.make_tensor_value_info(tokens, TensorProto.INT64, [1, "n"]),
        helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 256]),
        helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
    ]
    output = helper.make_tensor_value_info("audio", TensorProto.FLOAT, None)
    scale = numpy_helper.from_array(np.array([SCALE], dtype=np.float32), "scale")
    graph = helper.make_graph(nodes, "kokoro", inputs, [output], [scale])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8),
        str(path),
    )


def write_quantized(path: Path) -> None:
    """A convolution as onnxruntime's tools quantize it, with a bias, and sums of durations."""
    weights = np.random.default_rng(1).integers(0, 255, (3, 2, 3)).astype(np.uint8)
    constants = {
        "w": weights,
        "w_zero": np.array(128, dtype=np.uint8),
        "w_scale": np.array([0.01], dtype=np.float32),
        "bias": np.array([[[40], [0], [-40]]], dtype=np.int32),
        "least": np.array(0.0, dtype=np.float32),
        "first": np.array(0),
    }
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["sound"], ["x", "x_scale", "x_zero"]),
        helper.make_node("Mul", ["x_scale", "w_scale"], ["scale"]),
        helper.make_node("ConvInteger", ["x", "w", "x_zero", "w_zero"], ["sum"], pads=[1, 1]),
        helper.make_node("Add", ["sum", "bias"], ["biased"]),
        helper.make_node("Cast", ["biased"], ["whole"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["whole", "scale"], ["audio"]),
        helper.make_node("Round", ["lengths"], ["rounded"]),
        helper.make_node("Clip", ["rounded", "least"], ["clipped"]),
        helper.make_node("Cast", ["clipped"], ["frames"], to=TensorProto.INT64),
        helper.make_node("Gather", ["frames", "first"], ["durations"]),
        helper.make_node("CumSum", ["durations", "first"], ["totals"]),
    ]
    inputs = [
        helper.make_tensor_value_info("sound", TensorProto.FLOAT, [1, 2, "n"]),
        helper.make_tensor_value_info("lengths", TensorProto.FLOAT, [1, "ids"]),
    ]
    output = helper.make_tensor_value_info("audio", TensorProto.FLOAT, None)
    known = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "quantized", inputs, [output], known)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8),
        str(path),
    )


def styles(times: int = 1) -> np.ndarray:
    """A speaker whose style for n ids is n everywhere, times a number of its own."""
    rows = np.arange(1, STYLES + 1, dtype=np.float32) * times
    return np.repeat(rows[:, None], 256, axis=1)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A voice with the speakers jf_one and jm_two."""
    path = tmp_path / "kokoro.onnx"
    write_network(path)
    np.savez(tmp_path / "voices.npz", jf_one=styles()[:, None], jm_two=styles(2)[:, None])
    return path


def ids(voice: Kokoro, text: str) -> list[list[int]]:
    """The ids that were run for `text`, by the samples of the small network."""
    found = []
    for piece in voice.synthesize(text, lambda: False):
        count = len(piece.samples) - 2
        found.append(np.round(piece.samples / SCALE / count).astype(int).tolist())
    return found


def test_a_clause_becomes_ids_between_two_zeros(network: Path) -> None:
    """They are those of espeak-ng's phonemes, with a diphthong as one symbol."""
    voice = Kokoro(network, TtsSettings())
    assert ids(voice, "Hi.") == [[0, *(SYMBOLS[symbol] for symbol in "hˈI."), 0]]
    assert voice.rate == 24_000


@pytest.mark.parametrize(
    ("theirs", "ours"), [("tʃˈeɪndʒ", "ʧˈAnʤ"), ("bˈɜːɹd", "bˈɜɹd"), ("ɡˈoʊ", "ɡˈO")]
)
def test_phonemes_are_written_as_the_network_learned_them(theirs: str, ours: str) -> None:
    """espeak-ng writes them in another way."""
    assert spelled(list(theirs)) == ours


def test_each_sentence_is_a_piece(network: Path) -> None:
    """The first one is heard before the second is made; without words there is none."""
    voice = Kokoro(network, TtsSettings())
    assert len(ids(voice, "One is here. Two is there.")) == 2
    assert ids(voice, "…") == []
    answers = iter([False, False, True])
    text = "One is here. Two is there."
    assert len(list(voice.synthesize(text, lambda: next(answers)))) == 1


def test_a_long_sentence_is_cut_where_the_network_ends(network: Path) -> None:
    """There is no style for more phonemes."""
    found = ids(Kokoro(network, TtsSettings()), "word " * 200)
    assert len(found) > 1
    assert all(len(each) <= STYLES + 2 for each in found)


def test_the_speed_reaches_the_network(network: Path) -> None:
    """tts.speed is a factor."""
    slow, fast = (
        next(Kokoro(network, TtsSettings(speed=speed)).synthesize("Hi.", lambda: False)).samples
        for speed in (1.0, 2.0)
    )
    assert fast == pytest.approx(2 * slow, rel=1e-3)


def test_the_speaker_is_chosen_by_name(network: Path) -> None:
    """Without a name it is the first one; an unknown name is refused with those there are."""
    assert speakers(network.parent) == ["jf_one", "jm_two"]
    one, two = (
        next(Kokoro(network, TtsSettings(), name).synthesize("Hi.", lambda: False)).samples
        for name in ("", "jm_two")
    )
    assert two == pytest.approx(2 * one, rel=1e-3)
    with pytest.raises(ConfigError, match="jf_one, jm_two"):
        Kokoro(network, TtsSettings(), "af_heart")


def test_the_hubs_files_are_read_as_well(tmp_path: Path) -> None:
    """There the ids have another name, and each speaker has a file."""
    path = tmp_path / "model_quantized.onnx"
    write_network(path, "input_ids")
    for name in ("af_bella", "af_heart", "bf_emma"):
        styles().tofile(tmp_path / f"{name}.bin")
    assert speakers(tmp_path) == ["af_heart", "af_bella", "bf_emma"]
    american, british = (Kokoro(path, TtsSettings(), name) for name in ("", "bf_emma"))
    assert ids(american, "Hi.") == ids(british, "Hi.")
    assert ids(american, "Go far.") != ids(british, "Go far.")


@pytest.mark.parametrize("content", [b"", b"not styles", b"\0" * 4096])
@pytest.mark.parametrize("name", ["af_heart.bin", "voices.npz"])
def test_damaged_styles_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    """The message says which command brings them again."""
    write_network(tmp_path / "kokoro.onnx")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError) as error:
        Kokoro(tmp_path / "kokoro.onnx", TtsSettings())
    assert "models pull" in error.value.remedy


def test_another_network_is_refused(network: Path) -> None:
    """A Piper voice has other inputs."""
    write_voice(network)
    with pytest.raises(ModelError, match="not a Kokoro model"):
        Kokoro(network, TtsSettings())


def test_a_network_without_durations_tells_no_word_times(network: Path) -> None:
    """Playback then estimates them, as for a Piper voice that tells none."""
    (piece,) = Kokoro(network, TtsSettings()).synthesize("Hi.", lambda: False)
    assert piece.marks is None


def test_quantized_convolutions_run_in_floating_point(tmp_path: Path) -> None:
    """The sums are the same but for what quantizing the input loses; one output more has times."""
    path = tmp_path / "quantized.onnx"
    write_quantized(path)
    network = prepared(path)
    nodes = onnx.load_from_string(network.model).graph.node
    assert "ConvInteger" not in {node.op_type for node in nodes}
    sound = np.random.default_rng(0).standard_normal((1, 2, 30), dtype=np.float32)
    feed = {"sound": sound, "lengths": np.array([[1.4, 2.6, 0.0]], dtype=np.float32)}
    (before,) = open_model(str(path), 1).run(["audio"], feed)
    after, ends = open_model(network.model, 1).run([network.audio, network.ends], feed)
    assert after == pytest.approx(before, abs=0.05)
    assert ends.tolist() == [1, 4, 4]


@pytest.mark.models
def test_the_words_are_where_the_network_says(model_path: Callable[[str], Path]) -> None:
    """Each word has its time, in order, within the sound, and is heard there."""
    voice = Kokoro(model_path("kokoro-82m-ja"), TtsSettings())
    text = "One, and then a very long word."
    (piece,) = voice.synthesize(text, lambda: False)
    marks = piece.marks or ()
    assert [text[mark.begin : mark.end] for mark in marks] == text.split()
    times = [time for mark in marks for time in (mark.start, mark.stop)]
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] <= len(piece.samples)
    quiet = piece.samples[: marks[0].start - 1200]
    assert np.abs(quiet).max() < 0.05


@pytest.mark.models
def test_what_it_says_is_understood(tmp_path: Path) -> None:
    """The transcriber hears the words that `say` speaks."""
    out = tmp_path / "out.wav"
    words = ("say", "--tts", "kokoro-82m-ja", "--voice", "jf_alpha", "-o", out)
    done = edgevoice(*words, "The capital of France is Paris.")
    assert done.returncode == 0, done.stderr
    assert len(read_speech(str(out)))
    heard = edgevoice("transcribe", out).stdout
    assert "capital of France is Paris" in heard

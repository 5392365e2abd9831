"""Tiny Piper voices for tests: a few layers of random weights, shaped like the real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WIDTH = 4
"""Channels of everything in it."""
HOP = 4
"""Samples a frame."""
FRAMES = 3
"""Frames an id is spoken for."""
RATE = 400


def frames_of(number: int) -> int:
    """How many frames the id `number` is spoken for by a voice that times each."""
    return 1 + number % 7


def write_voice(
    path: Path,
    *,
    speakers: int = 1,
    decoder: str = "local",
    seed: int = 0,
    timing: str = "fixed",
) -> dict[str, object]:
    """Write a voice and its settings; returns the settings.

    Its decoder is `local` as in Piper's voices, `global` (every sample depends on all frames) or
    `textual` (it wants the ids too). With `timing` "each", each id has a length of its own, as in
    Piper's voices: `frames_of` it. With "other", it adds up numbers that are no such thing.
    """
    rng = np.random.default_rng(seed)
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []

    def weight(name: str, array: NDArray[np.generic]) -> str:
        weights.append(numpy_helper.from_array(array, name))
        return name

    def floats(name: str, *shape: int) -> str:
        return weight(name, rng.standard_normal(shape, dtype=np.float32) / 2)

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=f"n{len(nodes)}", **attributes))
        return output

    # ids [1, n] → [1, WIDTH, n · FRAMES], with noise, and longer with a higher length scale
    table = floats("table", 50, WIDTH)
    looked = node("Gather", [table, "input"], "looked")
    turned = node("Transpose", [looked], "turned", perm=[0, 2, 1])
    length = node("Gather", ["scales", weight("one", np.array([1]))], "length")
    ones = weight("ones", np.ones(2, dtype=np.float32))
    each = weight("each", np.array([FRAMES], dtype=np.float32))
    times = node("Mul", [length, each], "times")
    if timing == "each":
        own = weight("own", np.array([frames_of(n) for n in range(50)], dtype=np.float32))
        exact = node("Mul", [node("Gather", [own, "input"], "owned"), length], "exact")
        ends = node(
            "CumSum", [node("Ceil", [exact], "spoken"), weight("along", np.array(1))], "ends"
        )
        total = node("ReduceMax", [ends], "total", keepdims=0)
        zero, step = (weight(n, np.array(v, dtype=np.float32)) for n, v in (("0", 0), ("1", 1)))
        frame = node("Unsqueeze", [node("Range", [zero, total, step], "all"), "one"], "frame")
        passed = node("Cast", [node("LessOrEqual", [ends, frame], "le")], "p", to=TensorProto.INT64)
        which = node("ReduceSum", [passed, "one"], "which", keepdims=0)
        long = node("Gather", [turned, which], "long", axis=2)
    else:
        stretch = node("Concat", [ones, times], "stretch", axis=0)
        if timing == "other":
            half = node("Ceil", [times], "odd")
            node("CumSum", [half, weight("along", np.array(0))], "sum")
            stretch = node("Concat", [ones, node("Min", ["sum", times], "least")], "strc", axis=0)
        long = node("Resize", [turned, "", stretch], "long", mode="nearest")
    noise = node("RandomNormalLike", [long], "noise", seed=1.0)
    loud = node("Gather", ["scales", weight("nought", np.array([0]))], "loud")
    latent = node("Add", [long, node("Mul", [noise, loud], "noisy")], "z")
    if decoder == "global":
        latent = node("Mul", [latent, weight("half", np.array([0.5], dtype=np.float32))], "z2")

    hidden = node("Conv", [latent, floats("pre", WIDTH, WIDTH, 5)], "c0", pads=[2, 2])
    if speakers > 1:
        who = node("Gather", [floats("who", speakers, WIDTH), "sid"], "who_")
        tall = node("Unsqueeze", [who, weight("last", np.array([2]))], "tall")
        hidden = node("Add", [hidden, node("Conv", [tall, floats("cond", WIDTH, WIDTH, 1)], "c1")],
                      "c2")  # fmt: skip
    if decoder == "global":
        mean = node("ReduceMean", [hidden], "mean", axes=[2], keepdims=1)
        hidden = node("Add", [hidden, mean], "c3")
    up = node("ConvTranspose", [node("LeakyRelu", [hidden], "r0"), floats("up", WIDTH, WIDTH, 8)],
              "u0", strides=[HOP], pads=[2, 2])  # fmt: skip
    deep = node("Conv", [node("LeakyRelu", [up], "r1"), floats("res", WIDTH, WIDTH, 3)], "u1",
                pads=[3, 3], dilations=[3])  # fmt: skip
    if decoder == "textual":
        count = node("Cast", ["input_lengths"], "count", to=TensorProto.FLOAT)
        deep = node("Mul", [deep, count], "u2")
    post = node("Conv", [node("Add", [up, deep], "u3"), floats("post", 1, WIDTH, 7)], "p0",
                pads=[3, 3])  # fmt: skip
    node("Unsqueeze", [node("Tanh", [post], "p1"), weight("axis", np.array([1]))], "output")

    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, ["batch", "ids"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ["batch"]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if speakers > 1:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, ["batch"]))
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "voice", inputs, [output], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.save(model, str(path))
    settings: dict[str, object] = {
        "audio": {"sample_rate": RATE},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.0, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "text",
        "num_symbols": 50,
        "num_speakers": speakers,
        "phoneme_id_map": {
            **{sign: [n] for n, sign in enumerate("_^$ .,")},
            **{chr(ord("a") + n): [6 + n] for n in range(26)},
        },
    }
    path.with_name(path.name + ".json").write_text(json.dumps(settings), "utf-8")
    return settings

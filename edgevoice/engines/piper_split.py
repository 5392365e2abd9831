"""Split a Piper voice in two: text → latent frames → sound.

Piper's voices end in a decoder that depends on only a few frames to either side, so it can run on
a few frames at a time. Its start is found by its transposed convolutions, which turn frames into
samples; names are not used.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.utils import Extractor

from edgevoice.audio import Samples
from edgevoice.engines.onnx import OnnxModel

_log = logging.getLogger(__name__)

MAX_CONTEXT = 40
"""Maximum frames of context to either side; with more, running in pieces does not pay."""
TOLERANCE = 1e-5
"""Maximum difference of a sample between a run in pieces and a whole run."""

_RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
_TEXT = {"input", "input_lengths", "scales"}
_SPEAKER = "sid"


class NotSplittable(Exception):
    """Why a voice must be run whole."""


@dataclass(frozen=True, slots=True)
class Halves:
    """A voice as two ONNX models; `latent` names the tensor of frames between them.

    `durations` names the encoder's output that probably is the number of frames of each id.
    """

    encoder: bytes
    decoder: bytes
    latent: str
    durations: str


@dataclass(frozen=True, slots=True)
class Reach:
    """The measured dependence of a decoder's samples on its frames.

    Each frame makes `hop` samples, which depend on it and on up to `context` frames to either side.
    `timed` means that the encoder's durations add up to its frames.
    """

    hop: int
    context: int
    timed: bool = False


def halve(path: str) -> Halves:
    """Split the voice in the ONNX file at `path`. Raises NotSplittable."""
    try:
        model = onnx.load(path)
        graph = _Graph(model.graph)
        latent = graph.latent()
        before, after = graph.inputs_of(latent, stop=""), graph.inputs_of(graph.output, latent)
        if after - {_SPEAKER}:
            raise NotSplittable(f"its decoder wants {', '.join(sorted(after))}")
        durations = graph.durations(latent)
        outputs = [latent, durations] if durations else [latent]
        known = {info.name for info in model.graph.value_info}
        for name in set(outputs) - known:
            info = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
            model.graph.value_info.append(info)
        extractor = Extractor(model)
        encoder = extractor.extract_model(sorted(before), outputs)
        decoder = extractor.extract_model([latent, *sorted(after)], [graph.output])
        return Halves(encoder.SerializeToString(), decoder.SerializeToString(), latent, durations)
    except NotSplittable:
        raise
    except Exception as error:  # onnx's exceptions have no common base of their own
        raise NotSplittable(f"{type(error).__name__}: {error}") from error


class _Graph:
    def __init__(self, graph: onnx.GraphProto) -> None:
        self.output = graph.output[0].name
        self._weights = {weight.name for weight in graph.initializer}
        self._inputs = {given.name for given in graph.input} - self._weights
        self._made_by = {name: node for node in graph.node for name in node.output if name}

    def latent(self) -> str:
        """The name of the frames that the decoder turns into sound."""
        up = [node for node in self._before([self.output]) if node.op_type == "ConvTranspose"]
        first = [
            node
            for node in up
            if not any(n.op_type == "ConvTranspose" for n in self._before(node.input))
        ]
        if len(first) != 1:
            raise NotSplittable(f"{len(first)} of its layers are the first to make samples")
        # Back to the convolution that the frames enter; a speaker embedding may be added there.
        entries = {
            name
            for name in self._entries(first[0].input[0])
            if self.inputs_of(name, stop="") & _TEXT
        }
        if len(entries) != 1:
            raise NotSplittable(f"its decoder has {len(entries)} entries")
        latent = entries.pop()
        if any(node.op_type in _RANDOM for node in self._before([self.output], latent)):
            raise NotSplittable("its decoder is random")
        return latent

    def durations(self, latent: str) -> str:
        """The name of the probable durations: whole numbers summed up on the way to `latent`.

        Empty if there are none or several.
        """
        nodes = self._before([latent])
        added = {node.input[0] for node in nodes if node.op_type == "CumSum"}
        found = [node.output[0] for node in nodes if node.op_type == "Ceil"]
        whole = [name for name in found if name in added]
        return whole[0] if len(whole) == 1 else ""

    def inputs_of(self, name: str, stop: str) -> set[str]:
        """The model's inputs on which `name` depends other than through `stop`."""
        nodes = self._before([name], stop)
        return {i for node in nodes for i in node.input if i != stop} & self._inputs

    def _entries(self, name: str) -> Iterator[str]:
        node = self._made_by.get(name)
        if node is None or name in self._weights:
            return
        if node.op_type == "Conv":
            yield node.input[0]
        else:
            for each in node.input:
                yield from self._entries(each)

    def _before(self, names: Iterable[str], stop: str = "") -> list[onnx.NodeProto]:
        """The nodes that `names` depend on, other than through `stop`."""
        found: list[onnx.NodeProto] = []
        seen, waiting = {stop}, list(names)
        while waiting:
            name = waiting.pop()
            node = self._made_by.get(name)
            if name in seen or node is None:
                continue
            seen.update(node.output)
            found.append(node)
            waiting.extend(node.input)
        return found


def reach(encoder: OnnxModel, decoder: OnnxModel, latent: str, durations: str = "") -> Reach:
    """The decoder's hop and context, found by running it.

    Raises NotSplittable if a sample depends on distant frames, or if pieces do not give the sound
    of a whole run.
    """
    given: dict[str, Any] = {
        "input": np.zeros((1, 12), dtype=np.int64),
        "input_lengths": np.array([12], dtype=np.int64),
        "scales": np.array([0.667, 1.0, 0.8], dtype=np.float32),
        _SPEAKER: np.zeros(1, dtype=np.int64),
    }
    wanted = [latent, durations] if durations else [latent]
    few, *outputs = encoder.run(wanted, {i.name: given[i.name] for i in encoder.get_inputs()})
    timed = bool(outputs) and outputs[0].size == 12 and int(outputs[0].sum()) == few.shape[2]
    also = {i.name: given[i.name] for i in decoder.get_inputs() if i.name != latent}
    size = 2 * MAX_CONTEXT + 3
    frames = np.tile(few, (1, 1, -(-size // few.shape[2])))[:, :, :size]

    def sound(part: NDArray[Any]) -> Samples:
        return np.asarray(decoder.run(None, {latent: part, **also})[0]).reshape(-1)

    whole = sound(frames)
    hop, rest = divmod(len(whole), size)
    if rest or not hop:
        raise NotSplittable(f"{size} frames make {len(whole)} samples")
    middle = size // 2
    other = frames.copy()
    other[:, :, middle] += 1.0
    changed = np.flatnonzero(sound(other) != whole) // hop
    if not len(changed):
        raise NotSplittable("its decoder does not hear its frames")
    context = int(max(middle - changed[0], changed[-1] - middle))
    if context > MAX_CONTEXT - 1:
        raise NotSplittable("each of its samples depends on all frames")
    cut = middle + 1
    first = sound(frames[:, :, : cut + context])[: cut * hop]
    start = max(0, cut - context)
    second = sound(frames[:, :, start:])[(cut - start) * hop :]
    error = float(np.abs(np.concatenate([first, second]) - whole).max())
    if not error <= TOLERANCE:
        raise NotSplittable(f"in pieces its sound differs by {error:.1g}")
    _log.debug("split: %d samples a frame, context of %d frames", hop, context)
    return Reach(hop, context, timed)


def products(path: str) -> float | None:
    """Multiplications per sample in a decoder's convolutions; None if the graph does not show it.

    Each weight is used once for every output frame of its layer; in a transposed convolution, once
    for every input frame.
    """
    try:
        graph = onnx.load(path).graph
    except Exception as error:  # protobuf's errors have no common base of their own
        _log.debug("%s cannot be read as a graph: %r", path, error)
        return None
    sizes = {weight.name: float(np.prod(weight.dims)) for weight in graph.initializer}
    # The speaker embedding is the same for all frames.
    density = {g.name: float(g.name != _SPEAKER) for g in graph.input if g.name not in sizes}
    total = 0.0
    for node in graph.node:  # each after those that it needs
        frames = max((density[name] for name in node.input if name in density), default=None)
        if frames is None:
            continue
        if node.op_type in ("Conv", "ConvTranspose"):
            weight = sizes.get(node.input[1])
            if weight is None:
                return None
            strides = next((a.ints for a in node.attribute if a.name == "strides"), [1])
            total += weight * frames
            if node.op_type == "ConvTranspose":
                frames *= float(np.prod(strides))
            elif any(stride != 1 for stride in strides):
                return None
        density.update((name, frames) for name in node.output)
    samples = density.get(graph.output[0].name)
    return total / samples if samples and total else None

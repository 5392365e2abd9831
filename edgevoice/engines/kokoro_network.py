"""A Kokoro network as onnxruntime runs it faster, with the time of each phoneme.

The published networks are quantized. onnxruntime takes two and a half times as long for their
convolutions as for the same ones in floating point (kokoro-2026-11). So each is replaced, with its
weights expanded when the network is loaded.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper


@dataclass(frozen=True, slots=True)
class Network:
    """A network as ONNX, and the names of its outputs.

    `ends` has the number of frames up to the end of each id; empty if there is no such output.
    """

    model: bytes
    audio: str
    ends: str


def prepared(path: Path) -> Network:
    """The network in the file at `path`. Raises what onnx raises."""
    model = onnx.load(str(path))
    graph = model.graph
    rewriting = _Rewriting(graph)
    nodes = [each for node in graph.node for each in rewriting.instead_of(node)]
    ends = rewriting.ends()
    del graph.node[:]
    graph.node.extend(nodes)
    audio = graph.output[0].name
    if ends:
        graph.output.append(helper.make_tensor_value_info(ends, TensorProto.INT64, None))
    return Network(model.SerializeToString(), audio, ends)


class _Rewriting:
    def __init__(self, graph: onnx.GraphProto) -> None:
        self._weights = {weight.name: weight for weight in graph.initializer}
        self._made_by = {name: node for node in graph.node for name in node.output}
        self._users: dict[str, list[NodeProto]] = defaultdict(list)
        for node in graph.node:
            for name in node.input:
                self._users[name].append(node)
        self._replaced: dict[str, list[NodeProto]] = {}
        """The output of each node that is not needed any more, and what comes in its place."""
        for node in graph.node:
            if node.op_type == "ConvInteger":
                self._replace(node)

    def instead_of(self, node: NodeProto) -> list[NodeProto]:
        """The nodes in the place of `node`: mostly itself."""
        return self._replaced.get(node.output[0], [node])

    def ends(self) -> str:
        """The name of the sums of the rounded durations; empty if there are none or several."""
        sums = (node for node in self._made_by.values() if node.op_type == "CumSum")
        found = [node.output[0] for node in sums if self._is_rounded(node.input[0])]
        return found[0] if len(found) == 1 else ""

    def _is_rounded(self, name: str) -> bool:
        while (node := self._made_by.get(name)) and node.op_type in ("Gather", "Cast", "Clip"):
            name = node.input[0]
        return node is not None and node.op_type == "Round"

    def _replace(self, conv: NodeProto) -> None:
        """Compute float(convolution of integers + bias) · scale with numbers that are not scaled.

        A convolution in another surrounding stays.
        """
        quantized, weight, _, zero = conv.input
        source = self._made_by[quantized]
        node, dropped, bias = self._only_user(conv), [conv], ""
        if node and node.op_type == "Add":
            bias = next(name for name in node.input if name != conv.output[0])
            dropped.append(node)
            node = self._only_user(node)
        if not node or node.op_type != "Cast":
            return
        scaled = self._only_user(node)
        dropped.append(node)
        if not scaled or scaled.op_type != "Mul" or source.op_type != "DynamicQuantizeLinear":
            return
        scale = next(name for name in scaled.input if name != node.output[0])
        scales = self._made_by[scale].input if scale in self._made_by else []
        own = [name for name in scales if name in self._weights]
        known = {weight, zero} <= self._weights.keys() and len(own) == 1
        if not known or numpy_helper.to_array(self._weights[zero]).size != 1:
            return
        out = scaled.output[0]
        # These depend on constants only, so onnxruntime computes them once, when it loads them.
        made = [
            helper.make_node("Cast", [weight], [f"{out}/w"], to=TensorProto.FLOAT),
            helper.make_node("Cast", [zero], [f"{out}/zero"], to=TensorProto.FLOAT),
            helper.make_node("Sub", [f"{out}/w", f"{out}/zero"], [f"{out}/centred"]),
            helper.make_node("Mul", [f"{out}/centred", own[0]], [f"{out}/weight"]),
        ]
        last = f"{out}/conv" if bias else out
        float_conv = helper.make_node("Conv", [source.input[0], f"{out}/weight"], [last])
        float_conv.attribute.extend(conv.attribute)
        made.append(float_conv)
        if bias:
            made += [
                helper.make_node("Cast", [bias], [f"{out}/whole"], to=TensorProto.FLOAT),
                helper.make_node("Mul", [f"{out}/whole", scale], [f"{out}/bias"]),
                helper.make_node("Add", [last, f"{out}/bias"], [out]),
            ]
        self._replaced |= {each.output[0]: [] for each in dropped} | {out: made}

    def _only_user(self, node: NodeProto) -> NodeProto | None:
        users = self._users[node.output[0]]
        return users[0] if len(users) == 1 else None

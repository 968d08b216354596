"""The bytes of an ONNX file: a graph, its input and outputs, and the metadata, checked.

No other module but the converter for skl2onnx imports onnx.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ..nn import Sequential
from ..utils.version import library_version
from .onnx_graph import Node, OnnxGraph, Output

OPSET = 17
IR_VERSION = 8
MAX_BYTES = 2**31 - 1
"""Of a message of protobuf."""
BATCH = "batch"
"""The name of the free number of rows."""


def content_of(
    graph: OnnxGraph,
    model: Sequential,
    outputs: Sequence[Output],
    names: Mapping[str, Sequence[str] | None],
) -> bytes:
    """Return a valid ONNX file.

    Parameters
    ----------
    graph : OnnxGraph
        The operators and constants.
    model : Sequential
        What they compute.
    outputs : sequence of Output
        The results.
    names : mapping of str to sequence of str or None
        Names of features and classes, for the metadata.

    Returns
    -------
    bytes
        The same for the same arguments.

    Raises
    ------
    ValueError
        If the graph is not valid ONNX, and for a file above 2 GB.
    """
    size = sum(array.nbytes for array in graph.constants.values())
    if size > MAX_BYTES:
        raise ValueError(
            f"model: expected parameters of at most {MAX_BYTES:,} bytes, which an ONNX file holds, "
            f"found {size:,}"
        )
    proto = helper.make_model(
        _graph_proto(graph, model.n_inputs, outputs),
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="minilayer",
        producer_version=library_version(),
    )
    helper.set_model_props(proto, _metadata(model, names))
    content: bytes = proto.SerializeToString(deterministic=True)
    try:
        onnx.checker.check_model(content, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        found = " ".join(str(error).split())  # one line
        raise ValueError(
            f"model: expected layers whose to_onnx gives a valid graph, found: {found}"
        ) from error
    return content


def _graph_proto(graph: OnnxGraph, n_inputs: int, outputs: Sequence[Output]) -> onnx.GraphProto:
    renamed = {output.value: output.name for output in outputs}
    return helper.make_graph(
        [_node_proto(node, renamed) for node in graph.nodes],
        "minilayer",
        [_value_info(graph.INPUT, graph.dtype, (n_inputs,))],
        [_value_info(output.name, output.dtype, output.columns) for output in outputs],
        [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )


def _node_proto(node: Node, renamed: Mapping[str, str]) -> onnx.NodeProto:
    inputs = [renamed.get(name, name) for name in node.inputs]
    proto = helper.make_node(
        node.operator, inputs, [renamed.get(node.output, node.output)], name=node.output
    )
    for name, value in sorted(node.attributes.items()):
        proto.attribute.append(helper.make_attribute(name, value))
    return proto


def _value_info(name: str, dtype: np.dtype[Any], columns: tuple[int, ...]) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(dtype)
    return helper.make_tensor_value_info(name, kind, [BATCH, *columns])


def _metadata(model: Sequential, names: Mapping[str, Sequence[str] | None]) -> dict[str, str]:
    """Return the texts of the file: plain, or JSON for lists."""
    return {
        "minilayer_version": library_version(),
        "layers": json.dumps([repr(layer) for layer in model.layers]),
        **{what: json.dumps(given, ensure_ascii=False) for what, given in names.items() if given},
    }

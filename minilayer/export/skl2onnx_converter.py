"""The estimators in pipelines that skl2onnx converts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..utils.extras import require
from .onnx_graph import OnnxGraph, Output
from .onnx_outputs import add_model


def register_skl2onnx() -> None:
    """Let skl2onnx convert pipelines with minilayer's MLPClassifier and MLPRegressor.

    Call it once before ``skl2onnx.to_onnx``. The options are those of scikit-learn's classifiers,
    such as ``options={"zipmap": False}`` for probabilities as one array.

    Raises
    ------
    ImportError
        If the extra ``skl2onnx`` is not installed.

    Examples
    --------
    >>> import skl2onnx
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from minilayer.estimators import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier((10,), "tanh", alpha=1.0, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), network)
    >>> register_skl2onnx()
    >>> proto = skl2onnx.to_onnx(pipeline.fit(X, y), X[:1], options={"zipmap": False})
    >>> [output.name for output in proto.graph.output]
    ['label', 'probabilities']
    """
    skl2onnx = require("skl2onnx", "skl2onnx")
    from ..estimators import MLPClassifier, MLPRegressor

    classifier_options = {
        "zipmap": [True, False, "columns"],
        "output_class_labels": [False, True],
        "nocl": [False],  # skl2onnx asks for it
    }
    for kind, options in ((MLPClassifier, classifier_options), (MLPRegressor, None)):
        skl2onnx.update_registered_converter(
            kind, f"Minilayer{kind.__name__}", _set_shapes, _convert, options=options
        )


def _graph_of(operator: Any) -> tuple[OnnxGraph, list[Output]]:
    """Return the graph of an estimator, in float64 if its input is."""
    is_double = type(operator.inputs[0].type).__name__ == "DoubleTensorType"
    graph = OnnxGraph(np.float64 if is_double else np.float32)
    return graph, add_model(graph, operator.raw_operator)


def _set_shapes(operator: Any) -> None:
    """Set the types of the outputs: skl2onnx calls it before ``_convert``."""
    from skl2onnx.common import data_types

    kinds = {
        "float64": data_types.DoubleTensorType,
        "float32": data_types.FloatTensorType,
        "int64": data_types.Int64TensorType,
        "object": data_types.StringTensorType,
    }
    rows = operator.inputs[0].get_first_dimension()
    for output, variable in zip(_graph_of(operator)[1], operator.outputs, strict=True):
        variable.set_type(kinds[output.dtype.name]([rows, *output.columns]))


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the operators and constants to skl2onnx's container, under names that it chooses."""
    from onnx.helper import np_dtype_to_tensor_dtype

    graph, outputs = _graph_of(operator)
    (given,) = operator.inputs
    names = {graph.INPUT: given.full_name}
    if type(given.type).__name__ not in ("DoubleTensorType", "FloatTensorType"):
        names[graph.INPUT] = scope.get_unique_variable_name("X")
        number = np_dtype_to_tensor_dtype(graph.dtype)
        container.add_node("Cast", [given.full_name], [names[graph.INPUT]], to=number)
    for output, variable in zip(outputs, operator.outputs, strict=True):
        names[output.value] = variable.full_name
    for name, array in graph.constants.items():
        names[name] = scope.get_unique_variable_name(name)
        number = np_dtype_to_tensor_dtype(array.dtype)
        container.add_initializer(names[name], number, array.shape, array.ravel().tolist())
    for node in graph.nodes:
        if node.output not in names:
            names[node.output] = scope.get_unique_variable_name(node.output)
        container.add_node(
            node.operator,
            [names[name] for name in node.inputs],
            [names[node.output]],
            name=scope.get_unique_operator_name(node.output),
            **node.attributes,
        )

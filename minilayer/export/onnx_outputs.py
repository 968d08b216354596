"""The outputs of an ONNX file: Y; label and probabilities of a classifier."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..nn import Sequential
from ..utils.checks import short_repr
from ..utils.types import Array
from .onnx_graph import OnnxGraph, Output
from .onnx_layers import add_layers

if TYPE_CHECKING:
    from ..estimators import MLPClassifier, MLPRegressor

Model: TypeAlias = "Sequential | MLPClassifier | MLPRegressor"
Names: TypeAlias = tuple[str, ...]
INT64 = 7
"""ONNX's number of the type."""


def network_of(model: Model) -> Sequential:
    """Return the network of a fitted estimator, or the network itself; TypeError for others."""
    if isinstance(model, Sequential):
        return model
    with suppress(ImportError):  # without scikit-learn nothing is an estimator
        from ..estimators import MLPClassifier, MLPRegressor

        if isinstance(model, MLPClassifier | MLPRegressor):
            return model.model_
    raise TypeError(
        "model: expected a Sequential, MLPClassifier or MLPRegressor of minilayer, found "
        f"{short_repr(model)}: for pipelines use skl2onnx after register_skl2onnx()"
    )


def names_of(model: Model) -> tuple[Names | None, Names | None]:
    """Return a model's names of features and of classes, None for those that it has not."""
    if isinstance(model, Sequential):
        return model.feature_names, model.class_names
    features, classes = (vars(model).get(name) for name in ("feature_names_in_", "classes_"))
    return (
        None if features is None else tuple(map(str, features)),
        None if classes is None else tuple(map(str, classes)),
    )


def add_model(graph: OnnxGraph, model: Model) -> list[Output]:
    """Add a network or a fitted estimator to a graph.

    Parameters
    ----------
    graph : OnnxGraph
        The graph.
    model : Sequential, MLPClassifier or MLPRegressor
        The model.

    Returns
    -------
    list of Output
        Y, or label and probabilities.
    """
    if not isinstance(model, Sequential):
        from ..estimators import MLPClassifier

        if isinstance(model, MLPClassifier):
            return _add_classifier(graph, model)
    network = network_of(model)
    return [Output("Y", add_layers(graph, network), (network.n_outputs,), graph.dtype)]


def _add_classifier(graph: OnnxGraph, classifier: MLPClassifier) -> list[Output]:
    network = classifier.model_
    scores = add_layers(graph, network)
    graph.begin("output")
    if classifier._label_binarizer.y_type_.startswith("multilabel"):
        label = graph.node("Cast", graph.node("Greater", scores, 0.5), to=INT64)
        shape = (network.n_outputs,)
        return [
            Output("label", label, shape, np.dtype(np.int64)),
            Output("probabilities", scores, shape, graph.dtype),
        ]
    if network.n_outputs == 1:
        scores = graph.node("Concat", graph.node("Sub", 1, scores), scores, axis=1)
    classes = _label_values(classifier.classes_)
    if len(classes) == 1:  # of which all rows were: it has two probabilities all the same
        classes = np.repeat(classes, 2)
    index = graph.node("ArgMax", scores, axis=1, keepdims=0)
    label = graph.node("Gather", graph.constant(classes, "classes"), index)
    return [
        Output("label", label, (), classes.dtype),
        Output("probabilities", scores, (max(2, network.n_outputs),), graph.dtype),
    ]


def _label_values(classes: Array) -> Array:
    """Return classes as ONNX has labels: int64, or strings in an array of objects."""
    if classes.dtype.kind in "biuf":  # scikit-learn takes whole numbers only
        return classes.astype(np.int64)
    return np.array([str(name) for name in classes], dtype=object)

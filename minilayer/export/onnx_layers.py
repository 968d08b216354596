"""The layers of minilayer as operators of ONNX.

Softplus, ELU, LeakyRelu and Gelu are written with simpler operators: onnxruntime computes the
operators of these names in float32 alone, or with a float32 slope.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..nn import (
    ELU,
    GELU,
    Activation,
    Dense,
    Exp,
    Identity,
    Layer,
    LeakyReLU,
    ReLU,
    Rescale,
    Sequential,
    Sigmoid,
    SiLU,
    Sin,
    Softmax,
    Softplus,
    Standardize,
    Tanh,
)
from ..utils.checks import short_repr
from .onnx_graph import OnnxGraph


def add_layers(graph: OnnxGraph, model: Sequential) -> str:
    """Add all layers of a model to a graph.

    Parameters
    ----------
    graph : OnnxGraph
        The graph.
    model : Sequential
        The model.

    Returns
    -------
    str
        The name of the model's output.

    Raises
    ------
    TypeError
        For a layer that does not define ``to_onnx``.
    ValueError
        For numbers that the graph's dtype cannot hold.
    """
    value = graph.INPUT
    for index, layer in enumerate(model.layers):
        graph.begin(str(index))
        value = _add_layer(graph, value, layer)
    return value if graph.is_computed(value) else graph.node("Identity", value)


def _add_layer(graph: OnnxGraph, x: str, layer: Layer) -> str:
    translate = TRANSLATIONS.get(type(layer))  # not isinstance: a subclass computes something else
    if translate is not None:
        return translate(graph, x, layer)
    if not _defines_to_onnx(type(layer)):
        return Layer.to_onnx(layer, graph, x)  # its error names the layer
    y = layer.to_onnx(graph, x)
    if not graph.has(y):
        hint = ": is a return missing?" if y is None else ""
        raise TypeError(
            f"to_onnx of {layer!r}: expected the name that graph.node returned, "
            f"found {short_repr(y)}{hint}"
        )
    return y


def _defines_to_onnx(cls: type[Layer]) -> bool:
    """Return whether ``to_onnx`` belongs to the ``forward`` of the class, not to one it overrides.

    An inherited translation of a class that computes something else would be wrong silently.
    """
    for base in cls.__mro__:
        if "to_onnx" in vars(base):
            return base is not Layer
        if "forward" in vars(base) or "function" in vars(base):
            return False
    return False


def _dense(graph: OnnxGraph, x: str, layer: Dense) -> str:
    weight = graph.constant(layer.weight, "weight")
    if not layer.has_bias:
        return graph.node("Gemm", x, weight, transB=1)
    return graph.node("Gemm", x, weight, graph.constant(layer.bias, "bias"), transB=1)


def _standardize(graph: OnnxGraph, x: str, layer: Standardize) -> str:
    """(x - mean) / scale. In float32, x - mean is exact for any mean, as minilayer's float64 is.

    The mean is the sum of two float32 numbers; near the mean, x less the first has no rounding.
    """
    _check_scale(graph, layer)
    difference = graph.node("Sub", x, graph.constant(layer.mean, "mean"))
    rest = layer.mean - layer.mean.astype(graph.dtype)
    if rest.any():
        difference = graph.node("Sub", difference, graph.constant(rest, "mean_rest"))
    return graph.node("Div", difference, graph.constant(layer.scale, "scale"))


def _check_scale(graph: OnnxGraph, layer: Standardize) -> None:
    smallest = np.finfo(graph.dtype).tiny
    if layer.scale.min() < smallest:
        raise ValueError(
            f"scale of Standardize: expected at least {smallest:.2g} in {graph.dtype}, "
            f"found {layer.scale.min():g}: use dtype='float64'"
        )


def _rescale(graph: OnnxGraph, x: str, layer: Rescale) -> str:
    product = graph.node("Mul", x, graph.constant(layer.scale, "scale"))
    return graph.node("Add", product, graph.constant(layer.mean, "mean"))


def _leaky_relu(graph: OnnxGraph, x: str, layer: LeakyReLU) -> str:
    """max(x, 0) - slope max(-x, 0)."""
    negative = graph.node("Relu", graph.node("Neg", x))
    return graph.node("Sub", graph.node("Relu", x), graph.node("Mul", negative, layer.slope))


def _elu(graph: OnnxGraph, x: str, layer: ELU) -> str:
    """max(x, 0) + alpha (exp(n) - 1), n = min(x, 0); exp(n) - 1 = tanh(n / 2) (exp(n) + 1).

    The product keeps its digits near 0, where the difference cancels.
    """
    n = graph.node("Neg", graph.node("Relu", graph.node("Neg", x)))
    tanh = graph.node("Tanh", graph.node("Mul", n, 0.5))
    product = graph.node("Mul", tanh, graph.node("Add", graph.node("Exp", n), 1))
    return graph.node("Add", graph.node("Relu", x), graph.node("Mul", product, layer.alpha))


def _softplus(graph: OnnxGraph, x: str, layer: Softplus) -> str:
    """max(x, 0) + log(1 + u), u = exp(-|x|) <= 1.

    With w = 1 + u rounded, log(1 + u) is log(w) + (u - (w - 1)) / w: tiny u keep their digits.
    """
    u = graph.node("Exp", graph.node("Neg", graph.node("Abs", x)))
    w = graph.node("Add", u, 1)
    lost = graph.node("Sub", u, graph.node("Sub", w, 1))
    log = graph.node("Add", graph.node("Log", w), graph.node("Div", lost, w))
    return graph.node("Add", graph.node("Relu", x), log)


def _silu(graph: OnnxGraph, x: str, layer: SiLU) -> str:
    """x / (1 + exp(-x)). The operator Sigmoid has an error of 1e-8 in float32, times a large x."""
    return _times_sigmoid(graph, x, graph.node("Neg", x))


def _gelu(graph: OnnxGraph, x: str, layer: GELU) -> str:
    """x / (1 + exp(-w)), w = x (LINEAR + CUBIC x**2)."""
    cubic = graph.node("Mul", graph.node("Mul", x, x), -layer.CUBIC)
    minus_w = graph.node("Mul", x, graph.node("Sub", cubic, layer.LINEAR))
    return _times_sigmoid(graph, x, minus_w)


def _times_sigmoid(graph: OnnxGraph, x: str, minus_w: str) -> str:
    """x sigmoid(w); exp(800) is infinite and x / inf is the right 0."""
    return graph.node("Div", x, graph.node("Add", graph.node("Exp", minus_w), 1))


def _one_operator(operator: str, **attributes: int) -> Callable[[OnnxGraph, str, Any], str]:
    def translate(graph: OnnxGraph, x: str, layer: Activation) -> str:
        return graph.node(operator, x, **attributes)

    return translate


TRANSLATIONS: dict[type[Layer], Callable[[OnnxGraph, str, Any], str]] = {
    Dense: _dense,
    Standardize: _standardize,
    Rescale: _rescale,
    Identity: _one_operator("Identity"),
    Sigmoid: _one_operator("Sigmoid"),
    Tanh: _one_operator("Tanh"),
    ReLU: _one_operator("Relu"),
    Sin: _one_operator("Sin"),
    Exp: _one_operator("Exp"),
    Softmax: _one_operator("Softmax", axis=1),
    LeakyReLU: _leaky_relu,
    ELU: _elu,
    Softplus: _softplus,
    SiLU: _silu,
    GELU: _gelu,
}
"""Each layer of minilayer, and the function that adds it."""

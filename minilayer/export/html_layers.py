"""The layers of minilayer as records of JSON, which the page's script computes with."""

from __future__ import annotations

import base64

import numpy as np

from ..nn import (
    ELU,
    GELU,
    Dense,
    Exp,
    Identity,
    Layer,
    LeakyReLU,
    ReLU,
    Rescale,
    Sigmoid,
    SiLU,
    Sin,
    Softmax,
    Softplus,
    Standardize,
    Tanh,
)
from ..utils.checks import short_repr
from ..utils.types import Array

KNOWN_TO_PAGE = {
    ELU,
    GELU,
    Dense,
    Exp,
    Identity,
    LeakyReLU,
    ReLU,
    Rescale,
    Sigmoid,
    SiLU,
    Sin,
    Softmax,
    Softplus,
    Standardize,
    Tanh,
}
"""What network.js computes."""


def layer_record(layer: Layer) -> dict[str, object]:
    """Return what the page must know of a layer.

    Parameters
    ----------
    layer : Layer
        A layer of a Sequential.

    Returns
    -------
    dict
        The type, and numbers and arrays by name, each array as ``encode_array`` writes it.

    Raises
    ------
    TypeError
        For a layer that is not one of minilayer.
    """
    if type(layer) not in KNOWN_TO_PAGE:  # not isinstance: a subclass computes something else
        raise TypeError(
            f"model: expected the layers of minilayer, found {short_repr(layer)}: "
            "the page's script does not compute it"
        )
    record: dict[str, object] = {"type": type(layer).__name__}
    if isinstance(layer, Dense):
        theta = encode_array(layer.theta)
        return {
            **record,
            "inputs": layer.inputs,
            "units": layer.units,
            "bias": layer.has_bias,
            "theta": theta,
        }
    for name, value in layer.config().items():
        record[name] = encode_array(value) if isinstance(value, np.ndarray) else value
    return record


def encode_array(array: Array) -> str:
    """Return an array's numbers, in C order, as base64 of little-endian float64.

    Parameters
    ----------
    array : ndarray
        Numbers.

    Returns
    -------
    str
        ASCII.

    Examples
    --------
    >>> encode_array(np.array([1.0]))
    'AAAAAAAA8D8='
    """
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f8").tobytes()).decode("ascii")

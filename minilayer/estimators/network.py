"""Networks made from scikit-learn's parameters, and their weights in scikit-learn's layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

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
    Sequential,
    Sigmoid,
    SiLU,
    Sin,
    Softmax,
    Softplus,
    Tanh,
)
from ..utils.checks import check_count, check_instance, short_repr
from ..utils.types import Array

ACTIVATIONS: dict[str, type[Activation]] = {
    "identity": Identity,
    "logistic": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "elu": ELU,
    "gelu": GELU,
    "leaky_relu": LeakyReLU,
    "sigmoid": Sigmoid,
    "silu": SiLU,
    "sin": Sin,
    "softplus": Softplus,
}
"""The hidden activations that have a name; the first four are scikit-learn's."""
OUTPUT_NAMES: dict[type[Layer], str] = {
    Exp: "exp",
    Identity: "identity",
    Sigmoid: "logistic",
    Softmax: "softmax",
}
"""scikit-learn's names of output activations."""

Hidden = str | Activation | type[Activation]
Layers = Iterable[Layer] | Callable[[int, int], Sequential]


def new_network(
    widths: Sequence[int],
    activation: Hidden | Sequence[Hidden],
    output: type[Activation],
    rng: np.random.RandomState,
) -> Sequential:
    """Return a network with scikit-learn's starting values.

    Weights and biases are uniform in +-sqrt(6 / (inputs + units)), and with the logistic function
    in +-sqrt(2 / (inputs + units)). They are drawn in scikit-learn's order.

    Parameters
    ----------
    widths : sequence of int
        Number of inputs, of units in each hidden layer, and of outputs.
    activation : str, Activation, its class, or a sequence of them
        Of all hidden layers, or of each.
    output : type of Activation
        The output activation.
    rng : numpy.random.RandomState
        The source of the starting values.
    """
    hidden = _hidden_activations(activation, len(widths) - 2)
    layers: list[Layer] = []
    for (inputs, units), after in zip(pairwise(widths), [*hidden, output()], strict=True):
        layers += [Dense(inputs, units), after]
    network = Sequential(layers, seed=0)
    followers = [
        *hidden,
        *(hidden[-1:] or [Identity()]),
    ]  # the last layer draws as the one before it
    for coefs, intercepts, after in zip(*weight_views(network), followers, strict=True):
        bound = np.sqrt((2.0 if isinstance(after, Sigmoid) else 6.0) / sum(coefs.shape))
        coefs[...] = rng.uniform(-bound, bound, coefs.shape)
        intercepts[...] = rng.uniform(-bound, bound, intercepts.shape)
    return network


def given_network(
    layers: Layers, n_inputs: int, n_outputs: int, rng: np.random.RandomState
) -> Sequential:
    """Return the network of ``layers=``: new layers of the same kinds, with other starting values.

    ValueError if its sizes are not those of the data.
    """
    if callable(layers):
        network = layers(n_inputs, n_outputs)
        check_instance("layers", network, Sequential, "a function that returns a Sequential")
    else:
        network = Sequential([_unbound(layer) for layer in layers])
    if (network.n_inputs, network.n_outputs) != (n_inputs, n_outputs):
        raise ValueError(
            f"layers: expected {n_inputs} inputs and {n_outputs} outputs, as the data have, "
            f"found {network.n_inputs} and {network.n_outputs}"
        )
    network.initialize(int(rng.randint(np.iinfo(np.int32).max)))
    return network


def checked_widths(hidden_layer_sizes: object) -> list[int]:
    """Return the widths of the hidden layers as a list of integers of at least 1."""
    sizes = hidden_layer_sizes if isinstance(hidden_layer_sizes, Iterable) else [hidden_layer_sizes]
    return [check_count("hidden_layer_sizes", size) for size in sizes]


def in_precision(network: Sequential, dtype: npt.DTypeLike) -> Sequential:
    """Return the network, or a copy of it whose parameters are of another dtype."""
    if network.parameters.dtype == dtype:
        return network
    return network.replica(network.parameters.astype(dtype))


def weight_views(network: Sequential) -> tuple[list[Array], list[Array]]:
    """Return coefs (inputs, units) and intercepts (units,) of each Dense layer, as views.

    A layer without bias has an empty array of intercepts.
    """
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    coefs = [layer.weight.T for layer in dense]
    intercepts = [layer.bias if layer.has_bias else layer.theta[0, :0] for layer in dense]
    return coefs, intercepts


def output_name(network: Sequential) -> str:
    """Return scikit-learn's name of the output activation."""
    last = network.output_activation
    return "identity" if last is None else OUTPUT_NAMES.get(type(last), type(last).__name__.lower())


def _hidden_activations(activation: Hidden | Sequence[Hidden], count: int) -> list[Activation]:
    if isinstance(activation, (str, Activation, type)):
        return [_new_activation(activation) for _ in range(count)]
    each = [_new_activation(one) for one in activation]
    if len(each) != count:
        raise ValueError(
            f"activation: expected one for all, or {count}, one a hidden layer, found {len(each)}"
        )
    return each


def _new_activation(activation: object) -> Activation:
    if isinstance(activation, str) and activation in ACTIVATIONS:
        return ACTIVATIONS[activation]()
    if isinstance(activation, type) and issubclass(activation, Activation):
        return activation()
    if isinstance(activation, Activation):
        return activation.unbound_copy()
    raise ValueError(
        f"activation: expected one of {', '.join(map(repr, ACTIVATIONS))}, "
        f"or an Activation such as LeakyReLU(0.1), found {short_repr(activation)}"
    )


def _unbound(layer: object) -> Layer:
    check_instance("layers", layer, Layer, "layers such as Dense(4, 10)")
    assert isinstance(layer, Layer)
    return layer.unbound_copy()

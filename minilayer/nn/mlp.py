"""mlp: the common stack of Dense layers and activations in one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from ..utils.checks import short_repr
from ..utils.foreign_names import explains_unknown_arguments
from .activation import Activation
from .activations import Tanh
from .dense import Dense
from .initializers import Initializer
from .layer import Layer
from .sequential import Sequential


@explains_unknown_arguments
def mlp(
    *widths: int,
    hidden: type[Activation] | Activation = Tanh,
    output: type[Activation] | Activation | None = None,
    seed: int | np.random.Generator | None = None,
    initializer: Initializer | None = None,
) -> Sequential:
    """Return a multilayer perceptron: Dense layers with activations between them.

    Parameters
    ----------
    *widths : int
        Number of inputs, of units in each hidden layer, and of outputs.
    hidden : Activation or its class, default Tanh
        The activation after each hidden layer.
    output : Activation or its class, optional
        The last layer: Sigmoid for yes or no, Softmax for one of several classes; default none,
        for a regression.
    seed : int or numpy.random.Generator, optional
        The source of the starting values.
    initializer : Initializer, optional
        Where the Dense layers start; default ``UniformEpsilon()``.

    Returns
    -------
    Sequential
        The model.

    Raises
    ------
    TypeError, ValueError
        For fewer than two widths, and arguments of another kind.

    Examples
    --------
    >>> from minilayer import Sigmoid
    >>> mlp(400, 25, 10, hidden=Sigmoid, output=Sigmoid, seed=0)
    Sequential([Dense(400, 25), Sigmoid(), Dense(25, 10), Sigmoid()])
    """
    if len(widths) < 2:
        hint = ""
        if widths and isinstance(widths[0], Iterable):
            hint = f": write mlp({', '.join(map(repr, widths[0]))})"
        raise ValueError(
            "widths: expected at least two, such as mlp(4, 1), "
            f"found {short_repr(list(widths))}{hint}"
        )
    return Sequential(_stack(widths, hidden, output, initializer), seed)


def _stack(
    widths: tuple[int, ...],
    hidden: type[Activation] | Activation,
    output: type[Activation] | Activation | None,
    initializer: Initializer | None,
) -> Iterator[Layer]:
    last = len(widths) - 2
    for index, (inputs, units) in enumerate(pairwise(widths)):
        yield Dense(inputs, units, initializer)
        if index < last:
            yield _new_activation("hidden", hidden)
    if output is not None:
        yield _new_activation("output", output)


def _new_activation(name: str, activation: object) -> Activation:
    """Return a new layer each time, also from an instance."""
    if isinstance(activation, type) and issubclass(activation, Activation):
        return activation()
    if isinstance(activation, Activation):
        return activation.unbound_copy()
    raise TypeError(
        f"{name}: expected an activation such as Sigmoid or Sigmoid(), "
        f"found {short_repr(activation)}"
    )

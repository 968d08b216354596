"""Sequential: layers in a row over one flat vector of parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, final

import numpy as np
import numpy.typing as npt

from ..utils.checks import check_finite, check_matrix
from ..utils.types import Array
from .layer import Layer
from .parameter_layout import as_layers, chain, plan, views

BATCH = 2048
"""Rows that predict computes at a time, so that its memory does not grow with the data."""


@final
class Sequential:
    """A network of layers, its parameters one flat float64 vector that the layers see as views.

    ``parameters`` is allocated once and never rebound: ``model.parameters[:] = x`` sets the network. Its layout is
    layer by layer, each Dense as theta (units, 1 + inputs), bias in column 0, C order, which is the article's. With
    ``seed`` (an integer or a ``numpy.random.Generator``) the start is reproducible.

    Raises TypeError for what is not a layer, ValueError for sizes that do not chain, for a layer used twice and for a
    model without a layer that fixes its width; nothing is changed then.

    >>> from minilayer import Dense, Sigmoid
    >>> model = Sequential([Dense(2, 3), Sigmoid(), Dense(3, 1), Sigmoid()], seed=0)
    >>> model.parameters.shape, model.layers[0].theta.shape
    ((13,), (3, 3))
    >>> model.parameters[:] = 0
    >>> model.predict([[1.0, 2.0]])
    array([[0.5]])
    """

    def __init__(self, layers: Iterable[Layer], seed: int | np.random.Generator | None = None) -> None:
        self._layers = as_layers(layers)
        self._widths = chain(self._layers)
        try:
            rng = np.random.default_rng(seed)
        except (TypeError, ValueError) as error:
            raise type(error)(f"seed: expected an integer from 0 up or a Generator, found {seed!r}") from None
        self._bind(np.zeros(sum(size for *_, size in plan(self._layers))))
        for layer in self._layers:
            layer.initialize(rng)

    def _bind(self, parameters: Array) -> None:
        self._parameters = parameters
        self._gradient = np.zeros_like(parameters)
        self._rows = 0  # of the last forward
        pieces = zip(views(self._layers, parameters), views(self._layers, self._gradient), strict=True)
        for layer, (own_parameters, own_gradients) in zip(self._layers, pieces, strict=True):
            layer.bind(own_parameters, own_gradients)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, fixed at construction."""
        return self._layers

    @property
    def inputs(self) -> int:
        """Columns of X."""
        return self._widths[0]

    @property
    def outputs(self) -> int:
        """Columns of a prediction."""
        return self._widths[-1]

    @property
    def parameters(self) -> Array:
        """The flat vector of all parameters, shared with the layers and the replicas."""
        return self._parameters

    @parameters.setter
    def parameters(self, value: object) -> None:
        if value is not self._parameters:  # `model.parameters += step` ends here with the vector itself
            raise AttributeError("parameters cannot be rebound, the layers are views of it: model.parameters[:] = x")

    @property
    def gradient(self) -> Array:
        """What the last ``backward`` computed, in the layout of ``parameters``; overwritten by the next."""
        return self._gradient

    def forward(self, x: npt.ArrayLike, *, link: bool = True) -> Array:
        """The last layer's output (m, outputs); ``link=False`` stops before the last layer, at its pre-activation.

        Layers keep what ``backward`` needs. The result is their work space, overwritten by the next call; ``predict``
        gives an array of your own.
        """
        X = check_matrix("X", x, self.inputs, f"columns (inputs of {self._layers[0]!r})")
        return self.propagate(X.astype(self._parameters.dtype, copy=False), link=link)

    def propagate(self, x: Array, *, link: bool = True) -> Array:
        """``forward`` for an x that is known to be a matrix of the right width and dtype."""
        y, self._rows = x, len(x)
        for layer in self._layers if link else self._layers[:-1]:
            y = layer.forward(y)
        return y

    def backward(self, dy: Array, *, link: bool = True) -> Array:
        """The gradient of all parameters, summed over the rows of the last ``forward``, for dy = dC/doutput.

        ``link=False`` takes dy as the derivative by the last layer's pre-activation. The input gradient of the first
        layer is not computed: nobody asks for it. Returns ``gradient``.
        """
        layers = self._layers if link else self._layers[:-1]
        if not self._rows:
            raise RuntimeError("backward: expected a forward before it, found none")
        if dy.shape != (self._rows, self.outputs):
            raise ValueError(f"dy: expected {(self._rows, self.outputs)} as of the last forward, found {dy.shape}")
        for index in range(len(layers) - 1, -1, -1):
            layers[index].parameter_gradient(dy)
            if index:
                dy = layers[index].input_gradient(dy)
        return self._gradient

    def predict(self, X: npt.ArrayLike) -> Array:
        """Activations of the last layer, a new (m, outputs) float64 array; several threads may call it at once.

        Any numeric dtype and memory order will do, memory-mapped files too. Raises TypeError or ValueError for what is
        not a finite matrix of ``inputs`` columns.
        """
        data = check_matrix("X", X, self.inputs, f"columns (inputs of {self._layers[0]!r})")
        check_finite("X", data)
        model = self.replica()
        output = np.empty((len(data), self.outputs))
        for start in range(0, len(data), BATCH):
            output[start : start + BATCH] = model.forward(data[start : start + BATCH])
        return output

    def replica(self, parameters: Array | None = None) -> Sequential:
        """The same network with activations and gradient of its own, sharing ``parameters`` (or the vector given).

        Replicas compute side by side on different rows, one a thread. A float32 vector makes a replica that computes
        in single precision.
        """
        vector = self._parameters if parameters is None else parameters
        if vector.shape != self._parameters.shape:
            raise ValueError(f"parameters: expected shape {self._parameters.shape}, found {vector.shape}")
        return _assemble(tuple(layer.unbound_copy() for layer in self._layers), vector)

    def penalized(self) -> Array:
        """(n_parameters,) booleans: the entries that the l2 penalty applies to (weights yes, biases no)."""
        mask = np.zeros(self._parameters.size, bool)
        for piece, layer, name in self.named_pieces():
            mask[piece] = np.broadcast_to(layer.penalized(name), layer.shapes()[name]).ravel()
        return mask

    def named_pieces(self) -> Iterator[tuple[slice, Layer, str]]:
        """For each parameter: where it lies in the flat vector, its layer and its name."""
        offset = 0
        for index, name, _, size in plan(self._layers):
            yield slice(offset, offset + size), self._layers[index], name
            offset += size

    def summary(self) -> str:
        """A table: each layer, the columns it gives, its number of parameters."""
        rows = [("layer", "output", "parameters")]
        for layer, width in zip(self._layers, self._widths[1:], strict=True):
            count = sum(math.prod(shape) for shape in layer.shapes().values())
            rows.append((repr(layer), f"(m, {width})", f"{count:,}"))
        rows.append(("total", "", f"{self._parameters.size:,}"))
        wide = [max(len(row[column]) for row in rows) for column in range(3)]
        return "\n".join(f"{a:<{wide[0]}}  {b:<{wide[1]}}  {c:>{wide[2]}}" for a, b, c in rows)

    def __reduce__(self) -> tuple[Callable[..., Sequential], tuple[Any, ...]]:
        return _assemble, (tuple(layer.unbound_copy() for layer in self._layers), self._parameters)

    def __repr__(self) -> str:
        return f"Sequential([{', '.join(map(repr, self._layers))}])"


def _assemble(layers: tuple[Layer, ...], parameters: Array) -> Sequential:
    """A Sequential over a vector that exists; also how copy and pickle rebuild one, so that views stay views."""
    model = Sequential.__new__(Sequential)
    model._layers, model._widths = layers, chain(layers)
    model._bind(parameters)
    return model

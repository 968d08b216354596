"""Dense: the layer with weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np

from ..utils.checks import check_count, check_instance
from ..utils.types import Array
from .initializers import Glorot, Initializer
from .layer import ConfigValue, Layer, register


@final
@register
class Dense(Layer):
    """y = x @ weight.T + bias, with theta = [bias, weight] of shape (units, 1 + inputs).

    ``theta``, ``weight`` (units, inputs) and ``bias`` (units,) are views of one piece of the model's vector; the l2
    penalty leaves the bias out. Gradients, summed over rows: dC/dweight = dy.T @ x, dC/dbias = the column sums of dy,
    dC/dx = dy @ weight (Rumelhart, Hinton and Williams, 1986).

    Raises TypeError or ValueError for sizes that are not integers of at least 1.

    >>> from minilayer import Sequential
    >>> model = Sequential([Dense(2, 1)])
    >>> model.layers[0].theta[:] = [[10, 1, 2]]
    >>> model.predict([[3.0, 4.0]])
    array([[21.]])
    """

    inputs: int
    units: int

    def __init__(self, inputs: int, units: int, initializer: Initializer | None = None) -> None:
        self.inputs = check_count("inputs of Dense", inputs)
        self.units = check_count("units of Dense", units)
        if initializer is not None:
            check_instance("initializer of Dense", initializer, Initializer, "an Initializer such as Glorot()")
        self.initializer = initializer or Glorot()

    @property
    def theta(self) -> Array:
        """(units, 1 + inputs), bias in column 0, as the exercise has it."""
        return self.parameters["theta"]

    @property
    def weight(self) -> Array:
        """(units, inputs), a view of theta."""
        return self.theta[:, 1:]

    @property
    def bias(self) -> Array:
        """(units,), a view of theta."""
        return self.theta[:, 0]

    def forward(self, x: Array) -> Array:
        self._x = x
        z = self.workspace.array("z", (len(x), self.units), x.dtype)
        np.matmul(x, self.weight.T, out=z)
        z += self.bias
        return z

    def input_gradient(self, dy: Array) -> Array:
        dx = self.workspace.array("dx", (len(dy), self.inputs), dy.dtype)
        product = np.multiply if self.units == 1 else np.matmul  # the same for one unit, and four times as fast
        return product(dy, self.weight, out=dx)

    def parameter_gradient(self, dy: Array) -> None:
        gradient = self.gradients["theta"]
        np.add.reduce(dy, axis=0, out=gradient[:, 0])  # first, while dy is in the caches: x drives it out
        np.matmul(dy.T, self._x, out=gradient[:, 1:])

    def tangent(self, rx: Array | None, direction: Mapping[str, Array]) -> Array:
        self._rx, theta = rx, direction["theta"]
        ry = self.workspace.array("ry", (len(self._x), self.units), self._x.dtype)
        np.matmul(self._x, theta[:, 1:].T, out=ry)
        ry += theta[:, 0]
        if rx is not None:
            carried = self.workspace.array("carried", ry.shape, ry.dtype)
            ry += np.matmul(rx, self.weight.T, out=carried)
        return ry

    def curvature(self, dy: Array, direction: Mapping[str, Array]) -> Array | None:
        if self._rx is None:  # the data do not change, and nobody asks how the cost does as they do
            return None
        self.gradients["theta"][:, 1:] += dy.T @ self._rx
        bend = self.workspace.array("bend", (len(dy), self.inputs), dy.dtype)
        return np.matmul(dy, direction["theta"][:, 1:], out=bend)

    def moment(self, name: str) -> Array:
        extended = np.ones((len(self._x), 1 + self.inputs), self._x.dtype)
        extended[:, 1:] = self._x
        return extended.T @ extended

    def config(self) -> dict[str, ConfigValue]:
        return {"inputs": self.inputs, "units": self.units}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"theta": (self.units, 1 + self.inputs)}

    def initialize(self, rng: np.random.Generator) -> None:
        self.initializer.fill(self.theta, rng)

    def penalized(self, name: str) -> Array | bool:
        mask = np.ones((self.units, 1 + self.inputs), bool)
        mask[:, 0] = False
        return mask

    def __repr__(self) -> str:
        return f"Dense({self.inputs}, {self.units})"

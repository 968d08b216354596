"""Dense: the layer with weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np

from ..utils.checks import check_count, check_flag, check_instance
from ..utils.types import Array
from .configured import ConfigValue, register, undescribed_arguments
from .initializers import Initializer, UniformEpsilon, sample_of
from .layer import Layer


@final
@register
class Dense(Layer):
    """A fully connected layer: ``y = x @ weight.T + bias``.

    Its one parameter is ``theta``, of shape (units, 1 + inputs) with the bias in column 0, as in
    exercise 4. ``weight`` and ``bias`` are views of it. The l2 penalty leaves the bias out. The
    gradients are sums over rows: dC/dweight = dy.T @ x, dC/dbias = the column sums of dy, and
    dC/dx = dy @ weight.

    Parameters
    ----------
    inputs : int
        Number of columns of x.
    units : int
        Number of columns of y.
    initializer : Initializer, optional
        Where theta starts; default ``UniformEpsilon()``, biases included. With biases of 0, all
        kinks of ReLU on a single column start in one place.
    bias : bool, default True
        Whether there is a bias; without one, theta is the weight, (units, inputs).

    Raises
    ------
    TypeError, ValueError
        For sizes that are not integers of at least 1, arguments of another kind, and an initializer
        whose ``config`` lacks an argument.

    References
    ----------
    Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986.

    Examples
    --------
    >>> from minilayer import Sequential
    >>> model = Sequential([Dense(2, 1)])
    >>> model.layers[0].theta[:] = [[10, 1, 2]]
    >>> model.predict([[3.0, 4.0]])
    array([[21.]])
    """

    inputs: int
    units: int

    def __init__(
        self,
        inputs: int,
        units: int,
        initializer: Initializer | None = None,
        *,
        bias: bool = True,
    ) -> None:
        self.inputs = check_count("inputs of Dense", inputs)
        self.units = check_count("units of Dense", units)
        if initializer is not None:
            expected = "an Initializer such as Glorot()"
            check_instance("initializer of Dense", initializer, Initializer, expected)
            missing = undescribed_arguments(initializer)
            if missing:
                name = type(initializer).__name__
                raise TypeError(
                    f"initializer of Dense: expected {name}.config() to give every argument of "
                    f"{name}(...), found none for {missing[0]!r}: a checkpoint would lose it"
                )
        self.initializer = initializer or UniformEpsilon()
        self.has_bias = check_flag("bias of Dense", bias)
        self._first = int(self.has_bias)  # the column of theta where the weight begins

    @property
    def theta(self) -> Array:
        """(units, 1 + inputs), bias in column 0; (units, inputs) without bias."""
        return self.parameters["theta"]

    @property
    def weight(self) -> Array:
        """(units, inputs), a view of theta."""
        return self.theta[:, self._first :]

    @property
    def bias(self) -> Array:
        """(units,), a view of theta."""
        if not self.has_bias:
            raise AttributeError(f"{self!r} has no bias")
        return self.theta[:, 0]

    def named_parameters(self) -> Mapping[str, Array]:
        return {"weight": self.weight, **({"bias": self.bias} if self.has_bias else {})}

    def forward(self, x: Array) -> Array:
        self._x = x
        z = self.workspace.array("z", (len(x), self.units), x.dtype)
        np.matmul(x, self.weight.T, out=z)
        if self.has_bias:
            z += self.bias
        return z

    def input_gradient(self, dy: Array) -> Array:
        dx = self.workspace.array("dx", (len(dy), self.inputs), dy.dtype)
        if self.units == 1:  # the same product, four times as fast
            return np.multiply(dy, self.weight, out=dx)
        return np.matmul(dy, self.weight, out=dx)

    def parameter_gradient(self, dy: Array) -> None:
        gradient = self.gradients["theta"]
        if self.has_bias:  # first, while dy is in the caches: x drives it out
            np.add.reduce(dy, axis=0, out=gradient[:, 0])
        np.matmul(dy.T, self._x, out=gradient[:, self._first :])

    def jvp(self, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
        self._dx = dx
        dtheta = dparameters["theta"]
        dy = self.workspace.array("jvp", (len(self._x), self.units), self._x.dtype)
        np.matmul(self._x, dtheta[:, self._first :].T, out=dy)
        if self.has_bias:
            dy += dtheta[:, 0]
        if dx is not None:
            by_input = self.workspace.array("jvp by input", dy.shape, dy.dtype)
            dy += np.matmul(dx, self.weight.T, out=by_input)
        return dy

    def second_order_term(self, dy: Array, dparameters: Mapping[str, Array]) -> Array | None:
        if self._dx is None:  # the first layer: the data do not change
            return None
        self.gradients["theta"][:, self._first :] += dy.T @ self._dx
        change = self.workspace.array("second order", (len(dy), self.inputs), dy.dtype)
        return np.matmul(dy, dparameters["theta"][:, self._first :], out=change)

    def input_gram(self, name: str) -> Array:
        if not self.has_bias:
            return np.asarray(self._x.T @ self._x)
        with_one = np.ones((len(self._x), 1 + self.inputs), self._x.dtype)
        with_one[:, 1:] = self._x
        return with_one.T @ with_one

    def config(self) -> Mapping[str, ConfigValue]:
        return {
            "inputs": self.inputs,
            "units": self.units,
            "initializer": self.initializer,
            "bias": self.has_bias,
        }

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {"theta": (self.units, self._first + self.inputs)}

    def initialize(self, rng: np.random.Generator) -> None:
        start = self.theta if self.initializer.draws_biases else self.weight
        start[:] = sample_of(self.initializer, start.shape, self.inputs, self.units, rng)

    def l2_mask(self, name: str) -> Array | bool:
        mask = np.ones((self.units, self._first + self.inputs), bool)
        mask[:, : self._first] = False
        return mask

    def __repr__(self) -> str:
        bias = "" if self.has_bias else ", bias=False"
        return f"Dense({self.inputs}, {self.units}{bias})"

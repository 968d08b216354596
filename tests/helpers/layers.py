"""Custom layers that several tests need."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import minilayer as ml
from minilayer.utils.types import Array


@ml.register
class SquaredScale(ml.Layer):
    """y = x * scale**2, one scale a column: the layer is nonlinear in its parameter."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.units = inputs

    def config(self) -> dict[str, int]:
        assert self.inputs is not None
        return {"inputs": self.inputs}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"scale": (self.inputs or 0,)}

    @property
    def scale(self) -> Array:
        return self.parameters["scale"]

    def initialize(self, rng: np.random.Generator) -> None:
        self.scale[:] = 1

    def l2_mask(self, name: str) -> Array | bool:
        return True

    def forward(self, x: Array) -> Array:
        self._x = x
        return np.asarray(x * self.scale**2)

    def input_gradient(self, dy: Array) -> Array:
        return np.asarray(dy * self.scale**2)

    def parameter_gradient(self, dy: Array) -> None:
        self.gradients["scale"][:] = 2 * self.scale * np.sum(dy * self._x, axis=0)

    def jvp(self, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
        self._dx = np.zeros_like(self._x) if dx is None else dx
        by_input = self._dx * self.scale**2
        by_parameter = 2 * self._x * self.scale * dparameters["scale"]
        return np.asarray(by_input + by_parameter)

    def second_order_term(self, dy: Array, dparameters: Mapping[str, Array]) -> Array | None:
        dscale = dparameters["scale"]
        change = 2 * dscale * self._x + 2 * self.scale * self._dx
        self.gradients["scale"][:] += np.sum(dy * change, axis=0)
        return np.asarray(dy * 2 * self.scale * dscale)


class Hooked(ml.Activation):
    """The identity, which calls a function in each forward pass."""

    def __init__(self, hook: Callable[[], object]) -> None:
        self.hook = hook

    def config(self) -> dict[str, Any]:
        return {"hook": self.hook}

    def function(self, x: Array, out: Array) -> None:
        self.hook()
        np.copyto(out, x)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.copyto(out, dy)

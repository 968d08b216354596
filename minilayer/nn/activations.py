"""Activations: maps without parameters that give as many columns as they take."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import final

import numpy as np

from ..utils.types import Array
from .layer import Layer, register


class Activation(Layer):
    """A map without parameters. One of your own writes ``function`` and ``gradient`` into the arrays it is given.

    With ``bend`` too, products with the Hessian go through it (those of Gauss-Newton do so without).

    >>> class Square(Activation):
    ...     def function(self, x, out):
    ...         np.multiply(x, x, out=out)
    ...     def gradient(self, x, y, dy, out):
    ...         np.multiply(dy, 2 * x, out=out)
    >>> Square().forward(np.array([[3.0]]))
    array([[9.]])
    """

    @abstractmethod
    def function(self, x: Array, out: Array) -> None:
        """Write f(x), (m, n), into ``out``, which never overlaps x."""

    @abstractmethod
    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        """Write dC/dx into ``out`` for dy = dC/dy and y = f(x), all (m, n); elementwise, that is dy * f'(x).

        df/dx must be symmetric for each row, as it is for whatever works elementwise, and for the softmax.
        """

    def bend(self, x: Array, y: Array, rx: Array, ry: Array, dy: Array, out: Array) -> None:
        """For products with the Hessian: write how ``gradient``'s result changes as x changes by rx, at constant dy.

        ry = f'(x) rx is how y changes; elementwise, that is dy * f''(x) * rx. All (m, n).
        """
        raise self._lacks("a curvature")

    @final
    def check_curvature(self, gauss_newton: bool) -> None:
        if not gauss_newton and type(self).bend is Activation.bend:
            raise self._lacks("a curvature")

    @final
    def tangent(self, rx: Array | None, direction: Mapping[str, Array]) -> Array:
        self._rx, self._ry = rx, self.workspace.array("ry", self._y.shape, self._y.dtype)
        if rx is None:
            self._ry.fill(0)
        else:
            self.gradient(self._x, self._y, rx, self._ry)  # the derivative is a symmetric matrix for each row
        return self._ry

    @final
    def curvature(self, dy: Array, direction: Mapping[str, Array]) -> Array | None:
        if self._rx is None:
            return None
        out = self.workspace.array("bend", dy.shape, dy.dtype)
        self.bend(self._x, self._y, self._rx, self._ry, dy, out)
        return out

    @final
    def forward(self, x: Array) -> Array:
        self._x, self._y = x, self.workspace.array("y", x.shape, x.dtype)
        self.function(x, self._y)
        return self._y

    @final
    def input_gradient(self, dy: Array) -> Array:
        dx = self.workspace.array("dx", dy.shape, dy.dtype)
        self.gradient(self._x, self._y, dy, dx)
        return dx


@final
@register
class Identity(Activation):
    """f(x) = x: the output of a regression.

    >>> Identity().forward(np.array([[-1.5, 2.0]]))
    array([[-1.5,  2. ]])
    """

    def function(self, x: Array, out: Array) -> None:
        np.copyto(out, x)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.copyto(out, dy)

    def bend(self, x: Array, y: Array, rx: Array, ry: Array, dy: Array, out: Array) -> None:
        out.fill(0)


@final
@register
class Sigmoid(Activation):
    """f(x) = 1 / (1 + exp(-x)), the logistic function; f' = f (1 - f).

    >>> Sigmoid().forward(np.array([[-1e4, 0.0, 1e4]]))
    array([[0. , 0.5, 1. ]])
    """

    def function(self, x: Array, out: Array) -> None:
        with np.errstate(over="ignore"):  # exp(1e4) is inf and 1 / inf is the right 0
            np.negative(x, out=out)
            np.exp(out, out=out)
            out += 1
            np.reciprocal(out, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.subtract(1, y, out=out)
        out *= y
        out *= dy

    def bend(self, x: Array, y: Array, rx: Array, ry: Array, dy: Array, out: Array) -> None:
        np.multiply(y, -2, out=out)  # f'' = f' (1 - 2 f)
        out += 1
        out *= ry
        out *= dy


@final
@register
class Tanh(Activation):
    """f(x) = tanh(x); f' = 1 - f**2.

    >>> Tanh().forward(np.array([[0.0, 1e4]]))
    array([[0., 1.]])
    """

    def function(self, x: Array, out: Array) -> None:
        np.tanh(x, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.multiply(y, y, out=out)
        np.subtract(1, out, out=out)
        out *= dy

    def bend(self, x: Array, y: Array, rx: Array, ry: Array, dy: Array, out: Array) -> None:
        np.multiply(y, -2, out=out)  # f'' = -2 f f'
        out *= ry
        out *= dy


@final
@register
class ReLU(Activation):
    """f(x) = max(x, 0); f' = 1 where x > 0, else 0 (at the kink too).

    >>> ReLU().forward(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """

    def function(self, x: Array, out: Array) -> None:
        np.maximum(x, 0, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.greater(y, 0, out=out)
        out *= dy

    def bend(self, x: Array, y: Array, rx: Array, ry: Array, dy: Array, out: Array) -> None:
        out.fill(0)


@final
@register
class Softmax(Activation):
    """f(x)_j = exp(x_j) / sum_k exp(x_k) along each row; dC/dx = f * (dy - sum_k dy_k f_k).

    >>> Softmax().forward(np.array([[1e4, 1e4], [0.0, -1e4]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """

    def function(self, x: Array, out: Array) -> None:
        row = self._row(x)
        np.max(x, axis=1, keepdims=True, out=row)  # exp of nothing above 0: no overflow
        np.subtract(x, row, out=out)
        np.exp(out, out=out)
        np.sum(out, axis=1, keepdims=True, out=row)
        out /= row

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        row = self._row(x)
        np.multiply(dy, y, out=out)
        np.sum(out, axis=1, keepdims=True, out=row)
        np.subtract(dy, row, out=out)
        out *= y

    def bend(self, x: Array, y: Array, rx: Array, ry: Array, dy: Array, out: Array) -> None:
        row = self._row(x)
        np.multiply(dy, ry, out=out)
        np.sum(out, axis=1, keepdims=True, out=row)
        change = y * row
        np.multiply(dy, y, out=out)
        np.sum(out, axis=1, keepdims=True, out=row)
        np.subtract(dy, row, out=out)
        out *= ry
        out -= change

    def _row(self, x: Array) -> Array:
        return self.workspace.array("row", (len(x), 1), x.dtype)

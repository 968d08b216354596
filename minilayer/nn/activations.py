"""Activations: layers without parameters that give as many columns as they take."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import final

import numpy as np

from ..utils.floating_point import ignores_floating_point_errors
from ..utils.types import Array
from .configured import register
from .layer import Layer


class Activation(Layer):
    """A function without parameters, applied to each row.

    A subclass writes ``function`` and ``gradient``. With ``second_derivative`` too, exact Hessian
    products pass through it; Gauss-Newton products do not need that.

    Examples
    --------
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
        """Write f(x) into ``out``.

        Parameters
        ----------
        x : ndarray, shape (m, n)
            The rows. Must not be written to.
        out : ndarray, shape (m, n)
            Where the result goes. It never overlaps x, and holds arbitrary numbers before.
        """

    @abstractmethod
    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        """Write the gradient of the cost C by the input into ``out``.

        For an elementwise function that is dy * f'(x). The Jacobian df/dx of each row must be
        symmetric, as it is for elementwise functions and for the softmax.

        Parameters
        ----------
        x, y : ndarray, shape (m, n)
            The rows and y = f(x). Must not be written to.
        dy : ndarray, shape (m, n)
            dC/dy. Must not be written to.
        out : ndarray, shape (m, n)
            Where dC/dx goes.
        """

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        """Write the change of ``gradient``'s result along dx, at constant dy = dC/dy.

        For an elementwise function that is dy * f''(x) * dx.

        Parameters
        ----------
        x, y : ndarray, shape (m, n)
            The rows and y = f(x).
        dx : ndarray, shape (m, n)
            The direction of x.
        jvp : ndarray, shape (m, n)
            f'(x) dx, the change of y along it.
        dy : ndarray, shape (m, n)
            dC/dy.
        out : ndarray, shape (m, n)
            Where the result goes.

        Raises
        ------
        CurvatureError
            If the activation does not define it.
        """
        raise self._unsupported("second_derivative")

    @final
    def require_hessian_support(self, gauss_newton: bool) -> None:
        if not gauss_newton and type(self).second_derivative is Activation.second_derivative:
            raise self._unsupported("second_derivative")

    @final
    @ignores_floating_point_errors
    def forward(self, x: Array) -> Array:
        self._x = x
        self._y = self.workspace.array("y", x.shape, x.dtype)
        self.function(x, self._y)
        return self._y

    @final
    def input_gradient(self, dy: Array) -> Array:
        dx = self.workspace.array("dx", dy.shape, dy.dtype)
        self.gradient(self._x, self._y, dy, dx)
        return dx

    @final
    def jvp(self, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
        self._dx = dx
        self._jvp = self.workspace.array("jvp", self._y.shape, self._y.dtype)
        if dx is None:
            self._jvp.fill(0)
        else:  # the Jacobian is symmetric: times dx is what ``gradient`` computes
            self.gradient(self._x, self._y, dx, self._jvp)
        return self._jvp

    @final
    def second_order_term(self, dy: Array, dparameters: Mapping[str, Array]) -> Array | None:
        if self._dx is None:
            return None
        out = self.workspace.array("second order", dy.shape, dy.dtype)
        self.second_derivative(self._x, self._y, self._dx, self._jvp, dy, out)
        return out


@final
@register
class Identity(Activation):
    """f(x) = x: the output of a regression.

    Examples
    --------
    >>> Identity().forward(np.array([[-1.5, 2.0]]))
    array([[-1.5,  2. ]])
    """

    def function(self, x: Array, out: Array) -> None:
        np.copyto(out, x)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.copyto(out, dy)

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        out.fill(0)


@final
@register
class Sigmoid(Activation):
    """f(x) = 1 / (1 + exp(-x)), the logistic function; f' = f (1 - f).

    Examples
    --------
    >>> Sigmoid().forward(np.array([[-1e4, 0.0, 1e4]]))
    array([[0. , 0.5, 1. ]])
    """

    def function(self, x: Array, out: Array) -> None:
        np.negative(x, out=out)
        np.exp(out, out=out)  # exp(1e4) is inf and 1 / inf is the right 0
        out += 1
        np.reciprocal(out, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.subtract(1, y, out=out)
        out *= y
        out *= dy

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        np.multiply(y, -2, out=out)  # f'' = f' (1 - 2 f)
        out += 1
        out *= jvp
        out *= dy


@final
@register
class Tanh(Activation):
    """f(x) = tanh(x); f' = 1 - f**2.

    Examples
    --------
    >>> Tanh().forward(np.array([[0.0, 1e4]]))
    array([[0., 1.]])
    """

    def function(self, x: Array, out: Array) -> None:
        np.tanh(x, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.multiply(y, y, out=out)
        np.subtract(1, out, out=out)
        out *= dy

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        np.multiply(y, -2, out=out)  # f'' = -2 f f'
        out *= jvp
        out *= dy


@final
@register
class ReLU(Activation):
    """f(x) = max(x, 0); f' = 1 where x > 0, else 0 (at the kink too).

    Examples
    --------
    >>> ReLU().forward(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """

    def function(self, x: Array, out: Array) -> None:
        np.maximum(x, 0, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.greater(y, 0, out=out)
        out *= dy

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        out.fill(0)


@final
@register
class Softmax(Activation):
    """f(x)_j = exp(x_j) / sum_k exp(x_k) along each row; dC/dx = f * (dy - sum_k dy_k f_k).

    Examples
    --------
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

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        row = self._row(x)
        np.multiply(dy, jvp, out=out)
        np.sum(out, axis=1, keepdims=True, out=row)
        change = y * row
        np.multiply(dy, y, out=out)
        np.sum(out, axis=1, keepdims=True, out=row)
        np.subtract(dy, row, out=out)
        out *= jvp
        out -= change

    def _row(self, x: Array) -> Array:
        return self.workspace.array("row", (len(x), 1), x.dtype)

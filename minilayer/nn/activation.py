"""Activation: the contract of layers without parameters that give as many columns as they take."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import final

from ..utils.floating_point import ignores_floating_point_errors
from ..utils.types import Array
from .layer import Layer


class Activation(Layer):
    """A function without parameters, applied to each row.

    A subclass writes ``function`` and ``gradient``. With ``second_derivative`` too, exact Hessian
    products pass through it; Gauss-Newton products do not need that.

    Examples
    --------
    >>> import numpy as np
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

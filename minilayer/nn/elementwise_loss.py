"""ElementwiseLoss: a loss written as formulas; Huber and PinballLoss are such."""

from __future__ import annotations

from abc import abstractmethod
from typing import final

import numpy as np

from ..utils.checks import check_number
from ..utils.types import Array
from .configured import register
from .loss import Loss, checked_array, write_weighted
from .workspace import Workspace


class ElementwiseLoss(Loss):
    """A loss that is a sum of one function of z and target over rows and columns.

    A subclass writes ``value`` and ``derivative``, names its ``output_activation``, and keeps each
    constructor argument as an attribute of the same name. With ``second_derivative`` too, Hessian
    products pass through it. Sums, weights, shards and single precision are the base class's.
    ``minilayer.testing.check_loss`` tests it, and ``@register`` lets checkpoints store it.

    Gauss-Newton products take a negative second derivative as 0.

    Examples
    --------
    >>> import math
    >>> from minilayer import Identity
    >>> class LogCosh(ElementwiseLoss):
    ...     output_activation = Identity
    ...     def value(self, z, target):
    ...         return np.logaddexp(z - target, target - z) - math.log(2)
    ...     def derivative(self, z, target):
    ...         return np.tanh(z - target)
    >>> z = np.array([[1.0, 5.0]])
    >>> round(LogCosh().value_and_error_(z, np.array([[1.0, 1.0]]), Workspace()), 3), z.round(3)
    (3.307, array([[0.   , 0.999]]))
    """

    @abstractmethod
    def value(self, z: Array, target: Array) -> Array:
        """Return the loss of each element.

        Parameters
        ----------
        z : ndarray, shape (m, n)
            What the loss sees: the input of its ``output_activation``, or the prediction if that is
            None. Read-only, float64 or float32.
        target : ndarray, shape (m, n)
            The targets, read-only and of the same dtype.

        Returns
        -------
        ndarray, shape (m, n)
            The values.
        """

    @abstractmethod
    def derivative(self, z: Array, target: Array) -> Array:
        """Return the derivative of each element's value with respect to z.

        Parameters
        ----------
        z : ndarray, shape (m, n)
            As for ``value``.
        target : ndarray, shape (m, n)
            The targets.

        Returns
        -------
        ndarray, shape (m, n)
            The derivatives.
        """

    def second_derivative(self, z: Array, target: Array) -> Array:
        """Return the derivative of ``derivative`` with respect to z; only Newton methods need it.

        Parameters
        ----------
        z : ndarray, shape (m, n)
            As for ``value``.
        target : ndarray, shape (m, n)
            The targets.

        Returns
        -------
        ndarray, shape (m, n)
            The second derivatives.

        Raises
        ------
        CurvatureError
            For a loss that does not define it.
        """
        raise self._unsupported("second_derivative")

    @final
    def value_and_error_(
        self, z: Array, target: Array, work: Workspace, weight: Array | None = None
    ) -> float:
        z_only, target_only = _read_only(z), _read_only(target)
        values = checked_array(self, "value", self.value(z_only, target_only), z)
        errors = checked_array(self, "derivative", self.derivative(z_only, target_only), z)
        if weight is None:
            total = float(np.sum(values))
            np.copyto(z, errors)
            return total
        weighted = work.array("weighted", z.shape, z.dtype)
        write_weighted(values, weight, out=weighted)
        total = float(np.sum(weighted))
        write_weighted(errors, weight, out=z)
        return total

    @final
    def error_jvp(
        self,
        z: Array,
        dz: Array,
        target: Array,
        work: Workspace,
        weight: Array | None = None,
        *,
        gauss_newton: bool = False,
    ) -> Array:
        found = self.second_derivative(_read_only(z), _read_only(target))
        second = checked_array(self, "second_derivative", found, z)
        change = work.array("error jvp", z.shape, z.dtype)
        np.multiply(np.maximum(second, 0) if gauss_newton else second, dz, out=change)
        if weight is not None:
            write_weighted(change, weight, out=change)
        return change

    @final
    def require_hessian_support(self) -> None:
        if type(self).second_derivative is ElementwiseLoss.second_derivative:
            raise self._unsupported("second_derivative")


@final
@register
class Huber(ElementwiseLoss):
    """r**2 / 2 up to abs(r) = delta, beyond it delta * (abs(r) - delta / 2), with r = p - y.

    Outliers pull with the force delta at most. Here p is the prediction of any last layer, and the
    loss is summed over the columns.

    Parameters
    ----------
    delta : float, default 1.0
        Where the loss becomes linear, in the targets' unit.

    Raises
    ------
    TypeError, ValueError
        If delta is not a number above 0.

    References
    ----------
    Huber, Robust estimation of a location parameter, 1964.

    Examples
    --------
    >>> p = np.array([[1.0, 5.0]])
    >>> Huber(2.0).value(p, np.zeros((1, 2))), Huber(2.0).derivative(p, np.zeros((1, 2)))
    (array([[0.5, 8. ]]), array([[1., 2.]]))
    """

    output_activation = None

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = check_number("delta of Huber", delta, above=True)

    def value(self, z: Array, target: Array) -> Array:
        r = z - target
        clipped = np.clip(r, -self.delta, self.delta)
        r -= clipped / 2
        r *= clipped
        return r

    def derivative(self, z: Array, target: Array) -> Array:
        return np.asarray(np.clip(z - target, -self.delta, self.delta))

    def second_derivative(self, z: Array, target: Array) -> Array:
        return np.asarray(np.abs(z - target) <= self.delta)


@final
@register
class PinballLoss(ElementwiseLoss):
    """The loss whose minimum is a quantile of the targets, smoothed.

    With r = p - y it is ``smoothing * log(1 + exp(r / smoothing)) - quantile * r``. This exceeds
    the pinball loss, ``max(r, 0) - quantile * r``, by at most 0.69 * smoothing, at r = 0. Here p is
    the prediction of any last layer, and the loss is summed over the columns.

    Parameters
    ----------
    quantile : float
        Between 0 and 1: the share of the targets that lie below the prediction.
    smoothing : float
        In the targets' unit. A hundredth of their spread changes the quantile little; Newton
        methods and LBFGS need more steps the smaller it is.

    Raises
    ------
    TypeError, ValueError
        If quantile is not between 0 and 1, or smoothing not above 0.

    References
    ----------
    Koenker and Bassett, Regression quantiles, 1978. Zheng, Gradient descent algorithms for quantile
    regression with smooth approximation, 2011.

    Examples
    --------
    >>> PinballLoss(0.9, smoothing=0.01).value(np.array([[-1.0, 1.0]]), np.zeros((1, 2)))
    array([[0.9, 0.1]])
    """

    output_activation = None

    def __init__(self, quantile: float, smoothing: float) -> None:
        self.quantile = check_number("quantile of PinballLoss", quantile, above=True)
        if self.quantile >= 1:
            raise ValueError(f"quantile of PinballLoss: expected a number < 1, found {quantile}")
        self.smoothing = check_number("smoothing of PinballLoss", smoothing, above=True)

    def value(self, z: Array, target: Array) -> Array:
        r = z - target
        rounded = np.log1p(np.exp(-np.abs(r) / self.smoothing))  # no overflow for r of any size
        return np.asarray(np.maximum(r, 0) - self.quantile * r + self.smoothing * rounded)

    def derivative(self, z: Array, target: Array) -> Array:
        return self._sigmoid(z - target) - self.quantile

    def second_derivative(self, z: Array, target: Array) -> Array:
        return self._sigmoid(z - target) * self._sigmoid(target - z) / self.smoothing

    def _sigmoid(self, r: Array) -> Array:
        e = np.exp(-np.abs(r) / self.smoothing)
        return np.asarray(np.where(r > 0, 1, e) / (1 + e))


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view

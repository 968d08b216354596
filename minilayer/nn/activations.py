"""The activations of minilayer: each is its function, its gradient and its second derivative."""

from __future__ import annotations

import math
from typing import final

import numpy as np

from ..utils.checks import check_number
from ..utils.types import Array
from .activation import Activation
from .configured import register

SMALLEST_QUOTIENT = 1e-30
"""Below it y / x may lose digits, as y is so small; sigmoid(x) is 1/2 there."""
GELU_RANGE = 30.0
"""Beyond it the slope of GELU is 0 or 1 in double precision."""


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
class LeakyReLU(Activation):
    """f(x) = x where x > 0, else slope * x; f' = 1 or slope (slope at the kink too).

    Parameters
    ----------
    slope : float, default 0.01
        At least 0; 0 is ReLU.

    Raises
    ------
    TypeError, ValueError
        If slope is not a number of at least 0.

    References
    ----------
    Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic models, 2013.

    Examples
    --------
    >>> LeakyReLU().forward(np.array([[-1.0, 2.0]]))
    array([[-0.01,  2.  ]])
    """

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = check_number("slope of LeakyReLU", slope)

    def function(self, x: Array, out: Array) -> None:
        np.multiply(x, self.slope, out=out)
        np.copyto(out, x, where=x > 0)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.multiply(dy, self.slope, out=out)
        np.copyto(out, dy, where=x > 0)

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        out.fill(0)


@final
@register
class ELU(Activation):
    """f(x) = x where x > 0, else alpha * (exp(x) - 1); f' = 1 or f + alpha.

    With alpha = 1 there is no kink at 0, but a jump of f''; with another alpha f' is alpha at 0.

    Parameters
    ----------
    alpha : float, default 1.0
        Above 0: f(x) approaches -alpha far below 0.

    Raises
    ------
    TypeError, ValueError
        If alpha is not a number above 0.

    References
    ----------
    Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by exponential
    linear units (ELUs), 2016.

    Examples
    --------
    >>> ELU().forward(np.array([[-1e4, 0.0, 2.0]]))
    array([[-1.,  0.,  2.]])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = check_number("alpha of ELU", alpha, above=True)

    def function(self, x: Array, out: Array) -> None:
        np.minimum(x, 0, out=out)  # no overflow
        np.expm1(out, out=out)
        out *= self.alpha
        np.copyto(out, x, where=x > 0)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.add(y, self.alpha, out=out)
        out *= dy
        np.copyto(out, dy, where=x > 0)

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        np.multiply(jvp, dy, out=out)  # f'' = f' below 0
        np.copyto(out, 0, where=x > 0)


@final
@register
class Softplus(Activation):
    """f(x) = log(1 + exp(x)), a smooth ReLU; f' = sigmoid(x) = 1 - exp(-f).

    References
    ----------
    Dugas, Bengio, Bélisle, Nadeau and Garcia, Incorporating second-order functional knowledge for
    better option pricing, 2001.

    Examples
    --------
    >>> Softplus().forward(np.array([[-1e4, 0.0, 1e4]])).round(6)
    array([[0.00000e+00, 6.93147e-01, 1.00000e+04]])
    """

    def function(self, x: Array, out: Array) -> None:
        np.abs(x, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)  # at most 1
        np.log1p(out, out=out)
        positive = self.workspace.array("positive", x.shape, x.dtype)
        out += np.maximum(x, 0, out=positive)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.negative(y, out=out)
        np.expm1(out, out=out)
        out *= dy
        np.negative(out, out=out)

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        np.negative(y, out=out)  # f'' = f' exp(-f)
        np.exp(out, out=out)
        out *= jvp
        out *= dy


@final
@register
class SiLU(Activation):
    """f(x) = x s(x) with the sigmoid s, also called swish; f' = s + f (1 - s).

    References
    ----------
    Elfwing, Uchibe and Doya, Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning, 2018.

    Examples
    --------
    >>> SiLU().forward(np.array([[0.0, 1e4]]))
    array([[    0., 10000.]])
    """

    def function(self, x: Array, out: Array) -> None:
        np.negative(x, out=out)
        np.exp(out, out=out)  # exp(1e4) is inf and x / inf is the right 0
        out += 1
        np.divide(x, out, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        _quotient(y, x, out)
        rest = self.workspace.array("rest", x.shape, x.dtype)
        np.subtract(1, out, out=rest)
        rest *= y
        out += rest
        out *= dy

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        _quotient(y, x, out)  # f'' = s (1 - s) (2 + x - 2 f)
        out *= 1 - out
        factor = y * -2
        factor += x
        factor += 2
        out *= factor
        out *= dx
        out *= dy


@final
@register
class GELU(Activation):
    """f(x) = x s(w) with the sigmoid s and w = sqrt(8 / pi) (x + 0.044715 x**3).

    This is the tanh form, x / 2 * (1 + tanh(w / 2)): PyTorch's ``GELU(approximate="tanh")``. It
    differs from x times the normal distribution function by less than 0.0005.

    References
    ----------
    Hendrycks and Gimpel, Gaussian error linear units (GELUs), 2016.

    Examples
    --------
    >>> GELU().forward(np.array([[-1.0, 0.0, 1e4]])).round(4)
    array([[-1.588e-01,  0.000e+00,  1.000e+04]])
    """

    LINEAR = math.sqrt(8 / math.pi)
    CUBIC = 0.044715 * LINEAR

    def function(self, x: Array, out: Array) -> None:
        np.multiply(x, x, out=out)
        out *= -self.CUBIC
        out -= self.LINEAR
        out *= x
        np.exp(out, out=out)  # exp(-w)
        out += 1
        np.divide(x, out, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        _quotient(y, x, out)  # f' = s + f (1 - s) w'
        rest = self.workspace.array("rest", x.shape, x.dtype)
        np.subtract(1, out, out=rest)
        rest *= y
        rest *= self._slope(x)
        out += rest
        out *= dy

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        _quotient(y, x, out)  # f'' = s (1 - s) (2 w' + x w'' + x (1 - 2 s) w'**2)
        slope = self._slope(x)
        clipped = np.clip(x, -GELU_RANGE, GELU_RANGE)
        factor = 1 - 2 * out
        factor *= clipped * slope
        factor += 2
        factor *= slope
        factor += 6 * self.CUBIC * clipped * clipped
        out *= 1 - out
        out *= factor
        out *= dx
        out *= dy

    def _slope(self, x: Array) -> Array:
        """Return dw/dx where it matters."""
        slope = self.workspace.array("slope", x.shape, x.dtype)
        np.clip(x, -GELU_RANGE, GELU_RANGE, out=slope)
        slope *= slope
        slope *= 3 * self.CUBIC
        slope += self.LINEAR
        return slope


@final
@register
class Sin(Activation):
    """f(x) = sin(x), for signals and images; f' = cos(x).

    References
    ----------
    Sitzmann, Martel, Bergman, Lindell and Wetzstein, Implicit neural representations with periodic
    activation functions, 2020.

    Examples
    --------
    >>> Sin().forward(np.array([[0.0, np.pi / 2]]))
    array([[0., 1.]])
    """

    def function(self, x: Array, out: Array) -> None:
        np.sin(x, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.cos(x, out=out)
        out *= dy

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        np.multiply(y, dx, out=out)  # f'' = -f
        out *= dy
        np.negative(out, out=out)


@final
@register
class Exp(Activation):
    """f(x) = exp(x) = f'(x): the mean of counts, with the loss Poisson.

    It is infinite for x above 709, in single precision above 88; no larger number is
    representable. Poisson sees x itself, and trainers step back from infinite costs.

    Examples
    --------
    >>> Exp().forward(np.array([[-1e4, 0.0, 1e4]]))
    array([[ 0.,  1., inf]])
    """

    def function(self, x: Array, out: Array) -> None:
        np.exp(x, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.multiply(y, dy, out=out)

    def second_derivative(
        self, x: Array, y: Array, dx: Array, jvp: Array, dy: Array, out: Array
    ) -> None:
        np.multiply(jvp, dy, out=out)


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


def _quotient(y: Array, x: Array, out: Array) -> None:
    """Write s = y / x for y = x s, without another exponential; s is 1/2 at 0."""
    out.fill(0.5)
    np.divide(y, x, out=out, where=np.abs(x) > SMALLEST_QUOTIENT)

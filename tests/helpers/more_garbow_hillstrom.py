"""The sums of squares of More, Garbow and Hillstrom: residuals, Jacobians, starts, minima.

The numbers are those of the paper. The costs are plain sums of squares, without a factor 1/2.
In problem 11 a known misprint is mended: the exponent's base is abs(y_i - x2).

References
----------
More, Garbow and Hillstrom, Testing unconstrained optimization software, ACM Transactions on
Mathematical Software 7, 1981.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minilayer.utils.types import Array
from tests.helpers.numbers import numbers

Residuals = Callable[[Array], tuple[Array, Array]]
"""Returns the residuals (m,) and their Jacobian (m, n) at x."""


@dataclass(frozen=True)
class SumOfSquares:
    """A problem of the set. A minimum at infinity is one that ``minima`` names, too."""

    name: str
    residuals: Residuals
    start: Array
    minima: tuple[float, ...]

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Return cost and gradient at x."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            f, J = self.residuals(x)
            return float(f @ f), 2 * J.T @ f


def rosenbrock(x: Array) -> tuple[Array, Array]:
    """Problem 1."""
    f = np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])
    return f, np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])


def freudenstein_roth(x: Array) -> tuple[Array, Array]:
    """Problem 2."""
    a, b = x
    f = np.array([-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b])
    return f, np.array([[1.0, 10 * b - 3 * b**2 - 2], [1.0, 3 * b**2 + 2 * b - 14]])


def powell_badly_scaled(x: Array) -> tuple[Array, Array]:
    """Problem 3."""
    f = np.array([1e4 * x[0] * x[1] - 1, np.exp(-x).sum() - 1.0001])
    return f, np.array([1e4 * x[::-1], -np.exp(-x)])


def brown_badly_scaled(x: Array) -> tuple[Array, Array]:
    """Problem 4."""
    f = np.array([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])
    return f, np.array([[1.0, 0.0], [0.0, 1.0], [x[1], x[0]]])


def beale(x: Array) -> tuple[Array, Array]:
    """Problem 5."""
    i = np.arange(1, 4)
    power = x[1] ** i
    f = np.array([1.5, 2.25, 2.625]) - x[0] * (1 - power)
    return f, np.column_stack([power - 1, x[0] * i * x[1] ** (i - 1)])


def jennrich_sampson(x: Array) -> tuple[Array, Array]:
    """Problem 6, m = 10."""
    i = np.arange(1.0, 11)[:, None]
    powers = np.exp(i * x)
    return 2 + 2 * i[:, 0] - powers.sum(axis=1), -i * powers


def helical_valley(x: Array) -> tuple[Array, Array]:
    """Problem 7."""
    square = x[0] ** 2 + x[1] ** 2
    radius = math.sqrt(square)
    theta = math.atan(x[1] / x[0]) / (2 * math.pi) + (0.5 if x[0] < 0 else 0.0)
    f = np.array([10 * (x[2] - 10 * theta), 10 * (radius - 1), x[2]])
    turn = 50 / (math.pi * square)
    J = [
        [turn * x[1], -turn * x[0], 10.0],
        [10 * x[0] / radius, 10 * x[1] / radius, 0.0],
        [0.0, 0.0, 1.0],
    ]
    return f, np.array(J)


BARD_Y = numbers("0.14 0.18 0.22 0.25 0.29 0.32 0.35 0.39 0.37 0.58 0.73 0.96 1.34 2.10 4.39")


def bard(x: Array) -> tuple[Array, Array]:
    """Problem 8."""
    u = np.arange(1.0, 16)
    v = 16 - u
    w = np.minimum(u, v)
    below = v * x[1] + w * x[2]
    J = np.column_stack([-np.ones(15), u * v / below**2, u * w / below**2])
    return BARD_Y - (x[0] + u / below), J


GAUSSIAN_HALF = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521]
GAUSSIAN_Y = np.array([*GAUSSIAN_HALF, 0.3989, *reversed(GAUSSIAN_HALF)])


def gaussian(x: Array) -> tuple[Array, Array]:
    """Problem 9."""
    t = (8 - np.arange(1.0, 16)) / 2 - x[2]
    bell = np.exp(-x[1] * t**2 / 2)
    J = np.column_stack([bell, -x[0] * bell * t**2 / 2, x[0] * bell * x[1] * t])
    return x[0] * bell - GAUSSIAN_Y, J


MEYER_Y = numbers(
    "34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872"
)


def meyer(x: Array) -> tuple[Array, Array]:
    """Problem 10."""
    t = 45 + 5 * np.arange(1.0, 17) + x[2]
    growth = np.exp(x[1] / t)
    J = np.column_stack([growth, x[0] * growth / t, -x[0] * growth * x[1] / t**2])
    return x[0] * growth - MEYER_Y, J


def gulf(x: Array) -> tuple[Array, Array]:
    """Problem 11, m = 99."""
    t = np.arange(1.0, 100) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    distance = np.abs(y - x[1])
    power = distance ** x[2] / x[0]
    decay = np.exp(-power)
    J = np.column_stack(
        [
            decay * power / x[0],
            decay * power * x[2] / (y - x[1]),
            -decay * power * np.log(distance),
        ]
    )
    return decay - t, J


def box(x: Array) -> tuple[Array, Array]:
    """Problem 12, m = 10."""
    t = np.arange(1.0, 11) / 10
    first = np.exp(-t * x[0])
    second = np.exp(-t * x[1])
    third = np.exp(-t) - np.exp(-10 * t)
    return first - second - x[2] * third, np.column_stack([-t * first, t * second, -third])


def powell_singular(x: Array) -> tuple[Array, Array]:
    """Problems 13 and 22: four variables at a time."""
    f = np.zeros(x.size)
    J = np.zeros((x.size, x.size))
    for i in range(0, x.size, 4):
        a, b, c, d = x[i : i + 4]
        f[i : i + 4] = a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, 10**0.5 * (a - d) ** 2
        J[i : i + 4, i : i + 4] = [
            [1.0, 10.0, 0.0, 0.0],
            [0.0, 0.0, 5**0.5, -(5**0.5)],
            [0.0, 2 * (b - 2 * c), -4 * (b - 2 * c), 0.0],
            [2 * 10**0.5 * (a - d), 0.0, 0.0, -2 * 10**0.5 * (a - d)],
        ]
    return f, J


def wood(x: Array) -> tuple[Array, Array]:
    """Problem 14."""
    a, b, c, d = x
    r90 = 90**0.5
    r10 = 10**0.5
    f = [10 * (b - a**2), 1 - a, r90 * (d - c**2), 1 - c, r10 * (b + d - 2), (b - d) / r10]
    J = [
        [-20 * a, 10.0, 0.0, 0.0],
        [-1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, -2 * r90 * c, r90],
        [0.0, 0.0, -1.0, 0.0],
        [0.0, r10, 0.0, r10],
        [0.0, 1 / r10, 0.0, -1 / r10],
    ]
    return np.array(f), np.array(J)


KOWALIK_Y = numbers("0.1957 0.1947 0.1735 0.1600 0.0844 0.0627 0.0456 0.0342 0.0323 0.0235 0.0246")
KOWALIK_U = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])


def kowalik_osborne(x: Array) -> tuple[Array, Array]:
    """Problem 15."""
    u = KOWALIK_U
    above = u**2 + u * x[1]
    below = u**2 + u * x[2] + x[3]
    part = x[0] / below
    J = np.column_stack([-above / below, -part * u, part * above * u / below, part * above / below])
    return KOWALIK_Y - part * above, J


def brown_dennis(x: Array) -> tuple[Array, Array]:
    """Problem 16, m = 20."""
    t = np.arange(1.0, 21) / 5
    first = x[0] + t * x[1] - np.exp(t)
    second = x[2] + x[3] * np.sin(t) - np.cos(t)
    J = 2 * np.column_stack([first, first * t, second, second * np.sin(t)])
    return first**2 + second**2, J


OSBORNE_1_Y = numbers(
    "0.844 0.908 0.932 0.936 0.925 0.908 0.881 0.850 0.818 0.784 0.751 "
    "0.718 0.685 0.658 0.628 0.603 0.580 0.558 0.538 0.522 0.506 0.490 "
    "0.478 0.467 0.457 0.448 0.438 0.431 0.424 0.420 0.414 0.411 0.406"
)


def osborne_1(x: Array) -> tuple[Array, Array]:
    """Problem 17."""
    t = 10 * np.arange(33.0)
    first = np.exp(-t * x[3])
    second = np.exp(-t * x[4])
    J = np.column_stack([-np.ones(33), -first, -second, x[1] * t * first, x[2] * t * second])
    return OSBORNE_1_Y - (x[0] + x[1] * first + x[2] * second), J


def biggs(x: Array) -> tuple[Array, Array]:
    """Problem 18, m = 13."""
    t = np.arange(1.0, 14) / 10
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    first, second, third = (np.exp(-t * rate) for rate in (x[0], x[1], x[4]))
    J = np.column_stack(
        [-t * x[2] * first, t * x[3] * second, first, -second, -t * x[5] * third, third]
    )
    return x[2] * first - x[3] * second + x[5] * third - y, J


OSBORNE_2_Y = numbers(
    "1.366 1.191 1.112 1.013 0.991 0.885 0.831 0.847 0.786 0.725 0.746 0.679 0.608 "
    "0.655 0.616 0.606 0.602 0.626 0.651 0.724 0.649 0.649 0.694 0.644 0.624 0.661 "
    "0.612 0.558 0.533 0.495 0.500 0.423 0.395 0.375 0.372 0.391 0.396 0.405 0.428 "
    "0.429 0.523 0.562 0.607 0.653 0.672 0.708 0.633 0.668 0.645 0.632 0.591 0.559 "
    "0.597 0.625 0.739 0.710 0.729 0.720 0.636 0.581 0.428 0.292 0.162 0.098 0.054"
)


def osborne_2(x: Array) -> tuple[Array, Array]:
    """Problem 19."""
    t = np.arange(65.0)[:, None] / 10
    first = np.exp(-t[:, 0] * x[4])
    shift = t - x[8:]
    bells = np.exp(-(shift**2) * x[5:8])
    J = np.column_stack(
        [
            -first,
            -bells,
            x[0] * t[:, 0] * first,
            x[1:4] * shift**2 * bells,
            -2 * x[1:4] * x[5:8] * shift * bells,
        ]
    )
    return OSBORNE_2_Y - x[0] * first - bells @ x[1:4], J


def watson(x: Array) -> tuple[Array, Array]:
    """Problem 20."""
    j = np.arange(x.size)
    t = np.arange(1.0, 30)[:, None] / 29
    powers = t**j
    derivatives = j * t ** np.maximum(j - 1, 0)
    total = powers @ x
    f = derivatives @ x - total**2 - 1
    J = derivatives - 2 * total[:, None] * powers
    last = np.zeros((2, x.size))
    last[0, 0] = 1
    last[1, :2] = -2 * x[0], 1
    return np.array([*f, x[0], x[1] - x[0] ** 2 - 1]), np.vstack([J, last])


def extended_rosenbrock(x: Array) -> tuple[Array, Array]:
    """Problem 21: two variables at a time."""
    f = np.zeros(x.size)
    J = np.zeros((x.size, x.size))
    for i in range(0, x.size, 2):
        f[i : i + 2], J[i : i + 2, i : i + 2] = rosenbrock(x[i : i + 2])
    return f, J


def penalty_1(x: Array) -> tuple[Array, Array]:
    """Problem 23."""
    root = 1e-5**0.5
    f = np.array([*(root * (x - 1)), x @ x - 0.25])
    return f, np.vstack([root * np.eye(x.size), 2 * x])


def penalty_2(x: Array) -> tuple[Array, Array]:
    """Problem 24."""
    n = x.size
    i = np.arange(1.0, n + 1)
    root = 1e-5**0.5
    powers = np.exp(x / 10)
    y = np.exp(i[1:] / 10) + np.exp(i[:-1] / 10)
    weights = n - i + 1
    pairs = root * (powers[1:] + powers[:-1] - y)
    singles = root * (powers[1:] - math.exp(-0.1))
    f = np.array([x[0] - 0.2, *pairs, *singles, weights @ x**2 - 1])
    slopes = np.diag(root * powers / 10)
    first = np.zeros(n)
    first[0] = 1
    J = np.vstack([first, slopes[1:] + slopes[:-1], slopes[1:], 2 * weights * x])
    return f, J


def variably_dimensioned(x: Array) -> tuple[Array, Array]:
    """Problem 25."""
    j = np.arange(1.0, x.size + 1)
    total = j @ (x - 1)
    return np.array([*(x - 1), total, total**2]), np.vstack([np.eye(x.size), j, 2 * total * j])


def trigonometric(x: Array) -> tuple[Array, Array]:
    """Problem 26."""
    i = np.arange(1.0, x.size + 1)
    f = x.size - np.cos(x).sum() + i * (1 - np.cos(x)) - np.sin(x)
    return f, np.sin(x) + np.diag(i * np.sin(x) - np.cos(x))


def brown_almost_linear(x: Array) -> tuple[Array, Array]:
    """Problem 27."""
    n = x.size
    f = x + x.sum() - (n + 1)
    J = np.eye(n) + 1
    f[-1] = x.prod() - 1
    J[-1] = [np.delete(x, j).prod() for j in range(n)]
    return f, J


def discrete_boundary_value(x: Array) -> tuple[Array, Array]:
    """Problem 28."""
    n = x.size
    h = 1 / (n + 1)
    cubed = x + h * np.arange(1, n + 1) + 1
    beside = np.eye(n, k=1) + np.eye(n, k=-1)
    f = 2 * x - beside @ x + h**2 * cubed**3 / 2
    return f, 2 * np.eye(n) - beside + np.diag(1.5 * h**2 * cubed**2)


def discrete_integral_equation(x: Array) -> tuple[Array, Array]:
    """Problem 29."""
    n = x.size
    h = 1 / (n + 1)
    t = h * np.arange(1, n + 1)
    cubed = x + t + 1
    until = np.tril(np.outer(1 - t, t))
    after = np.triu(np.outer(t, 1 - t), k=1)
    weights = h / 2 * (until + after)
    return x + weights @ cubed**3, np.eye(n) + weights * 3 * cubed**2


def broyden_tridiagonal(x: Array) -> tuple[Array, Array]:
    """Problem 30."""
    n = x.size
    beside = np.eye(n, k=-1) + 2 * np.eye(n, k=1)
    return (3 - 2 * x) * x - beside @ x + 1, np.diag(3 - 4 * x) - beside


def broyden_banded(x: Array) -> tuple[Array, Array]:
    """Problem 31."""
    n = x.size
    band = np.tril(np.triu(np.ones((n, n)), k=-5), k=1) - np.eye(n)
    f = x * (2 + 5 * x**2) + 1 - band @ (x * (1 + x))
    return f, np.diag(2 + 15 * x**2) - band * (1 + 2 * x)


def linear_full_rank(x: Array) -> tuple[Array, Array]:
    """Problem 32, m = 2 n."""
    m = 2 * x.size
    J = np.eye(m, x.size) - 2 / m
    return J @ x - 1, J


def linear_rank_1(x: Array) -> tuple[Array, Array]:
    """Problem 33, m = 2 n."""
    J = np.outer(np.arange(1.0, 2 * x.size + 1), np.arange(1.0, x.size + 1))
    return J @ x - 1, J


def linear_rank_1_with_zeros(x: Array) -> tuple[Array, Array]:
    """Problem 34, m = 2 n."""
    m = 2 * x.size
    i = np.arange(m, dtype=float)
    j = np.arange(1.0, x.size + 1)
    i[-1] = j[0] = j[-1] = 0
    J = np.outer(i, j)
    return J @ x - 1, J


def chebyquad(x: Array) -> tuple[Array, Array]:
    """Problem 35, m = n."""
    n = x.size
    i = np.arange(1, n + 1)
    integrals = np.where(i % 2 == 0, -1 / np.maximum(i**2 - 1.0, 1), 0.0)
    z = 2 * x - 1
    values = [np.ones(n), z]
    slopes = [np.zeros(n), np.full(n, 2.0)]
    for _ in range(1, n):
        slopes.append(4 * values[-1] + 2 * z * slopes[-1] - slopes[-2])
        values.append(2 * z * values[-1] - values[-2])
    return np.mean(values[1:], axis=1) - integrals, np.array(slopes[1:]) / n


def _interior(n: int) -> Array:
    """The start of problems 28 and 29."""
    t = np.arange(1, n + 1) / (n + 1)
    return np.asarray(t * (t - 1))


def _alternating(n: int) -> Array:
    return np.tile([-1.2, 1.0], n // 2)


def _counted(n: int) -> Array:
    return np.arange(1.0, n + 1)


def _problem(name: str, residuals: Residuals, start: object, *minima: float) -> SumOfSquares:
    return SumOfSquares(name, residuals, np.array(start, dtype=float), minima)


PROBLEMS = (
    _problem("Rosenbrock", rosenbrock, [-1.2, 1], 0.0),
    _problem("Freudenstein and Roth", freudenstein_roth, [0.5, -2], 0.0, 48.984253679),
    _problem("Powell badly scaled", powell_badly_scaled, [0, 1], 0.0),
    _problem("Brown badly scaled", brown_badly_scaled, [1, 1], 0.0),
    _problem("Beale", beale, [1, 1], 0.0),
    _problem("Jennrich and Sampson", jennrich_sampson, [0.3, 0.4], 124.362182),
    _problem("helical valley", helical_valley, [-1, 0, 0], 0.0),
    _problem("Bard", bard, [1, 1, 1], 8.21487e-3, 17.4286),
    _problem("Gaussian", gaussian, [0.4, 1, 0], 1.12793e-8),
    _problem("Meyer", meyer, [0.02, 4000, 250], 87.9458),
    _problem("Gulf", gulf, [5, 2.5, 0.15], 0.0),
    _problem("Box", box, [0, 10, 20], 0.0),
    _problem("Powell singular", powell_singular, [3, -1, 0, 1], 0.0),
    _problem("Wood", wood, [-3, -1, -3, -1], 0.0),
    _problem("Kowalik and Osborne", kowalik_osborne, [0.25, 0.39, 0.415, 0.39], 3.07505e-4),
    _problem("Brown and Dennis", brown_dennis, [25, 5, -5, -1], 85822.2),
    _problem("Osborne 1", osborne_1, [0.5, 1.5, -1, 0.01, 0.02], 5.46489e-5),
    _problem("Biggs", biggs, [1, 2, 1, 1, 1, 1], 0.0, 5.65565e-3),
    _problem(
        "Osborne 2",
        osborne_2,
        [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5],
        4.01377e-2,
    ),
    _problem("Watson 6", watson, np.zeros(6), 2.28767e-3),
    _problem("Watson 9", watson, np.zeros(9), 1.39976e-6),
    _problem("extended Rosenbrock", extended_rosenbrock, _alternating(20), 0.0),
    _problem("extended Powell", powell_singular, np.tile([3, -1, 0, 1], 5), 0.0),
    _problem("penalty I 4", penalty_1, _counted(4), 2.24997e-5),
    _problem("penalty I 10", penalty_1, _counted(10), 7.08765e-5),
    _problem("penalty II 4", penalty_2, np.full(4, 0.5), 9.37629e-6),
    _problem("penalty II 10", penalty_2, np.full(10, 0.5), 2.93660e-4),
    _problem("variably dimensioned", variably_dimensioned, 1 - _counted(10) / 10, 0.0),
    _problem("trigonometric", trigonometric, np.full(10, 0.1), 0.0, 2.79506e-5),
    _problem("Brown almost linear", brown_almost_linear, np.full(10, 0.5), 0.0, 1.0),
    _problem("boundary value", discrete_boundary_value, _interior(10), 0.0),
    _problem("integral equation", discrete_integral_equation, _interior(10), 0.0),
    _problem("Broyden tridiagonal", broyden_tridiagonal, -np.ones(10), 0.0),
    _problem("Broyden banded", broyden_banded, -np.ones(10), 0.0),
    _problem("linear full rank", linear_full_rank, np.ones(10), 10.0),
    _problem("linear rank 1", linear_rank_1, np.ones(10), 20 * 19 / (2 * 41)),
    _problem(
        "linear rank 1 with zeros",
        linear_rank_1_with_zeros,
        np.ones(10),
        (20**2 + 3 * 20 - 6) / (2 * 37),
    ),
    _problem("Chebyquad 7", chebyquad, _counted(7) / 8, 0.0),
    _problem("Chebyquad 8", chebyquad, _counted(8) / 9, 3.51687e-3),
    _problem("Chebyquad 10", chebyquad, _counted(10) / 11, 6.50395e-3),
)

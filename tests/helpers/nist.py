"""The nonlinear regressions MISRA1A to MISRA1D of NIST's Statistical Reference Datasets.

Dental research on monomolecular adsorption: volume y at pressure x. All four have the same data.
The certified sums of squares are NIST's.

References
----------
National Institute of Standards and Technology, Statistical Reference Datasets, nonlinear
regression, https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minilayer.utils.types import Array
from tests.helpers.numbers import numbers

X = numbers("77.6 114.9 141.1 190.8 239.9 289.0 332.8 378.4 434.8 477.3 536.8 593.1 689.1 760.0")
Y = numbers("10.07 14.73 17.94 23.93 29.61 35.18 40.02 44.82 50.76 55.05 61.01 66.40 75.47 81.78")

Shape = Callable[[float], tuple[Array, Array]]
"""Returns y / b1 at X and its derivative by b2."""


@dataclass(frozen=True)
class Regression:
    """The sum of squared residuals of y = b1 shape(b2 x), with its starts and its minimum."""

    shape: Shape
    starts: tuple[tuple[float, float], tuple[float, float]]
    certified: float

    def __call__(self, b: Array) -> tuple[float, Array]:
        """Return cost and gradient at b."""
        with np.errstate(over="ignore", invalid="ignore"):
            shape, slope = self.shape(b[1])
            residuals = b[0] * shape - Y
            gradient = np.array([2 * residuals @ shape, 2 * b[0] * (residuals @ slope)])
            return float(residuals @ residuals), gradient


def misra1a(b2: float) -> tuple[Array, Array]:
    """Return 1 - exp(-b2 x)."""
    decay = np.exp(-b2 * X)
    return 1 - decay, X * decay


def misra1b(b2: float) -> tuple[Array, Array]:
    """Return 1 - (1 + b2 x / 2)**-2."""
    base = 1 + b2 * X / 2
    return 1 - base**-2, X * base**-3


def misra1c(b2: float) -> tuple[Array, Array]:
    """Return 1 - (1 + 2 b2 x)**-0.5."""
    base = 1 + 2 * b2 * X
    return 1 - base**-0.5, X * base**-1.5


def misra1d(b2: float) -> tuple[Array, Array]:
    """Return b2 x / (1 + b2 x)."""
    base = 1 + b2 * X
    return b2 * X / base, X / base**2


MISRA = {
    "MISRA1A": Regression(misra1a, ((500, 1e-4), (250, 5e-4)), 1.2455138894e-1),
    "MISRA1B": Regression(misra1b, ((500, 1e-4), (300, 2e-4)), 7.5464681533e-2),
    "MISRA1C": Regression(misra1c, ((500, 1e-4), (600, 2e-4)), 4.0966836971e-2),
    "MISRA1D": Regression(misra1d, ((500, 1e-4), (450, 3e-4)), 5.6419295283e-2),
}

"""The table of trainers that every test of their contract goes through, and a function for them all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import minilayer as ml
from minilayer.utils.types import Array

CURVED = ("trust-constr", "Newton-CG", "trust-ncg", "trust-krylov")
METHODS = ("TNC", "L-BFGS-B", "CG", "BFGS", "SLSQP", *CURVED)
Make = Callable[..., ml.Trainer]


def scipy_method(method: str) -> Make:
    return lambda **options: ml.ScipyTrainer(method, **options)


TRAINERS: dict[str, Make] = {method: scipy_method(method) for method in METHODS}
TRAINERS["L-BFGS"] = lambda **options: ml.LBFGS(**options)
TRAINERS["gradient descent"] = lambda **options: ml.GradientDescent(0.5, momentum=0.9, **options)
TRAINERS["Nesterov"] = lambda **options: ml.GradientDescent(
    0.5, rule=ml.Momentum(0.9, nesterov=True), **options
)
TRAINERS["Adam"] = lambda **options: ml.GradientDescent(0.1, rule=ml.Adam(), **options)
TRAINERS["Newton-CG by Gauss-Newton"] = lambda **options: ml.ScipyTrainer(
    "Newton-CG", gauss_newton=True, **options
)


def rosenbrock(x: Array) -> tuple[float, Array]:
    """A curved valley: no method is done within ten evaluations. Gradient descent needs the small factor."""
    a, b = x[1] - x[0] ** 2, 1 - x[0]
    return (100 * a**2 + b**2) / 1e3, np.array([-400 * x[0] * a - 2 * b, 200 * a]) / 1e3


START = [-1.2, 1.0]


class Curved:
    """A function, rosenbrock or one that looks on, with rosenbrock's products with the Hessian."""

    def __init__(self, function: Callable[[Array], tuple[float, Array]] = rosenbrock) -> None:
        self.function = function

    def __call__(self, x: Array) -> tuple[float, Array]:
        return self.function(x)

    def hessp(self, x: Array, v: Array, gauss_newton: bool = False) -> Array:
        H = np.array([[800 * x[0] ** 2 + 2, -400 * x[0]], [-400 * x[0], 200.0]]) / 1e3
        if not gauss_newton:
            H[0, 0] -= 0.4 * (x[1] - x[0] ** 2)
        return np.asarray(H @ v)

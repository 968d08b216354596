"""The table of trainers: every test of their common contract goes through all of it."""

from collections.abc import Callable

import minilayer as ml

HESSIAN_METHODS = ("trust-constr", "Newton-CG", "trust-ncg", "trust-krylov")
"""SciPy's methods that use Hessian products; all but trust-constr need them."""
METHODS = ("TNC", "L-BFGS-B", "CG", "BFGS", "SLSQP", *HESSIAN_METHODS)
Make = Callable[..., ml.Trainer]
"""A function of the budget's arguments that returns a trainer."""


def scipy_method(method: str) -> Make:
    """Return a function that makes a ScipyTrainer of this method."""
    return lambda **options: ml.ScipyTrainer(method, **options)


TRAINERS: dict[str, Make] = {
    **{method: scipy_method(method) for method in METHODS},
    "L-BFGS": lambda **options: ml.LBFGS(**options),
    "gradient descent": lambda **options: ml.GradientDescent(0.5, momentum=0.9, **options),
    "Nesterov": lambda **options: ml.GradientDescent(
        0.5, rule=ml.Momentum(0.9, nesterov=True), **options
    ),
    "Adam": lambda **options: ml.GradientDescent(0.1, rule=ml.Adam(), **options),
    "Newton-CG by Gauss-Newton": lambda **options: ml.ScipyTrainer(
        "Newton-CG", gauss_newton=True, **options
    ),
}

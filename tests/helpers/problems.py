"""Small models, targets, objectives and functions, and problems whose minima are known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import root

import minilayer as ml
from minilayer.utils.types import Array

PAIRS: dict[str, tuple[Any, Any]] = {
    "sigmoid": (ml.Sigmoid, ml.BinaryCrossEntropy),
    "softmax": (ml.Softmax, ml.CategoricalCrossEntropy),
    "identity": (ml.Identity, ml.SquaredError),
    "exp": (ml.Exp, ml.Poisson),
}
"""The canonical pairs: output activation and loss."""

ACTIVATIONS: tuple[type[ml.Activation], ...] = (
    ml.Identity,
    ml.Sigmoid,
    ml.Tanh,
    ml.ReLU,
    ml.LeakyReLU,
    ml.ELU,
    ml.Softplus,
    ml.SiLU,
    ml.GELU,
    ml.Sin,
    ml.Exp,
    ml.Softmax,
)
"""All of minilayer's."""

HIDDEN = tuple(activation for activation in ACTIVATIONS if activation is not ml.Exp)
"""Those that follow each other in a deep network; an exponential of an exponential overflows."""

WIDTHS = {
    "shallow": [3, 2],
    "one hidden": [3, 4, 2],
    "deep": [3, 4, 3, 5, 2],
    "width one": [1, 1, 1, 1],
}


def small_model(
    widths: Sequence[int], hidden: type[ml.Activation], output: type[ml.Activation], seed: int
) -> ml.Sequential:
    """Return Dense layers of these widths with large starting values, biases included."""
    start = ml.UniformEpsilon(0.8)
    return ml.mlp(*widths, hidden=hidden, output=output, seed=seed, initializer=start)


def ex4_model(seed: int = 0) -> ml.Sequential:
    """Return the article's network at the article's start."""
    start = ml.UniformEpsilon(0.125)
    return ml.mlp(400, 25, 10, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=seed, initializer=start)


def targets_for(pair: str, rows: int, columns: int, rng: np.random.Generator) -> Array:
    """Return targets that the pair's loss is defined for."""
    if pair == "softmax":
        weights = rng.random((rows, columns)) + 0.1
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))
    if pair == "sigmoid":
        return rng.random((rows, columns))
    if pair == "exp":
        return rng.poisson(2.0, (rows, columns)).astype(float)
    return rng.standard_normal((rows, columns))


def random_parts(pair: str, rows: int) -> tuple[ml.Sequential, Array, Array]:
    """Return a model with the pair's output activation, X (rows, 4) and Y (rows, 3)."""
    rng = np.random.default_rng(1)
    model = small_model([4, 5, 3], ml.Tanh, PAIRS[pair][0], seed=2)
    return model, rng.standard_normal((rows, 4)), targets_for(pair, rows, 3, rng)


def random_objective(
    pair: str = "sigmoid",
    *,
    widths: Sequence[int] = (4, 5, 3),
    hidden: type[ml.Activation] = ml.Sigmoid,
    model: ml.Sequential | None = None,
    rows: int = 23,
    l2: float = 0.7,
    seed: int = 0,
    **options: Any,
) -> ml.Objective:
    """Return a small model, or this one, on standard normal rows with targets for the pair."""
    rng = np.random.default_rng(seed)
    output, loss = PAIRS[pair]
    if model is None:
        model = small_model(widths, hidden, output, seed + 1)
    X = rng.standard_normal((rows, model.n_inputs))
    Y = targets_for(pair, rows, model.n_outputs, rng)
    return ml.Objective(model, X, Y, loss(), l2, **options)


def overfitting_problem() -> tuple[ml.Objective, Array, Array]:
    """Return an objective, and X and labels for its validation.

    The labels are half chance, so a network of eight units soon learns what does not hold for
    other rows.
    """
    rng = np.random.default_rng(4)
    X = rng.standard_normal((40, 3))
    labels = (X[:, 0] + 1.5 * rng.standard_normal(40) > 0).astype(int)
    model = small_model([3, 8, 1], ml.Tanh, ml.Sigmoid, 0)
    objective = ml.Objective(model, X[:25], labels[:25], ml.BinaryCrossEntropy(), l2=0.01)
    return objective, X[25:], labels[25:]


# A function of two numbers without a network

START = [-1.2, 1.0]


def rosenbrock(x: Array) -> tuple[float, Array]:
    """Return Rosenbrock's function / 1000: a curved valley.

    No method is done within ten evaluations. Gradient descent needs the small factor.
    """
    a = x[1] - x[0] ** 2
    b = 1 - x[0]
    return (100 * a**2 + b**2) / 1e3, np.array([-400 * x[0] * a - 2 * b, 200 * a]) / 1e3


def rosenbrock_hessian(x: Array, gauss_newton: bool = False) -> Array:
    """Return its Hessian, or its Gauss-Newton matrix."""
    hessian = np.array([[800 * x[0] ** 2 + 2, -400 * x[0]], [-400 * x[0], 200.0]]) / 1e3
    if not gauss_newton:
        hessian[0, 0] -= 0.4 * (x[1] - x[0] ** 2)
    return hessian


# Known minima


@dataclass(frozen=True)
class KnownMinimum:
    """An objective, its lowest cost by an independent solver, and how near a run must come."""

    objective: ml.Objective
    cost: float
    tolerance: float


def logistic() -> KnownMinimum:
    """Return logistic regression; scipy.optimize.root solves for the zero of its gradient."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    Y = (X @ [1.0, -2.0, 0.5] + rng.standard_normal(60) > 0).astype(float)[:, None]
    augmented = np.c_[np.ones(60), X]
    mask = np.array([0, 1, 1, 1])

    def gradient(w: Array) -> Array:
        return np.asarray(augmented.T @ (1 / (1 + np.exp(-augmented @ w)) - Y[:, 0]) + mask * w)

    w = root(gradient, np.zeros(4), tol=1e-14).x
    z = augmented @ w
    minimum = float(np.mean(np.logaddexp(0, z) - Y[:, 0] * z) + np.sum((mask * w) ** 2) / 120)
    model = ml.mlp(3, 1, output=ml.Sigmoid, seed=0)
    objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), l2=1.0)
    return KnownMinimum(objective, minimum, 1e-6)


def linear() -> KnownMinimum:
    """Return linear regression; numpy.linalg.lstsq solves it."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((50, 3))
    Y = X @ rng.standard_normal((3, 2)) + 3 + 0.1 * rng.standard_normal((50, 2))
    augmented = np.c_[np.ones(50), X]
    residual = augmented @ np.linalg.lstsq(augmented, Y)[0] - Y
    model = ml.mlp(3, 2, output=ml.Identity, seed=0)
    objective = ml.Objective(model, X, Y, ml.SquaredError())
    return KnownMinimum(objective, float(np.sum(residual**2)) / 100, 1e-6)


def xor_model() -> ml.Sequential:
    start = ml.UniformEpsilon(2.0)
    return ml.mlp(2, 4, 1, hidden=ml.Tanh, output=ml.Sigmoid, seed=3, initializer=start)


XOR_INPUTS = [[0, 0], [0, 1], [1, 0], [1, 1]]
XOR_TARGETS = [[0], [1], [1], [0]]


def xor() -> KnownMinimum:
    """Return the exclusive or, which a network fits without limit: cost 0."""
    objective = ml.Objective(xor_model(), XOR_INPUTS, XOR_TARGETS, ml.BinaryCrossEntropy())
    return KnownMinimum(objective, 0.0, 5e-3)


KNOWN_MINIMA: dict[str, Callable[[], KnownMinimum]] = {
    "logistic": logistic,
    "linear": linear,
    "xor": xor,
}

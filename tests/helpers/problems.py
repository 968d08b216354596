"""Small problems with known minima, for the table of trainers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import root

import minilayer as ml
from minilayer.utils.types import Array


@dataclass(frozen=True)
class Problem:
    """An objective, the cost at its minimum from an independent solver, and how near a trainer must come."""

    objective: ml.Objective
    minimum: float
    tolerance: float


def logistic() -> Problem:
    """Logistic regression as a one-layer network; the minimum is where Newton's equations, by scipy.root, are zero."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    Y = (X @ [1.0, -2.0, 0.5] + rng.standard_normal(60) > 0).astype(float)[:, None]
    augmented, mask = np.c_[np.ones(60), X], np.array([0, 1, 1, 1])

    def equations(w: Array) -> Array:
        return np.asarray(augmented.T @ (1 / (1 + np.exp(-augmented @ w)) - Y[:, 0]) + mask * w)

    w = root(equations, np.zeros(4), tol=1e-14).x
    z = augmented @ w
    minimum = float(np.mean(np.logaddexp(0, z) - Y[:, 0] * z) + np.sum((mask * w) ** 2) / 120)
    model = ml.Sequential([ml.Dense(3, 1), ml.Sigmoid()], seed=0)
    return Problem(ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), l2=1.0), minimum, 1e-6)


def linear() -> Problem:
    """Linear regression against numpy.linalg.lstsq."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((50, 3))
    Y = X @ rng.standard_normal((3, 2)) + 3 + 0.1 * rng.standard_normal((50, 2))
    augmented = np.c_[np.ones(50), X]
    residual = augmented @ np.linalg.lstsq(augmented, Y)[0] - Y
    model = ml.Sequential([ml.Dense(3, 2), ml.Identity()], seed=0)
    objective = ml.Objective(model, X, Y, ml.SquaredError())
    return Problem(objective, float(np.sum(residual**2)) / 100, 1e-6)


def xor() -> Problem:
    """The exclusive or, which a network fits without limit: cost 0."""
    model = ml.Sequential(
        [ml.Dense(2, 4, ml.UniformEpsilon(2.0)), ml.Tanh(), ml.Dense(4, 1), ml.Sigmoid()], seed=3
    )
    X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
    return Problem(ml.Objective(model, X, Y, ml.BinaryCrossEntropy()), 0.0, 5e-3)


PROBLEMS: dict[str, Callable[[], Problem]] = {"logistic": logistic, "linear": linear, "xor": xor}

"""The article's way: a Python loop over the examples, which SciPy's TNC trains.

It is written from the mathematics and reuses vectors, so that it is no slower than it must be. The
loss is computed from the logits: with log(output) and log(1 - output), TNC's first line searches
meet 0 * inf and stop.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
from scipy.optimize import minimize

from ..case import EX4_SHAPE, L2, Array, Case, CostAndNorm, Shape, Weights, exercise
from ..target_timer import TargetTimer, recorded
from .with_numpy import cost_and_gradient

SAMPLED_EVALUATIONS = 3
TNC_OPTIONS = {"maxfun": 100_000}


def loop_cost_and_gradient(vector: Array, X: Array, Y: Array, shape: Shape) -> tuple[float, Array]:
    """Return the exercise's cost and gradient, computed example by example."""
    rows = len(X)
    theta1, theta2 = Weights.of(vector, shape)
    gradient = np.zeros_like(vector)
    gradient1, gradient2 = Weights.of(gradient, shape)
    cost = 0.0
    input_units = np.ones(shape.inputs + 1)
    hidden_units = np.ones(shape.hidden + 1)
    for x, y in zip(X, Y, strict=True):
        input_units[1:] = x
        hidden_units[1:] = 1 / (1 + np.exp(-(theta1 @ input_units)))
        logits = theta2 @ hidden_units
        cost += np.sum(np.logaddexp(0, logits) - y * logits)
        delta2 = 1 / (1 + np.exp(-logits)) - y
        delta1 = (theta2.T @ delta2) * hidden_units * (1 - hidden_units)
        gradient1 += np.outer(delta1[1:], input_units)
        gradient2 += np.outer(delta2, hidden_units)
    for theta, layer_gradient in ((theta1, gradient1), (theta2, gradient2)):
        cost += L2 / 2 * np.sum(theta[:, 1:] ** 2)
        layer_gradient[:, 1:] += L2 * theta[:, 1:]
    return float(cost / rows), gradient / rows


class ArticleEvaluation:
    """One pass of the loop."""

    note = ""

    def __init__(self, case: Case) -> None:
        self._shape = case.shape
        self._data = case.data()
        self._start = case.start()

    def evaluate(self) -> tuple[float, Array]:
        return loop_cost_and_gradient(self._start, *self._data, self._shape)

    def cost_and_norm(self) -> CostAndNorm:
        return CostAndNorm.of(*self.evaluate())


class ArticleTraining:
    """SciPy's TNC on the loop."""

    def __init__(self) -> None:
        self._X, self._Y = exercise()

    def train(self, start: Array, timer: TargetTimer) -> None:
        def function(x: Array) -> tuple[float, Array]:
            return loop_cost_and_gradient(x, self._X, self._Y, EX4_SHAPE)

        with timer:
            minimize(recorded(function, timer), start, method="TNC", jac=True, options=TNC_OPTIONS)

    def extrapolate(self, start: Array, timer: TargetTimer) -> None:
        """Train with vectorized NumPy and replace the seconds by those of as many loop passes.

        Both runs take the same path apart from rounding, so their evaluations are about as many.
        """
        times: list[float] = []
        for _ in range(SAMPLED_EVALUATIONS):
            began = time.perf_counter()
            loop_cost_and_gradient(start, self._X, self._Y, EX4_SHAPE)
            times.append(time.perf_counter() - began)

        def function(x: Array) -> tuple[float, Array]:
            return cost_and_gradient(x, self._X, self._Y, EX4_SHAPE)

        with timer:
            minimize(recorded(function, timer), start, method="TNC", jac=True, options=TNC_OPTIONS)
        timer.seconds = median(times) * timer.evaluations

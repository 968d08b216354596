"""The article's way: a Python loop over the examples, forward and back, one at a time; SciPy's TNC trains it.

Written from the mathematics, with vectors reused where a careful author would, so that it is no slower than it must be.
The loss is taken from the logits: with log(output) and log(1 - output) TNC's first line searches meet 0 * inf and stop.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
from scipy.optimize import minimize

from ..problem import EX4_SHAPE, L2, Answer, Array, Problem, Shape, Weights, exercise
from ..watch import Watch
from .with_minilayer import watched
from .with_numpy import cost_and_gradient

SAMPLED_EVALUATIONS = 3


def loop_cost_and_gradient(vector: Array, X: Array, Y: Array, shape: Shape) -> tuple[float, Array]:
    """The exercise's cost and gradient, example by example."""
    rows = len(X)
    theta1, theta2 = Weights.of(vector, shape)
    gradient = np.zeros_like(vector)
    gradient1, gradient2 = Weights.of(gradient, shape)
    cost = 0.0
    input_units, hidden_units = np.ones(shape.inputs + 1), np.ones(shape.hidden + 1)
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

    def __init__(self, problem: Problem) -> None:
        self._shape = problem.shape
        self._data = problem.data()
        self._start = problem.start()

    def evaluate(self) -> tuple[float, Array]:
        return loop_cost_and_gradient(self._start, *self._data, self._shape)

    def answer(self) -> Answer:
        cost, gradient = self.evaluate()
        return Answer(cost, float(np.linalg.norm(gradient)))


class ArticleTraining:
    """SciPy's TNC on the loop, run in full."""

    def __init__(self) -> None:
        self._X, self._Y = exercise()

    def train(self, start: Array, watch: Watch) -> None:
        with watch:
            function = watched(
                lambda x: loop_cost_and_gradient(x, self._X, self._Y, EX4_SHAPE), watch
            )
            minimize(function, start, method="TNC", jac=True, options={"maxfun": 100_000})

    def extrapolate(self, start: Array, watch: Watch) -> None:
        """The run of vectorized NumPy in TNC from the same start, its seconds replaced by what the loop would take.

        The path is the same but for rounding, so the evaluations are as many as the loop would need, about.
        """
        times: list[float] = []
        for _ in range(SAMPLED_EVALUATIONS):
            began = time.perf_counter()
            loop_cost_and_gradient(start, self._X, self._Y, EX4_SHAPE)
            times.append(time.perf_counter() - began)
        with watch:
            function = watched(lambda x: cost_and_gradient(x, self._X, self._Y, EX4_SHAPE), watch)
            minimize(function, start, method="TNC", jac=True, options={"maxfun": 100_000})
        watch.seconds = median(times) * watch.evaluations

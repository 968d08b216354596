"""Plain vectorized NumPy, as a competent user writes it for SciPy: one function of the flat vector, a page long."""

from __future__ import annotations

import numpy as np

from ..problem import L2, Answer, Array, Problem, Shape, Weights


def cost_and_gradient(vector: Array, X: Array, Y: Array, shape: Shape) -> tuple[float, Array]:
    """The exercise's cost and gradient. The loss comes from the logits: TNC's line searches saturate the sigmoids."""
    rows = len(X)
    theta1, theta2 = Weights.of(vector, shape)
    hidden = _sigmoid(X @ theta1[:, 1:].T + theta1[:, 0])
    logits = hidden @ theta2[:, 1:].T + theta2[:, 0]
    cost = np.sum(np.maximum(logits, 0) - Y * logits + np.log1p(np.exp(-np.abs(logits)))) / rows
    cost += L2 / (2 * rows) * (np.sum(theta1[:, 1:] ** 2) + np.sum(theta2[:, 1:] ** 2))

    delta2 = (_sigmoid(logits) - Y) / rows
    delta1 = delta2 @ theta2[:, 1:] * hidden * (1 - hidden)
    gradient1 = np.column_stack([delta1.sum(axis=0), delta1.T @ X + L2 / rows * theta1[:, 1:]])
    gradient2 = np.column_stack([delta2.sum(axis=0), delta2.T @ hidden + L2 / rows * theta2[:, 1:]])
    return float(cost), np.concatenate([gradient1.ravel(), gradient2.ravel()])


def accuracy(vector: Array, X: Array, Y: Array, shape: Shape) -> float:
    """The share of rows whose largest output is the right one."""
    theta1, theta2 = Weights.of(vector, shape)
    hidden = _sigmoid(X @ theta1[:, 1:].T + theta1[:, 0])
    scores = hidden @ theta2[:, 1:].T + theta2[:, 0]
    return float(np.mean(scores.argmax(axis=1) == Y.argmax(axis=1)))


class NumpyEvaluation:
    """The function above, on NumPy's own BLAS threads."""

    note = ""

    def __init__(self, problem: Problem) -> None:
        self._shape = problem.shape
        self._data = problem.data()
        self._start = problem.start().astype(problem.dtype)

    def evaluate(self) -> tuple[float, Array]:
        return cost_and_gradient(self._start, *self._data, self._shape)

    def answer(self) -> Answer:
        cost, gradient = self.evaluate()
        return Answer(cost, float(np.linalg.norm(gradient)))


def _sigmoid(z: Array) -> Array:
    result: Array = 1 / (1 + np.exp(-z))
    return result

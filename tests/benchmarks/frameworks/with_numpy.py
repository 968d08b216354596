"""Plain vectorized NumPy, as a competent user writes it for SciPy: one function of the vector."""

from __future__ import annotations

import numpy as np

from ..case import L2, Array, Case, CostAndNorm, Shape, Weights


def cost_and_gradient(vector: Array, X: Array, Y: Array, shape: Shape) -> tuple[float, Array]:
    """Return the exercise's cost and gradient.

    The loss is computed from the logits, because TNC's line searches saturate the sigmoids.

    Parameters
    ----------
    vector : ndarray
        The flat parameters.
    X : ndarray, shape (rows, inputs)
        The inputs.
    Y : ndarray, shape (rows, outputs)
        The targets, 0 or 1.
    shape : Shape
        Sizes of the network.

    Returns
    -------
    cost : float
        The cost with its penalty.
    gradient : ndarray
        Its gradient, as flat as ``vector``.
    """
    rows = len(X)
    theta1, theta2 = Weights.of(vector, shape)
    weight1 = theta1[:, 1:]
    weight2 = theta2[:, 1:]
    hidden = _sigmoid(X @ weight1.T + theta1[:, 0])
    logits = hidden @ weight2.T + theta2[:, 0]
    losses = np.maximum(logits, 0) - Y * logits + np.log1p(np.exp(-np.abs(logits)))
    cost = np.sum(losses) / rows
    cost += L2 / (2 * rows) * (np.sum(weight1**2) + np.sum(weight2**2))

    delta2 = (_sigmoid(logits) - Y) / rows
    delta1 = delta2 @ weight2 * hidden * (1 - hidden)
    gradient1 = np.column_stack([delta1.sum(axis=0), delta1.T @ X + L2 / rows * weight1])
    gradient2 = np.column_stack([delta2.sum(axis=0), delta2.T @ hidden + L2 / rows * weight2])
    return float(cost), np.concatenate([gradient1.ravel(), gradient2.ravel()])


def accuracy(vector: Array, X: Array, Y: Array, shape: Shape) -> float:
    """Return the share of rows whose largest output is that of their target."""
    theta1, theta2 = Weights.of(vector, shape)
    hidden = _sigmoid(X @ theta1[:, 1:].T + theta1[:, 0])
    scores = hidden @ theta2[:, 1:].T + theta2[:, 0]
    return float(np.mean(scores.argmax(axis=1) == Y.argmax(axis=1)))


class NumpyEvaluation:
    """The function above, on NumPy's own BLAS threads."""

    note = ""

    def __init__(self, case: Case) -> None:
        self._shape = case.shape
        self._data = case.data()
        self._start = case.start().astype(case.dtype)

    def evaluate(self) -> tuple[float, Array]:
        return cost_and_gradient(self._start, *self._data, self._shape)

    def cost_and_norm(self) -> CostAndNorm:
        return CostAndNorm.of(*self.evaluate())


def _sigmoid(z: Array) -> Array:
    result: Array = 1 / (1 + np.exp(-z))
    return result

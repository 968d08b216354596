"""A student's solution of exercise 4, in plain NumPy, with places where it can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minilayer.utils.types import Array

Step = Callable[..., Any]


def sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


def slope(z: Array) -> Array:
    return np.asarray(sigmoid(z) * (1 - sigmoid(z)))


def ones(rows: Array) -> Array:
    return np.asarray(np.hstack([np.ones((len(rows), 1)), rows]))


STEPS: dict[str, Step] = {
    "hidden": sigmoid,
    "one_hot": lambda y, labels: np.eye(labels)[np.ravel(y) - 1],
    "loss": lambda h, Y: -Y * np.log(h) - (1 - Y) * np.log(1 - h),
    "average": lambda total, m: total / m,
    "penalty": lambda t1, t2, penalty, m: (
        penalty / (2 * m) * (np.sum(t1[:, 1:] ** 2) + np.sum(t2[:, 1:] ** 2))
    ),
    "error": lambda h, Y: h - Y,
    "back": lambda d3, t2, z2: d3 @ t2[:, 1:] * slope(z2),
    "average1": lambda total, m: total / m,
    "average2": lambda total, m: total / m,
    "penalty1": lambda theta, penalty, m: penalty / m * np.c_[0 * theta[:, :1], theta[:, 1:]],
    "penalty2": lambda theta, penalty, m: penalty / m * np.c_[0 * theta[:, :1], theta[:, 1:]],
    "returned": lambda cost, gradient: (cost, gradient),
}
"""The right steps by name."""


def solution(order: Any = "C", **wrong: Step) -> Callable[..., Any]:
    """Return nnCostFunction with some steps replaced by wrong ones."""
    step = {**STEPS, **wrong}
    assert set(step) == set(STEPS)

    def nn_cost_function(
        params: Array,
        inputs: int,
        hidden: int,
        labels: int,
        X: Array,
        y: Array,
        lambda_: float,
    ) -> Any:
        m = len(X)
        size = hidden * (1 + inputs)
        theta1 = params[:size].reshape(hidden, 1 + inputs, order=order)
        theta2 = params[size:].reshape(labels, 1 + hidden, order=order)
        z2 = ones(X) @ theta1.T
        a2 = ones(step["hidden"](z2))
        h = sigmoid(a2 @ theta2.T)
        Y = step["one_hot"](y, labels)
        cost = step["average"](np.sum(step["loss"](h, Y)), m)
        cost = cost + step["penalty"](theta1, theta2, lambda_, m)
        d3 = step["error"](h, Y)
        d2 = step["back"](d3, theta2, z2)
        gradient1 = step["average1"](d2.T @ ones(X), m) + step["penalty1"](theta1, lambda_, m)
        gradient2 = step["average2"](d3.T @ a2, m) + step["penalty2"](theta2, lambda_, m)
        gradient = np.concatenate([gradient1.ravel(order), gradient2.ravel(order)])
        return step["returned"](cost, gradient)

    return nn_cost_function

"""Small random networks with data: the right cost and gradient, and the steps towards them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np

from ..nn import BinaryCrossEntropy, Dense, Sequential, Sigmoid
from ..objective import Objective
from ..utils.types import Array

Order = Literal["C", "F"]
"""NumPy's names: row by row, or column by column."""

SIZES = ((3, 5, 4, 7), (4, 3, 5, 11), (2, 6, 3, 8))
"""Inputs, hidden units, labels, rows. All differ, so that no wrong shape fits."""
PENALTIES = (1.0, 3.0, 0.7)
"""The lambda of each problem."""


@dataclass(frozen=True)
class SmallProblem:
    """A network of the exercise's form at random weights, with random rows.

    Attributes
    ----------
    theta1 : ndarray, shape (hidden, 1 + inputs)
    theta2 : ndarray, shape (classes, 1 + hidden)
        The weights, bias in column 0.
    X : ndarray, shape (m, inputs)
    labels : ndarray of int, shape (m,)
        From 1 up.
    penalty : float
        The exercise's lambda.
    """

    theta1: Array
    theta2: Array
    X: Array
    labels: Array
    penalty: float

    @classmethod
    def random(cls, sizes: tuple[int, int, int, int], penalty: float, seed: int) -> Self:
        """Return a problem in which each label occurs."""
        inputs, hidden, classes, m = sizes
        rng = np.random.default_rng(seed)
        labels = np.r_[1 : classes + 1, rng.integers(1, classes + 1, m - classes)]
        return cls(
            theta1=rng.standard_normal((hidden, 1 + inputs)),
            theta2=rng.standard_normal((classes, 1 + hidden)),
            X=rng.standard_normal((m, inputs)),
            labels=rng.permutation(labels),
            penalty=penalty,
        )

    @property
    def m(self) -> int:
        """Number of rows."""
        return len(self.X)

    @property
    def classes(self) -> int:
        """Number of labels."""
        return len(self.theta2)

    @property
    def one_hot(self) -> Array:
        """The labels as rows of zeros and a one, shape (m, classes)."""
        return np.asarray(np.eye(self.classes)[self.labels - 1])

    def parameters(self, order: Order) -> Array:
        """Return all weights as one vector."""
        return np.concatenate([self.theta1.ravel(order), self.theta2.ravel(order)])

    def split(self, vector: Array, order: Order) -> tuple[Array, Array]:
        """Return the parts of a vector in the shapes of Theta1 and Theta2."""
        size = self.theta1.size
        first = vector[:size].reshape(self.theta1.shape, order=order)
        return first, vector[size:].reshape(self.theta2.shape, order=order)

    def right(self, penalty: float) -> tuple[float, tuple[Array, Array]]:
        """Return minilayer's cost, and its gradients by Theta1 and by Theta2."""
        hidden, columns = self.theta1.shape
        layers = [Dense(columns - 1, hidden), Sigmoid(), Dense(hidden, self.classes), Sigmoid()]
        model = Sequential(layers, seed=0)
        objective = Objective(model, self.X, self.one_hot, BinaryCrossEntropy(), l2=penalty)
        cost, gradient = objective(self.parameters("C"))
        return cost, self.split(gradient, "C")

    # The steps of the exercise, which the mistakes leave out or do wrong

    @cached_property
    def a1(self) -> Array:
        """The rows with a one in front."""
        return with_bias(self.X)

    @cached_property
    def z2(self) -> Array:
        """The input of the hidden units."""
        return np.asarray(self.a1 @ self.theta1.T)

    @cached_property
    def a2(self) -> Array:
        """The output of the hidden units with a one in front."""
        return with_bias(sigmoid(self.z2))

    @cached_property
    def h(self) -> Array:
        """The prediction."""
        return sigmoid(self.a2 @ self.theta2.T)

    @cached_property
    def d3(self) -> Array:
        """The error of the output."""
        return np.asarray(self.h - self.one_hot)


def small_problems(seed: int) -> list[SmallProblem]:
    """Return one problem for each of SIZES."""
    pairs = zip(SIZES, PENALTIES, strict=True)
    return [
        SmallProblem.random(sizes, penalty, seed + number)
        for number, (sizes, penalty) in enumerate(pairs)
    ]


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z))."""
    return np.asarray(1 / (1 + np.exp(-z)))


def sigmoid_gradient(z: Array) -> Array:
    """Return the derivative of the sigmoid at z."""
    return np.asarray(sigmoid(z) * (1 - sigmoid(z)))


def with_bias(rows: Array) -> Array:
    """Return the rows with a one in front of each."""
    return np.asarray(np.c_[np.ones(len(rows)), rows])


def cross_entropy(h: Array, Y: Array) -> float:
    """Return the cost without penalty; infinite or NaN where h is not between 0 and 1."""
    with np.errstate(all="ignore"):
        return float(np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / len(h))

"""Data sets of scikit-learn, small and scaled, for the tests of the estimators."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from minilayer.utils.types import Array


@cache
def iris() -> tuple[Array, Array]:
    """Return 150 flowers of 3 classes."""
    X, y = load_iris(return_X_y=True)
    return scaled(X), y


@cache
def cancer() -> tuple[Array, Array]:
    """Return 300 tumours of 2 classes."""
    X, y = load_breast_cancer(return_X_y=True)
    return scaled(X)[:300], y[:300]


@cache
def diabetes() -> tuple[Array, Array]:
    """Return 200 patients and a number to predict."""
    X, y = load_diabetes(return_X_y=True)
    return scaled(X)[:200], scaled(y)[:200]


def two_targets() -> tuple[Array, Array]:
    """Return the patients, and two numbers to predict."""
    X, y = diabetes()
    return X, np.column_stack([y, X[:, 2] ** 2])


def three_labels() -> tuple[Array, Array]:
    """Return the flowers, and three answers of yes or no for each."""
    X, _ = iris()
    return X, (X[:, :3] > 0).astype(int)


def counts() -> tuple[Array, Array]:
    """Return the patients, and counts to predict."""
    X, y = diabetes()
    return X, np.random.default_rng(0).poisson(np.exp(y / 2))


def scaled(X: Array) -> Array:
    """Return columns of mean 0 and deviation 1."""
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0))

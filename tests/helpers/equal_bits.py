"""Compare results of rows from files with those of the same rows in memory, bit for bit.

    python -m tests.helpers.equal_bits FOLDER

This compares all kinds of files on the digits, in a process of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import minilayer as ml
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.paths import EX4
from tests.helpers.problems import ex4_model
from tests.helpers.row_sources import STORES


def assert_equal_objectives(found: ml.Objective, expected: ml.Objective) -> None:
    """Compare all that a trainer asks of an objective of 301 rows or more."""
    x = expected.x0
    v = np.linspace(-1, 1, x.size)
    rows = np.array([3, 200, 17, 18, 19, 300, 0])
    pairs = [
        (found(x), expected(x)),
        (found.minibatch(x, rows), expected.minibatch(x, rows)),
        (found.hessp(x, v), expected.hessp(x, v)),
        (found.hessp(x, v, gauss_newton=True), expected.hessp(x, v, gauss_newton=True)),
        (found.head(9), expected.head(9)),
        (found.advice(x, success=False), expected.advice(x, success=False)),
    ]
    for one, other in pairs:
        np.testing.assert_equal(one, other)
    ours = found.preconditioner()
    theirs = expected.preconditioner()
    ours.refresh(x)
    theirs.refresh(x)
    np.testing.assert_array_equal(ours(v), theirs(v))


def lbfgs_run(objective: ml.Objective) -> dict[str, Any]:
    """Return all of a run of 25 iterations that an equal run repeats."""
    return same_in_every_run(ml.LBFGS(max_iterations=25).minimize(objective))


def digits_objective(X: Any, labels: Any, **options: Any) -> ml.Objective:
    """Return the exercise's objective in two shards."""
    loss = ml.BinaryCrossEntropy()
    return ml.Objective(ex4_model(), X, labels, loss, l2=1.0, shards=2, **options)


def compare_on_digits(folder: Path) -> None:
    """Raise AssertionError if a kind of file gives other bits than memory."""
    X, labels = ml.load_ex4(EX4)
    X = np.ascontiguousarray(X[::4])
    labels = labels[::4]
    expected = lbfgs_run(digits_objective(X, labels, copy=False))
    for kind, store in STORES.items():
        with store(folder, X) as rows, store(folder, labels) as targets:
            found = digits_objective(rows, targets)
            assert_equal_objectives(found, digits_objective(X, labels, copy=False))
            np.testing.assert_equal(lbfgs_run(found), expected)
            print(kind)


if __name__ == "__main__":
    compare_on_digits(Path(sys.argv[1]))

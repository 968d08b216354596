"""Rows from files: every result has the bits of the same rows in memory, at the same shards."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.problems import PAIRS, random_parts
from tests.helpers.row_sources import STORES

ROWS = 301
"""No multiple of a chunk, a shard or a block."""

pytestmark = pytest.mark.parametrize("kind", STORES)


def assert_same_bits(found: ml.Objective, expected: ml.Objective) -> None:
    """Compare all that a trainer asks of an objective."""
    x = expected.x0
    v = np.linspace(-1, 1, x.size)
    rows = np.array([3, 200, 17, 18, 19, 300, 0])
    pairs = [
        (found(x), expected(x)),
        (found.minibatch(x, rows), expected.minibatch(x, rows)),
        (found.hessp(x, v), expected.hessp(x, v)),
        (found.hessp(x, v, gauss_newton=True), expected.hessp(x, v, gauss_newton=True)),
        (found.head(9), expected.head(9)),
    ]
    for one, other in pairs:
        np.testing.assert_equal(one, other)
    ours, theirs = found.preconditioner(), expected.preconditioner()
    ours.refresh(x)
    theirs.refresh(x)
    np.testing.assert_array_equal(ours(v), theirs(v))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("stored", ["float64", "float32", ">f4", "int16"])
@pytest.mark.parametrize("pair", ["sigmoid", "identity"])
def test_cost_gradient_and_products_have_the_bits_of_memory(
    kind: str, pair: str, stored: str, dtype: str, tmp_path: Path
) -> None:
    model, X, Y = random_parts(pair, ROWS)
    X = (100 * X).astype(stored)
    options: dict[str, Any] = {"shards": 4, "l2": 0.3, "dtype": dtype}
    weights = np.linspace(0, 2, ROWS)
    loss = PAIRS[pair][1]()
    expected = ml.Objective(model, X, Y, loss, copy=False, sample_weight=weights, **options)
    with STORES[kind](tmp_path, X) as rows, STORES[kind](tmp_path, Y) as targets:
        found = ml.Objective(model, rows, targets, loss, sample_weight=weights, **options)
        assert_same_bits(found, expected)


@pytest.mark.parametrize("leading", [False, True])
def test_25_iterations_of_lbfgs_have_the_bits_of_memory(
    kind: str, leading: bool, tmp_path: Path
) -> None:
    def run(X: Any, labels: Any, **options: Any) -> dict[str, Any]:
        model = ml.mlp(6, 7, 3, output=ml.Softmax, seed=0)
        if leading:
            model.insert(0, ml.Standardize.of(X))
        loss = ml.CategoricalCrossEntropy()
        objective = ml.Objective(model, X, labels, loss, l2=1.0, shards=3, **options)
        return same_in_every_run(ml.LBFGS(max_iterations=25).minimize(objective))

    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, 6))
    labels = (X[:, 0] > 0).astype(int) + (X[:, 1] * X[:, 2] > 0)
    with STORES[kind](tmp_path, X) as rows, STORES[kind](tmp_path, labels) as targets:
        np.testing.assert_equal(run(rows, targets), run(X, labels, copy=False))

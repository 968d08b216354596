"""Shards: results depend on the sharding in the last digits, on the workers not at all."""

import numpy as np
import pytest

import minilayer as ml
from minilayer.nn import Workspace
from minilayer.objective.shards import Shards, default_shards
from tests.helpers.problems import PAIRS, ex4_model, random_objective

ROWS = 23


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("shards", range(1, ROWS + 4))
def test_any_sharding_gives_the_same_cost_and_gradient(pair: str, shards: int) -> None:
    objective = random_objective(pair, shards=shards)
    assert objective.shards == min(shards, ROWS)
    cost, gradient = objective(objective.x0)
    expected_cost, expected = random_objective(pair, shards=1)(objective.x0)
    assert cost == pytest.approx(expected_cost, rel=1e-14)
    np.testing.assert_allclose(gradient, expected, rtol=1e-14, atol=1e-14 * np.abs(expected).max())


@pytest.mark.parametrize("shards", [1, 2, 5, 16, ROWS])
def test_workers_do_not_change_a_bit(shards: int) -> None:
    x = random_objective().x0
    results = [random_objective(shards=shards, workers=workers)(x) for workers in (1, 2, 5)]
    for cost, gradient in results[1:]:
        assert cost == results[0][0]
        np.testing.assert_array_equal(gradient, results[0][1])


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize(("rows", "shards"), [(1, 1), (1000, 1), (30_000, 2), (80_000, 4)])
def test_the_default_sharding_depends_on_the_sizes_only(
    rows: int, shards: int, workers: int
) -> None:
    assert random_objective(rows=rows, workers=workers).shards == shards


@pytest.mark.parametrize(
    ("sizes", "shards"),
    [
        ((5000, 10285, 35), 2),
        ((60_000, 79_510, 110), 8),
        ((60_000, 545, 17), 4),
        ((100_000, 545, 17), 8),
        ((1_000_000, 545, 17), 64),
        ((20_000, 1210, 26), 2),
        ((10_000, 545, 17), 1),
        ((4, 17, 5), 1),
        # 100,000 multiply-adds a row, 60 of them for each of 1000 activations: 25 million a shard.
        ((499, 40_000, 1000), 1),
        ((500, 40_000, 1000), 2),
        ((749, 40_000, 1000), 2),
        ((750, 40_000, 1000), 3),
        ((1250, 40_000, 1000), 4),
    ],
)
def test_default_shards_of_some_sizes(sizes: tuple[int, int, int], shards: int) -> None:
    assert default_shards(*sizes) == shards


@pytest.mark.parametrize(("rows", "shards"), [(4037, 1), (4038, 2)])
def test_the_default_sharding_counts_parameters_and_units(rows: int, shards: int) -> None:
    """10,285 parameters and 35 units make 12,385 multiply-adds a row: two shards at 50 million."""
    X, Y = np.zeros((rows, 400)), np.zeros((rows, 10))
    assert ml.Objective(ex4_model(), X, Y, ml.BinaryCrossEntropy()).shards == shards


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_loaded_rows_have_the_precision_of_the_computation(dtype: str, copy: bool) -> None:
    X, Y = np.random.default_rng(0).random((5, 3)), np.arange(5)[:, None]
    shards = Shards((X, Y, None), 2, np.dtype(dtype), copy=copy)
    for shard, rows in enumerate((slice(0, 2), slice(2, 5))):
        x, y, weight = shards.load(shard, Workspace())
        assert x.dtype == y.dtype == np.dtype(dtype)
        assert weight is None
        np.testing.assert_array_equal(x, X[rows].astype(dtype))
        np.testing.assert_array_equal(y, Y[rows])
        assert np.shares_memory(x, X) == (dtype == "float64" and not copy)

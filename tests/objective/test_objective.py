"""Objective: one number and one gradient, whatever the sharding, the workers and the form of the data."""

import gc
import pickle
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

import minilayer as ml
from minilayer.objective.shards import default_shards
from minilayer.utils.types import Array
from tests.conftest import PAIRS, small_model, targets_for

ROWS = 23


def problem(pair: str = "sigmoid", rows: int = ROWS, **options: Any) -> ml.Objective:
    rng = np.random.default_rng(0)
    last, loss = PAIRS[pair]
    model = small_model([4, 5, 3], ml.Sigmoid, last, seed=1)
    X, Y = rng.standard_normal((rows, 4)), targets_for(pair, rows, 3, rng)
    return ml.Objective(model, X, Y, loss(), **{"l2": 0.7, **options})


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("shards", range(1, ROWS + 4))
def test_any_sharding_gives_the_same(pair: str, shards: int) -> None:
    objective = problem(pair, shards=shards)
    assert objective.shards == min(shards, ROWS)
    cost, gradient = objective(objective.x0)
    expected_cost, expected = problem(pair, shards=1)(objective.x0)
    assert cost == pytest.approx(expected_cost, rel=1e-14)
    np.testing.assert_allclose(gradient, expected, rtol=1e-14, atol=1e-14 * np.abs(expected).max())


@pytest.mark.parametrize("shards", [1, 2, 5, 16, ROWS])
def test_workers_do_not_change_a_bit(shards: int) -> None:
    x = problem().x0
    results = [problem(shards=shards, workers=workers)(x) for workers in (1, 2, 5)]
    for cost, gradient in results[1:]:
        assert cost == results[0][0]
        np.testing.assert_array_equal(gradient, results[0][1])


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize(("rows", "shards"), [(1, 1), (1000, 1), (30_000, 2), (80_000, 4)])
def test_the_default_sharding_depends_on_the_sizes_only(
    rows: int, shards: int, workers: int
) -> None:
    assert problem(rows=rows, workers=workers).shards == shards


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
    ],
)
def test_small_problems_are_not_cut(sizes: tuple[int, int, int], shards: int) -> None:
    assert default_shards(*sizes) == shards


def test_cost_and_gradient_are_the_textbook_formula() -> None:
    """The exercise's cost and backpropagation, written out row by row."""
    objective = problem()
    X, Y = objective.head(ROWS)
    first, _, second, _ = objective.model.layers
    assert isinstance(first, ml.Dense)
    assert isinstance(second, ml.Dense)
    cost, gradient1, gradient2 = 0.0, np.zeros_like(first.theta), np.zeros_like(second.theta)
    for x, y in zip(X, Y, strict=True):
        a1 = np.append(1, x)
        a2 = np.append(1, 1 / (1 + np.exp(-first.theta @ a1)))
        a3 = 1 / (1 + np.exp(-second.theta @ a2))
        cost -= float(y @ np.log(a3) + (1 - y) @ np.log(1 - a3))
        delta3 = a3 - y
        delta2 = (second.theta.T @ delta3)[1:] * a2[1:] * (1 - a2[1:])
        gradient2 += np.outer(delta3, a2)
        gradient1 += np.outer(delta2, a1)
    for theta, gradient in ((first.theta, gradient1), (second.theta, gradient2)):
        cost += 0.7 / 2 * float(np.sum(theta[:, 1:] ** 2))
        gradient[:, 1:] += 0.7 * theta[:, 1:]
    found_cost, found = objective(objective.x0)
    assert found_cost == pytest.approx(cost / ROWS, rel=1e-14)
    np.testing.assert_allclose(
        found, np.r_[gradient1.ravel(), gradient2.ravel()] / ROWS, rtol=1e-12, atol=1e-16
    )


def test_the_gradient_is_a_fresh_array_and_x_is_left_alone() -> None:
    objective = problem()
    x = objective.x0
    x.flags.writeable = False
    _, first = objective(x)
    kept = first.copy()
    _, second = objective(x * 2)
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, kept)
    assert first.dtype == np.float64


def test_an_evaluation_neither_reads_nor_writes_the_model() -> None:
    objective = problem()
    x = objective.x0
    expected = objective(x)[0]
    objective.model.parameters[:] = 9
    assert objective(x)[0] == expected
    assert (objective.model.parameters == 9).all()
    objective.set_parameters(x)
    np.testing.assert_array_equal(objective.model.parameters, x)


@given(seed=st.integers(0, 999), l2=st.floats(0, 100))
def test_l2_is_the_exercise_lambda_without_biases(seed: int, l2: float) -> None:
    x = np.random.default_rng(seed).standard_normal(problem().x0.size)
    plain, l2_mask = problem(l2=0)(x), problem(l2=l2)(x)
    weights = x.copy()
    weights[:25:5] = weights[25::6] = 0  # the biases of Dense(4, 5) and Dense(5, 3)
    assert l2_mask[0] - plain[0] == pytest.approx(
        l2 / (2 * ROWS) * float(weights @ weights), abs=1e-13, rel=1e-12
    )
    np.testing.assert_allclose(l2_mask[1] - plain[1], l2 / ROWS * weights, atol=1e-13)


def data() -> tuple[Array, Array]:
    rng = np.random.default_rng(5)
    return rng.integers(0, 256, (ROWS, 4)), rng.integers(0, 2, (ROWS, 3))


FORMS: dict[str, Callable[[Array], Any]] = {
    "uint8": lambda a: a.astype(np.uint8),
    "int16": lambda a: a.astype(np.int16),
    "float32": lambda a: a.astype(np.float32),
    "big endian": lambda a: a.astype(">f8"),
    "list": lambda a: a.tolist(),
    "fortran": lambda a: np.asfortranarray(a.astype(float)),
    "every second column": lambda a: np.repeat(a.astype(float), 2, axis=1)[:, ::2],
    "reversed": lambda a: a.astype(float)[::-1].copy()[::-1],
}


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_the_data_gives_the_same(form: str, copy: bool) -> None:
    X, Y = data()
    model = small_model([4, 5, 3], ml.Tanh, ml.Sigmoid, 0)
    expected = ml.Objective(
        model, X.astype(float), Y.astype(float), ml.BinaryCrossEntropy(), shards=3
    )
    objective = ml.Objective(
        model, FORMS[form](X), FORMS[form](Y), ml.BinaryCrossEntropy(), shards=3, copy=copy
    )
    np.testing.assert_allclose(
        objective(model.parameters)[1], expected(model.parameters)[1], rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("copy", [True, False])
def test_read_only_and_memory_mapped_data(tmp_path: Path, copy: bool) -> None:
    X, Y = data()
    np.save(tmp_path / "x.npy", X.astype(np.float32))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    Y.flags.writeable = False
    model = small_model([4, 5, 3], ml.Tanh, ml.Sigmoid, 0)
    objective = ml.Objective(model, mapped, Y, ml.BinaryCrossEntropy(), copy=copy)
    expected = ml.Objective(model, X, Y, ml.BinaryCrossEntropy())
    np.testing.assert_allclose(
        objective(model.parameters)[1], expected(model.parameters)[1], rtol=1e-12
    )


@pytest.mark.parametrize("copy", [True, False])
def test_data_is_not_written_to_and_copied_when_asked(copy: bool) -> None:
    X, Y = (part.astype(float) for part in data())
    before = X.copy(), Y.copy()
    model = small_model([4, 5, 3], ml.Tanh, ml.Sigmoid, 0)
    objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), copy=copy)
    cost = objective(model.parameters)[0]
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(Y, before[1])
    X[:] = 0
    assert (objective(model.parameters)[0] == cost) is copy


def test_calls_from_several_threads_do_not_mix() -> None:
    objective = problem(workers=2, shards=4)
    points = [objective.x0 * scale for scale in np.linspace(0, 2, 40)]
    expected = [objective(x)[0] for x in points]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda x: objective(x)[0], points)) == expected


def test_an_objective_can_be_pickled() -> None:
    objective = problem(workers=2, shards=4)
    twin = pickle.loads(pickle.dumps(objective))
    assert twin(objective.x0)[0] == objective(objective.x0)[0]


def test_threads_end_with_the_objective() -> None:
    before = set(threading.enumerate())
    objective = problem(workers=3, shards=6)
    objective(objective.x0)
    own = set(threading.enumerate()) - before
    assert own
    del objective
    gc.collect()
    for thread in own:
        thread.join(10)
    assert not any(thread.is_alive() for thread in own)


def test_an_exception_in_a_shard_is_raised_and_the_objective_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    objective = problem(workers=3, shards=6)
    expected = objective(objective.x0)[0]
    right = ml.BinaryCrossEntropy.value_and_error_
    with monkeypatch.context() as patch:
        patch.setattr(ml.BinaryCrossEntropy, "value_and_error_", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            objective(objective.x0)
    assert ml.BinaryCrossEntropy.value_and_error_ is right
    assert objective(objective.x0)[0] == expected


def test_parameters_out_of_range_give_a_cost_that_says_so() -> None:
    objective = problem()
    assert not np.isfinite(objective(np.full(objective.x0.size, 1e308))[0])
    assert np.isnan(objective(np.full(objective.x0.size, np.nan))[0])


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("copy", [True, False])
def test_single_precision(pair: str, copy: bool) -> None:
    exact, single = problem(pair, rows=3000), problem(pair, rows=3000, dtype="float32", copy=copy)
    x = exact.x0
    (cost, gradient), (found_cost, found) = exact(x), single(x)
    assert found.dtype == np.float64
    assert found_cost == pytest.approx(cost, rel=2e-6)
    assert found_cost != cost
    assert np.linalg.norm(found - gradient) < 5e-6 * np.linalg.norm(gradient)


def test_single_precision_takes_half_the_memory() -> None:
    X, Y = np.ones((100_000, 40)), np.ones((100_000, 2))
    peaks = {}
    for dtype in ("float64", "float32"):
        model = small_model([40, 3, 2], ml.Sigmoid, ml.Sigmoid, 0)
        tracemalloc.start()
        objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), dtype=dtype)
        peaks[dtype] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert objective.dtype == dtype
    assert peaks["float32"] < 0.55 * peaks["float64"]


@pytest.mark.parametrize(
    "trainer", [ml.GradientDescent(0.5, momentum=0.9), ml.ScipyTrainer("L-BFGS-B")]
)
def test_single_precision_reaches_the_same_minimum(trainer: ml.Trainer) -> None:
    costs = []
    for dtype in ("float64", "float32"):
        objective = problem(rows=500, dtype=dtype, l2=5.0)
        trainer.minimize(objective)
        costs.append(problem(rows=500, l2=5.0)(objective.x0)[0])
    assert costs[1] == pytest.approx(costs[0], rel=1e-4)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("copy", [True, False])
def test_an_evaluation_allocates_nothing_that_grows_with_the_rows(dtype: str, copy: bool) -> None:
    peaks = []
    for rows in (100_000, 300_000):  # both beyond the size of NumPy's own buffers for conversions
        objective = problem(rows=rows, shards=2, workers=1, dtype=dtype, copy=copy)
        x = objective.x0
        objective(x)
        tracemalloc.start()
        objective(x)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 200_000  # a single column of a shard would be 600,000 bytes or more
    assert peaks[1] < peaks[0] + 2000


def test_work_memory_is_bounded_by_workers_times_shard() -> None:
    peaks = []
    for rows in (10_000, 80_000):
        rng = np.random.default_rng(0)
        model = small_model([8, 20, 3], ml.Sigmoid, ml.Sigmoid, 0)
        X, Y = rng.standard_normal((rows, 8)), rng.random((rows, 3))
        tracemalloc.start()
        objective = ml.Objective(
            model, X, Y, ml.BinaryCrossEntropy(), shards=rows // 1000, workers=2, copy=False
        )
        before = tracemalloc.get_traced_memory()[0]
        objective(objective.x0)
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.ones((3, 5))}, r"X: expected 4 columns \(inputs of Dense\(4, 5\)\), found 5"),
        ({"Y": np.ones((3, 2))}, r"Y: expected 3 columns \(outputs of the model\), found 2"),
        ({"X": np.ones((4, 4))}, "Y: expected as many rows as X, 4, found 3"),
        (
            {"X": np.ones((0, 4)), "Y": np.ones((0, 3))},
            r"X: expected at least one row .* found shape \(0, 4\)",
        ),
        (
            {"X": np.full((3, 4), np.nan)},
            "X: expected finite numbers, found nan in row 0, column 0",
        ),
        (
            {"Y": np.full((3, 3), np.inf)},
            "Y: expected finite numbers, found inf in row 0, column 0",
        ),
        (
            {"Y": np.ones(3)},
            r"Y: expected integers as labels, or 3 columns, found dtype float64: use Y.astype\(int\)$",
        ),
        ({"Y": [0.5, 1, 2]}, "Y: expected integers as labels, or 3 columns, found dtype float64$"),
        ({"Y": None}, "Y: expected numbers, found None"),
        ({"copy": "no"}, "copy: expected True or False, found 'no'"),
        ({"Y": [0, 3, 1]}, r"Y: expected labels 0..2 \(the model has 3 outputs\), found 0..3"),
        ({"Y": [-1, 0, 1]}, r"Y: expected labels 0..2 \(the model has 3 outputs\), found -1..1"),
        (
            {"Y": [[0], [1], [2]]},
            r"Y: expected 3 columns \(outputs of the model; use Y.ravel\(\) for labels\), found 1",
        ),
        ({"Y": []}, "Y: expected 2 dimensions"),
        ({"Y": ["cat", "dog", "cat"]}, "Y: expected numbers, found strings: numpy.unique"),
        (
            {"X": csr_array(np.ones((3, 4)))},
            r"X: expected an array, found a sparse one: use X.toarray\(\)",
        ),
        (
            {"X": np.full((3, 4), None)},
            "X: expected numbers, found dtype object, values of several kinds",
        ),
        (
            {"model": np.ones((1000, 2))},
            r"model: expected a Sequential, found an array of shape \(1000, 2\)",
        ),
        ({"model": list(range(1000))}, r"model: expected a Sequential, found \[0, 1, 2, .*\.\.\.$"),
        ({"X": np.full((3, 4), "a")}, "X: expected numbers, found dtype <U1"),
        ({"Y": np.full((3, 3), None)}, "Y: expected numbers, found dtype object"),
        ({"l2": -1}, "l2: expected a finite number >= 0, found -1"),
        ({"l2": "1"}, "l2: expected a number, found '1'"),
        ({"l2": np.nan}, "l2: expected a finite number >= 0, found nan"),
        ({"shards": 0}, "shards: expected at least 1, found 0"),
        ({"workers": 1.5}, "workers: expected an integer, found 1.5"),
        ({"dtype": "float16"}, "dtype: expected 'float64' or 'float32', found 'float16'"),
        (
            {"dtype": "double precision"},
            "dtype: expected 'float64' or 'float32', found 'double precision'",
        ),
        (
            {"dtype": "float32", "X": np.full((3, 4), 1e300)},
            "X as float32: expected finite numbers, found inf in row 0",
        ),
        ({"loss": "mse"}, r"loss: expected a Loss such as BinaryCrossEntropy\(\), found 'mse'"),
        (
            {"loss": ml.BinaryCrossEntropy},
            r"loss: expected a Loss .*: write BinaryCrossEntropy\(...\)",
        ),
        ({"model": [1]}, r"model: expected a Sequential, found \[1\]"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, Any], message: str) -> None:
    good = {
        "model": small_model([4, 5, 3], ml.Tanh, ml.Sigmoid, 0),
        "X": np.ones((3, 4)),
        "Y": np.ones((3, 3)),
        "loss": ml.BinaryCrossEntropy(),
    }
    with pytest.raises((ValueError, TypeError), match=message):
        ml.Objective(**{**good, **change})


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(42), r"x: expected shape \(43,\), found \(42,\)"),
        (np.zeros((43, 1)), r"x: expected shape \(43,\), found \(43, 1\)"),
        (["a"] * 43, "x: expected numbers, found dtype <U1"),
    ],
)
def test_a_point_of_another_size_is_refused(x: Any, message: str) -> None:
    objective = problem()
    for call in (objective, objective.set_parameters):
        with pytest.raises((ValueError, TypeError), match=message):
            call(x)

"""Objective: the cost and its gradient, whatever the form of the data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.problems import random_objective, small_model

ROWS = 23


def test_cost_and_gradient_are_the_textbook_formula() -> None:
    """The exercise's cost and backpropagation, written out row by row."""
    objective = random_objective()
    X, Y = objective.head(ROWS)
    first, _, second, _ = objective.model.layers
    assert isinstance(first, ml.Dense)
    assert isinstance(second, ml.Dense)
    cost = 0.0
    gradient1 = np.zeros_like(first.theta)
    gradient2 = np.zeros_like(second.theta)
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
    expected = np.concatenate([gradient1.ravel(), gradient2.ravel()]) / ROWS
    found_cost, found = objective(objective.x0)
    assert found_cost == pytest.approx(cost / ROWS, rel=1e-14)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-16)


def test_the_gradient_is_a_new_array_and_x_is_not_written_to() -> None:
    objective = random_objective()
    x = objective.x0
    x.flags.writeable = False
    _, first = objective(x)
    kept = first.copy()
    _, second = objective(x * 2)
    assert not np.shares_memory(first, second)
    np.testing.assert_array_equal(first, kept)
    assert first.dtype == np.float64


def test_an_evaluation_neither_reads_nor_writes_the_model() -> None:
    objective = random_objective()
    x = objective.x0
    expected = objective(x)[0]
    objective.model.parameters[:] = 9
    assert objective(x)[0] == expected
    assert (objective.model.parameters == 9).all()
    objective.set_parameters(x)
    np.testing.assert_array_equal(objective.model.parameters, x)


@given(seed=st.integers(0, 999), l2=st.floats(0, 100))
def test_l2_is_the_lambda_of_the_exercise_without_biases(seed: int, l2: float) -> None:
    x = np.random.default_rng(seed).standard_normal(random_objective().x0.size)
    plain = random_objective(l2=0)(x)
    penalized = random_objective(l2=l2)(x)
    weights = x.copy()
    weights[:25:5] = 0  # the biases of Dense(4, 5)
    weights[25::6] = 0  # those of Dense(5, 3)
    penalty = l2 / (2 * ROWS) * float(weights @ weights)
    assert penalized[0] - plain[0] == pytest.approx(penalty, abs=1e-13, rel=1e-12)
    np.testing.assert_allclose(penalized[1] - plain[1], l2 / ROWS * weights, atol=1e-13)


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
def test_any_form_of_the_data_gives_the_same_gradient(form: str, copy: bool) -> None:
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
def test_read_only_and_memory_mapped_data_are_accepted(tmp_path: Path, copy: bool) -> None:
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
def test_data_are_not_written_to_and_are_copied_unless_copy_is_false(copy: bool) -> None:
    X, Y = (part.astype(float) for part in data())
    before = (X.copy(), Y.copy())
    model = small_model([4, 5, 3], ml.Tanh, ml.Sigmoid, 0)
    objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), copy=copy)
    cost = objective(model.parameters)[0]
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(Y, before[1])
    X[:] = 0
    assert (objective(model.parameters)[0] == cost) is copy
    all_rows = np.arange(objective.rows)
    estimate = objective.minibatch(model.parameters, all_rows)[0]
    assert (estimate == pytest.approx(cost, rel=1e-12)) is copy


def test_parameters_out_of_range_give_a_cost_that_is_not_finite() -> None:
    objective = random_objective()
    assert not np.isfinite(objective(np.full(objective.x0.size, 1e308))[0])
    assert np.isnan(objective(np.full(objective.x0.size, np.nan))[0])


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
            r"Y: expected integers as labels, or 3 columns, "
            r"found dtype float64: use Y.astype\(int\)$",
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
        (
            {"Y": ["cat", "dog", "cat"]},
            "Y: expected numbers, found strings: minilayer.encode_labels",
        ),
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
def test_wrong_arguments_are_refused(change: dict[str, Any], message: str) -> None:
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
    objective = random_objective()
    for call in (objective, objective.set_parameters):
        with pytest.raises((ValueError, TypeError), match=message):
            call(x)

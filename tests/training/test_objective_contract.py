"""What an objective may return, and the refusals of other values and of minimize's arguments."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.objectives import (
    Alter,
    Altered,
    AlteredMinibatches,
    AlteredProducts,
    Rosenbrock,
)
from tests.helpers.problems import START, random_objective, xor
from tests.helpers.trainers import HESSIAN_METHODS, Make


@pytest.mark.parametrize(
    "alter",
    [
        lambda cost, gradient: [cost, gradient],
        lambda cost, gradient: (np.float64(cost), gradient.tolist()),
        lambda cost, gradient: (np.array([cost]), tuple(gradient)),
    ],
    ids=["list", "list as gradient", "tuple as gradient"],
)
def test_lists_and_other_numeric_types_are_converted(make: Make, alter: Alter) -> None:
    expected, found = (
        make(max_evaluations=20).minimize(objective, START)
        for objective in (Rosenbrock(), Altered(Rosenbrock(), alter))
    )
    np.testing.assert_array_equal(found.x, expected.x)
    assert found.history.cost == expected.history.cost


@pytest.mark.parametrize(
    ("alter", "error", "message"),
    [
        (
            lambda cost, gradient: 2.5,
            TypeError,
            r"^objective: expected a function that returns \(cost, gradient\), it returned 2\.5$",
        ),
        (
            lambda cost, gradient: None,
            TypeError,
            r"^objective: expected a function .*, it returned None$",
        ),
        (
            lambda cost, gradient: (cost, gradient, gradient),
            TypeError,
            r"it returned \(.*, an array of shape \(2,\), an array of shape \(2,\)\)$",
        ),
        (
            lambda cost, gradient: (None, gradient),
            TypeError,
            "^objective's cost: expected numbers, found None$",
        ),
        (
            lambda cost, gradient: (1j, gradient),
            TypeError,
            "^objective's cost: expected numbers, found 1j$",
        ),
        (
            lambda cost, gradient: (gradient, gradient),
            ValueError,
            r"^objective's cost: expected one number, found an array of shape \(2,\)$",
        ),
        (
            lambda cost, gradient: (cost, None),
            TypeError,
            "^objective's gradient: expected numbers, found None$",
        ),
        (
            lambda cost, gradient: (cost, gradient[:1]),
            ValueError,
            r"^objective's gradient: expected shape \(2,\), found \(1,\)$",
        ),
        (
            lambda cost, gradient: (cost, gradient[:, None]),
            ValueError,
            r"^objective's gradient: expected shape \(2,\), found \(2, 1\)$",
        ),
    ],
)
def test_other_returned_values_are_refused(
    make: Make, alter: Alter, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make().minimize(Altered(Rosenbrock(), alter), START)


@pytest.mark.parametrize("method", HESSIAN_METHODS)
def test_a_product_of_another_shape_is_refused(method: str) -> None:
    objective = AlteredProducts(Rosenbrock(), lambda product: product[:1])
    expected = r"^objective's hessp: expected shape \(2,\), found \(1,\)$"
    with pytest.raises(ValueError, match=expected):
        ml.ScipyTrainer(method).minimize(objective, START)


def test_a_minibatch_gradient_of_another_shape_is_refused() -> None:
    def shorten(cost: float, gradient: Array) -> tuple[float, Array]:
        return cost, gradient[:1]

    objective = AlteredMinibatches(random_objective(rows=10), shorten)
    expected = r"^objective's gradient: expected shape \(43,\), found \(1,\)$"
    with pytest.raises(ValueError, match=expected):
        ml.GradientDescent(batch_size=5).minimize(objective)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"progress": "yes"}, TypeError, "^progress: expected True or False, found 'yes'$"),
        ({"checkpoint": 3}, TypeError, "^checkpoint: expected a file's path, found 3$"),
        (
            {"checkpoint": "."},
            IsADirectoryError,
            r"^checkpoint: expected a file, found a folder at \.$",
        ),
        (
            {"checkpoint": "no/such/run.h5"},
            FileNotFoundError,
            "^checkpoint: expected a folder to write no/such/run.h5 to, found none at no/such$",
        ),
    ],
)
def test_wrong_arguments_of_minimize_are_refused(
    make: Make,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    objective = xor().objective
    before = objective.x0
    with pytest.raises(error, match=message):
        make().minimize(objective, **options)
    np.testing.assert_array_equal(objective.model.parameters, before)
    assert list(tmp_path.iterdir()) == []

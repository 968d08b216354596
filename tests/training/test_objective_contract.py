"""What an objective of one's own may answer, and what a trainer says to other answers, whatever the method."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.problems import PROBLEMS
from tests.helpers.trainers import CURVED, START, TRAINERS, Curved, Make, rosenbrock


class Answers(Curved):
    """Rosenbrock's cost and gradient, said in another way."""

    def __init__(self, say: Callable[[float, Array], Any]) -> None:
        super().__init__(lambda x: say(*rosenbrock(x)))


@pytest.mark.parametrize(
    "say",
    [
        lambda cost, gradient: [cost, gradient],
        lambda cost, gradient: (np.float64(cost), gradient.tolist()),
        lambda cost, gradient: (np.array([cost]), tuple(gradient)),
    ],
)
def test_lists_and_other_numbers_are_as_good(
    make: Make, say: Callable[[float, Array], Any]
) -> None:
    expected, found = (
        make(max_evaluations=20).minimize(objective, START)
        for objective in (Curved(), Answers(say))
    )
    np.testing.assert_array_equal(found.x, expected.x)
    assert found.history.cost == expected.history.cost


@pytest.mark.parametrize(
    ("say", "error", "message"),
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
def test_other_answers_are_refused(
    make: Make, say: Callable[[float, Array], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make().minimize(Answers(say), START)


@pytest.mark.parametrize("method", CURVED)
def test_a_product_of_another_shape_is_refused(method: str) -> None:
    class Short(Curved):
        def hessp(self, x: Array, v: Array, gauss_newton: bool = False) -> Array:
            return v[:1]

    with pytest.raises(
        ValueError, match=r"^objective's hessp: expected shape \(2,\), found \(1,\)$"
    ):
        ml.ScipyTrainer(method).minimize(Short(), START)


def test_a_batch_of_another_shape_is_refused() -> None:
    class Short:
        x0, rows = np.ones(2), 10

        def set_parameters(self, x: Array) -> None:
            self.x0 = x

        def __call__(self, x: Array) -> tuple[float, Array]:
            return float(x @ x) / 2, x

        def minibatch(self, x: Array, rows: Array) -> tuple[float, Array]:
            return float(x @ x) / 2, x[:1]

    with pytest.raises(
        ValueError, match=r"^objective's gradient: expected shape \(2,\), found \(1,\)$"
    ):
        ml.GradientDescent(batch_size=5).minimize(Short())


@pytest.mark.parametrize("name", ["gradient descent", "Nesterov", "Adam"])
def test_steps_that_are_too_long_are_told_of(name: str) -> None:
    steep = {"gradient descent": 1e3, "Nesterov": 1e3, "Adam": 1.0}[name]

    def bowl(x: Array) -> tuple[float, Array]:
        return steep * float(x @ x), 2 * steep * x

    advice = ", and no step lowered the cost: the learning rate may be too large"
    result = TRAINERS[name](max_iterations=1).minimize(bowl, [1e-3, 1e-3])
    assert result.message == f"gradient descent: the budget of 1 iterations is used up{advice}"
    assert result.status == ml.Status.MAX_ITERATIONS
    fine = TRAINERS[name](max_iterations=1).minimize(lambda x: (float(x @ x) / 2, x), [3.0, 3.0])
    assert fine.message == "gradient descent: the budget of 1 iterations is used up"


def test_a_run_that_overflows_is_advised_too() -> None:
    def bowl(x: Array) -> tuple[float, Array]:
        with np.errstate(over="ignore"):
            return float(x @ x), 2 * x

    result = ml.GradientDescent(1e6).minimize(bowl, [1.0])
    assert result.status == ml.Status.NON_FINITE
    assert result.message.endswith(
        "and no step lowered the cost: the learning rate may be too large"
    )


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
def test_arguments_of_minimize_are_checked(
    make: Make,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    objective = PROBLEMS["xor"]().objective
    before = objective.x0
    with pytest.raises(error, match=message):
        make().minimize(objective, **options)
    np.testing.assert_array_equal(objective.model.parameters, before)
    assert list(tmp_path.iterdir()) == []

"""The whole gradient against central differences, and check_gradient against planted mistakes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.conftest import HIDDEN, PAIRS, small_model, targets_for

WIDTHS = {
    "shallow": [3, 2],
    "one hidden": [3, 4, 2],
    "deep": [3, 4, 3, 5, 2],
    "width one": [1, 1, 1, 1],
}


def problem(
    pair: str, hidden: type[ml.Activation], widths: list[int], rows: int, l2: float
) -> ml.Objective:
    rng = np.random.default_rng(7)
    last, loss = PAIRS[pair]
    model = small_model(widths, hidden, last, seed=5)
    Y = targets_for(pair, rows, widths[-1], rng)
    return ml.Objective(model, rng.standard_normal((rows, widths[0])), Y, loss(), l2=l2, shards=2)


@pytest.mark.parametrize("l2", [0.0, 2.0])
@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("pair", PAIRS)
def test_gradient_is_the_central_difference(
    pair: str, hidden: type[ml.Activation], widths: str, rows: int, l2: float
) -> None:
    objective = problem(pair, hidden, WIDTHS[widths], rows, l2)
    x = objective.x0
    gradient = objective(x)[1]
    expected = np.empty_like(x)
    for index in range(x.size):
        values = []
        for steps in (1, -1, 2, -2):
            moved = x.copy()
            moved[index] += steps * 1e-4
            values.append(objective(moved)[0])
        expected[index] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / 12e-4
    assert np.abs(gradient - expected).max() < 1e-7 * max(1e-3, np.abs(expected).max())


@pytest.mark.parametrize("every_parameter", [False, True])
def test_right_gradients_pass(every_parameter: bool) -> None:
    report = ml.check_gradient(
        problem("sigmoid", ml.Tanh, [3, 4, 2], 5, 1.0), every_parameter=every_parameter
    )
    assert report.worst < 1e-8
    assert "layers[0] Dense(3, 4), gradient by theta" in report.errors
    assert (
        "layers[0] Dense(3, 4), theta[15] (parameter 15) in the whole objective" in report.errors
    ) is every_parameter


def scaled(method: Callable[..., Any], position: int) -> Callable[..., Any]:
    """The method, its output array (that argument) 0.1 % too large."""

    def wrong(*arguments: Any) -> Any:
        result = method(*arguments)
        arguments[position][...] *= 1.001
        return result

    return wrong


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_wrong_activation_derivative_is_found_and_named(
    hidden: type[ml.Activation], monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = problem(
        "identity" if hidden is not ml.Identity else "sigmoid", hidden, [3, 4, 3, 2], 5, 0.5
    )
    monkeypatch.setattr(hidden, "gradient", scaled(hidden.gradient, 4))
    with pytest.raises(
        ml.GradientError,
        match=rf"layers\[1\] {hidden.__name__}\(\), gradient by the input: analytic",
    ):
        ml.check_gradient(objective)


@pytest.mark.parametrize("index", [0, 2, 4])
@pytest.mark.parametrize("derivative", ["input", "theta"])
def test_a_wrong_dense_derivative_is_found_and_named(
    index: int, derivative: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths = [3, 4, 5, 2]
    objective = problem("sigmoid", ml.Tanh, widths, 5, 0.5)
    units = widths[index // 2 + 1]
    method = "input_gradient" if derivative == "input" else "parameter_gradient"
    right = getattr(ml.Dense, method)

    def wrong(self: ml.Dense, dy: Array) -> Any:
        result = right(self, dy)
        if self.units == units:
            (result if derivative == "input" else self.gradients["theta"])[...] *= 1.001
        return result

    monkeypatch.setattr(ml.Dense, method, wrong)
    what = "the input" if derivative == "input" else "theta"
    with pytest.raises(
        ml.GradientError, match=rf"layers\[{index}\] Dense\(\d, {units}\), gradient by {what}"
    ):
        ml.check_gradient(objective)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_wrong_loss_is_found_and_named(pair: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objective = problem(pair, ml.Tanh, [3, 4, 2], 5, 0.0)
    loss = PAIRS[pair][1]
    monkeypatch.setattr(loss, "value_and_error_", scaled(loss.value_and_error_, 1))
    with pytest.raises(
        ml.GradientError, match=rf"{loss.__name__}\(\) with layers\[3\] .*output error"
    ):
        ml.check_gradient(objective)


def test_one_wrong_entry_is_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = problem("sigmoid", ml.Tanh, [3, 4, 2], 5, 0.0)
    right = ml.Objective.__call__

    def wrong(self: ml.Objective, x: Array) -> tuple[float, Array]:
        cost, gradient = right(self, x)
        gradient[20] *= 1.001
        return cost, gradient

    monkeypatch.setattr(ml.Objective, "__call__", wrong)
    named = r"layers\[2\] Dense\(4, 2\), theta\[4\] \(parameter 20\) in the whole objective"
    with pytest.raises(ml.GradientError, match=named):
        ml.check_gradient(objective, every_parameter=True, tolerance=1e-7)


def test_a_missing_penalty_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = problem("sigmoid", ml.Tanh, [3, 4, 2], 5, 1.0)
    right = ml.Objective.__call__
    without = problem("sigmoid", ml.Tanh, [3, 4, 2], 5, 0.0)
    monkeypatch.setattr(
        ml.Objective, "__call__", lambda self, x: (right(self, x)[0], right(without, x)[1])
    )
    with pytest.raises(
        ml.GradientError, match=r"layers\[0\] Dense\(3, 4\), theta in the whole objective"
    ):
        ml.check_gradient(objective)


@pytest.mark.parametrize("seed", range(3))
def test_kinks_in_many_rows_are_no_mistakes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = ml.Sequential(
        [ml.Dense(50, 40), ml.ReLU(), ml.Dense(40, 30), ml.ReLU(), ml.Dense(30, 1), ml.Sigmoid()],
        seed,
    )
    X, labels = rng.standard_normal((3000, 50)), rng.integers(0, 2, 3000)
    objective = ml.Objective(model, X, labels, ml.BinaryCrossEntropy())
    assert ml.check_gradient(objective).worst < 1e-6


def test_a_mistake_beside_kinks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    model = ml.Sequential([ml.Dense(50, 40), ml.ReLU(), ml.Dense(40, 1), ml.Sigmoid()], seed=0)
    objective = ml.Objective(
        model, rng.standard_normal((3000, 50)), rng.integers(0, 2, 3000), ml.BinaryCrossEntropy()
    )
    right = ml.Objective.__call__
    monkeypatch.setattr(
        ml.Objective, "__call__", lambda self, x: (right(self, x)[0], right(self, x)[1] * 1.00001)
    )
    with pytest.raises(
        ml.GradientError, match=r"layers\[0\] Dense\(50, 40\), theta in the whole objective"
    ):
        ml.check_gradient(objective)


def test_saturated_units_are_no_mistakes() -> None:
    model = ml.Sequential([ml.Dense(1, 1), ml.Tanh(), ml.Dense(1, 1), ml.Sigmoid()])
    model.parameters[:] = [0.0, 1.0, 0.5, 0.5]
    X, labels = np.linspace(11.5, 12.5, 20)[:, None], np.arange(20) % 2
    assert ml.check_gradient(ml.Objective(model, X, labels, ml.BinaryCrossEntropy())).worst < 1e-6


def test_single_precision_is_refused() -> None:
    rng = np.random.default_rng(0)
    model = small_model([3, 2], ml.Tanh, ml.Sigmoid, seed=0)
    X, Y = rng.standard_normal((5, 3)), rng.integers(0, 2, (5, 2))
    objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), dtype="float32")
    message = (
        "^objective: expected dtype float64, found float32, too coarse for differences: check the same objective "
        "without dtype$"
    )
    with pytest.raises(ValueError, match=message):
        ml.check_gradient(objective)


def test_the_check_changes_nothing() -> None:
    objective = problem("sigmoid", ml.ReLU, [3, 4, 2], 5, 1.0)
    before = objective.x0
    ml.check_gradient(objective, np.ones(before.size))
    np.testing.assert_array_equal(objective.model.parameters, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"directions": 0}, "directions: expected at least 1, found 0"),
        ({"tolerance": 0}, "tolerance: expected a finite number > 0, found 0"),
        ({"x": [1.0]}, r"x: expected shape \(26,\), found \(1,\)"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ml.check_gradient(problem("sigmoid", ml.Tanh, [3, 4, 2], 5, 1.0), **arguments)
    with pytest.raises(TypeError, match="objective: expected an Objective, found"):
        ml.check_gradient(len)  # type: ignore[arg-type]

"""check_gradient: right derivatives pass, planted mistakes are found and named."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.problems import HIDDEN, PAIRS, random_objective, small_model


def small_objective(
    pair: str = "sigmoid", *, hidden: type[ml.Activation] = ml.Tanh, l2: float = 0.0
) -> ml.Objective:
    """Return an objective of Dense(3, 4), the hidden activation and Dense(4, 2) on five rows."""
    return random_objective(pair, widths=(3, 4, 2), hidden=hidden, rows=5, l2=l2, shards=2)


@pytest.mark.parametrize("every_parameter", [False, True])
def test_right_gradients_pass(every_parameter: bool) -> None:
    report = ml.check_gradient(small_objective(l2=1.0), every_parameter=every_parameter)
    assert report.worst < 1e-8
    assert "layers[0] Dense(3, 4), gradient by theta" in report.errors
    single = "layers[0] Dense(3, 4), theta[15] (parameter 15) in the whole objective"
    assert (single in report.errors) is every_parameter


def scaled(method: Callable[..., Any], position: int) -> Callable[..., Any]:
    """Return the method with its output array, the argument there, 0.1 % too large."""

    def wrong(*arguments: Any) -> Any:
        result = method(*arguments)
        arguments[position][...] *= 1.001
        return result

    return wrong


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_wrong_activation_derivative_is_found_and_named(
    hidden: type[ml.Activation], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = "identity" if hidden is not ml.Identity else "sigmoid"
    objective = random_objective(pair, widths=(3, 4, 3, 2), hidden=hidden, rows=5, l2=0.5, shards=2)
    monkeypatch.setattr(hidden, "gradient", scaled(hidden.gradient, 4))
    named = rf"layers\[1\] {hidden.__name__}\(.*\), gradient by the input: analytic"
    with pytest.raises(ml.GradientError, match=named):
        ml.check_gradient(objective)


@pytest.mark.parametrize("index", [0, 2, 4])
@pytest.mark.parametrize("derivative", ["input", "theta"])
def test_a_wrong_dense_derivative_is_found_and_named(
    index: int, derivative: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    widths = [3, 4, 5, 2]
    objective = random_objective(widths=widths, hidden=ml.Tanh, rows=5, l2=0.5, shards=2)
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
    named = rf"layers\[{index}\] Dense\(\d, {units}\), gradient by {what}"
    with pytest.raises(ml.GradientError, match=named):
        ml.check_gradient(objective)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_wrong_loss_is_found_and_named(pair: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objective = small_objective(pair)
    loss = PAIRS[pair][1]
    monkeypatch.setattr(loss, "value_and_error_", scaled(loss.value_and_error_, 1))
    named = rf"{loss.__name__}\(\) with layers\[3\] .*output error"
    with pytest.raises(ml.GradientError, match=named):
        ml.check_gradient(objective)


def test_one_wrong_entry_is_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = small_objective()
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
    objective = small_objective(l2=1.0)
    without = small_objective(l2=0.0)
    right = ml.Objective.__call__

    def wrong(self: ml.Objective, x: Array) -> tuple[float, Array]:
        return right(self, x)[0], right(without, x)[1]

    monkeypatch.setattr(ml.Objective, "__call__", wrong)
    named = r"layers\[0\] Dense\(3, 4\), theta in the whole objective"
    with pytest.raises(ml.GradientError, match=named):
        ml.check_gradient(objective)


@pytest.mark.parametrize("seed", range(3))
def test_kinks_in_many_rows_pass(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = ml.mlp(50, 40, 30, 1, hidden=ml.ReLU, output=ml.Sigmoid, seed=seed)
    X = rng.standard_normal((3000, 50))
    labels = rng.integers(0, 2, 3000)
    objective = ml.Objective(model, X, labels, ml.BinaryCrossEntropy())
    assert ml.check_gradient(objective).worst < 1e-6


def test_a_mistake_beside_kinks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    model = ml.mlp(50, 40, 1, hidden=ml.ReLU, output=ml.Sigmoid, seed=0)
    X = rng.standard_normal((3000, 50))
    labels = rng.integers(0, 2, 3000)
    objective = ml.Objective(model, X, labels, ml.BinaryCrossEntropy())
    right = ml.Objective.__call__

    def wrong(self: ml.Objective, x: Array) -> tuple[float, Array]:
        cost, gradient = right(self, x)
        return cost, gradient * 1.00001

    monkeypatch.setattr(ml.Objective, "__call__", wrong)
    named = r"layers\[0\] Dense\(50, 40\), theta in the whole objective"
    with pytest.raises(ml.GradientError, match=named):
        ml.check_gradient(objective)


def test_saturated_units_pass() -> None:
    model = ml.Sequential([ml.Dense(1, 1), ml.Tanh(), ml.Dense(1, 1), ml.Sigmoid()])
    model.parameters[:] = [0.0, 1.0, 0.5, 0.5]
    X = np.linspace(11.5, 12.5, 20)[:, None]
    labels = np.arange(20) % 2
    assert ml.check_gradient(ml.Objective(model, X, labels, ml.BinaryCrossEntropy())).worst < 1e-6


def test_single_precision_is_refused() -> None:
    rng = np.random.default_rng(0)
    model = small_model([3, 2], ml.Tanh, ml.Sigmoid, seed=0)
    X = rng.standard_normal((5, 3))
    Y = rng.integers(0, 2, (5, 2))
    objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), dtype="float32")
    message = (
        "^objective: expected dtype float64, found float32, too coarse for differences: "
        "check the same objective without dtype$"
    )
    with pytest.raises(ValueError, match=message):
        ml.check_gradient(objective)


def test_the_model_keeps_its_parameters() -> None:
    objective = small_objective(hidden=ml.ReLU, l2=1.0)
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
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ml.check_gradient(small_objective(l2=1.0), **arguments)
    with pytest.raises(TypeError, match="objective: expected an Objective, found"):
        ml.check_gradient(len)  # type: ignore[arg-type]


def test_a_model_that_ends_in_dense_is_checked_too() -> None:
    rng = np.random.default_rng(0)
    model = ml.mlp(3, 4, 2, seed=0)
    X = rng.standard_normal((5, 3))
    objective = ml.Objective(model, X, rng.standard_normal((5, 2)), ml.SquaredError(), l2=0.5)
    report = ml.check_gradient(objective)
    assert report.worst < 1e-8
    assert "SquaredError() with layers[2] Dense(4, 2): output error" in report.errors


# The report


def many_errors() -> ml.GradientReport:
    return ml.GradientReport({f"parameter {index}": index * 1e-12 for index in range(5000)})


def test_the_repr_of_a_report_shows_the_largest_errors() -> None:
    lines = repr(many_errors()).splitlines()
    assert lines[0] == "5000 derivatives, relative errors:"
    assert lines[1] == "  5.0e-09  parameter 4999"
    assert lines[20] == "  5.0e-09  parameter 4980"
    assert lines[21] == "      ...  4980 smaller ones: print(report)"
    assert len(lines) == 22


def test_the_repr_of_a_short_report_shows_all_errors() -> None:
    report = ml.GradientReport({"first": 1e-9, "second": 2e-8})
    assert repr(report).splitlines() == [
        "2 derivatives, relative errors:",
        "  2.0e-08  second",
        "  1.0e-09  first",
    ]


def test_print_shows_all_errors_in_their_order() -> None:
    report = many_errors()
    lines = str(report).splitlines()
    assert len(lines) == 5000
    assert lines[1] == "  1.0e-12  parameter 1"
    assert report.worst == 4999 * 1e-12

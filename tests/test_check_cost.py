"""check_cost: right solutions pass, and each classical mistake is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

import minilayer as ml
from minilayer.ex4.mistakes import cost_mistakes, penalty_mistakes
from minilayer.ex4.small_problem import small_problems
from minilayer.utils.types import Array
from tests.helpers.ex4_solution import STEPS, Step, ones, sigmoid, slope, solution
from tests.helpers.html import texts_of

PARTS = [
    "cost",
    "penalty",
    "Theta2 gradient",
    "Theta1 gradient",
    "Theta2 gradient, penalty",
    "Theta1 gradient, penalty",
]


def both(reason: str) -> list[str]:
    return [f"Theta{k} gradient, penalty: {reason}" for k in (2, 1)]


def wrong_parts(report: ml.ex4.CostReport) -> list[str]:
    return [f"{one.part}: {one.reason}" for one in report.findings if not one.is_right]


def penalty_of(factor: Callable[[float, int], float]) -> Step:
    return lambda t1, t2, penalty, m: (
        factor(penalty, m) * (np.sum(t1[:, 1:] ** 2) + np.sum(t2[:, 1:] ** 2))
    )


# What is right


@pytest.mark.parametrize("seed", range(5))
def test_the_right_solution_is_right(seed: int) -> None:
    report = ml.ex4.check_cost(solution(), seed=seed)
    assert report.is_right
    assert [one.part for one in report.findings] == PARTS
    assert all(one.error is not None and one.error < 1e-12 for one in report.findings)
    assert report.verdict == "all 6 parts are right"


FORMS: dict[str, Step] = {
    "labels of shape (m,)": lambda y, labels: np.eye(labels)[y - 1] + 0 * y[:, None],
    "labels of shape (m, 1)": lambda y, labels: (
        1.0 * (y == np.arange(1, labels + 1)) + 0 * y[:, :1]
    ),
    "one-hot rows of shape (m, num_labels)": lambda y, labels: y.reshape(len(y), labels),
}


@pytest.mark.parametrize("form", FORMS)
def test_y_is_given_in_the_form_that_the_function_reads(form: str) -> None:
    report = ml.ex4.check_cost(solution(one_hot=FORMS[form]))
    assert report.is_right
    assert report.notes == (f"y was given as {form}, labels from 1 up.",)


def from_zero(y: Array, labels: int) -> Array:
    return np.eye(labels)[y.ravel()]


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (solution(order="F"), {"order": "F"}),
        (solution(one_hot=from_zero), {"first_label": 0}),
        (solution(returned=lambda cost, gradient: [np.array([[cost]]), gradient[:, None]]), {}),
        (solution(returned=lambda cost, gradient: (cost, gradient[None, :])), {}),
        (
            solution(returned=lambda cost, gradient: (np.float32(cost), gradient)),
            {"tolerance": 0.01},
        ),
    ],
)
def test_other_conventions_are_right_too(function: Any, options: Any) -> None:
    assert ml.ex4.check_cost(function, **options).is_right


def test_a_cost_alone_is_checked_without_its_gradient() -> None:
    report = ml.ex4.check_cost(solution(returned=lambda cost, gradient: cost))
    assert report.is_right
    assert [one.part for one in report.findings] == PARTS[:2]
    assert "The gradient was not checked: the function returns the cost alone." in report.notes


def test_differences_of_the_cost_are_a_right_gradient() -> None:
    cost = solution(returned=lambda cost, gradient: cost)

    def by_differences(params: Array, *others: Any) -> tuple[float, Array]:
        return cost(params, *others), approx_fprime(params, cost, 1e-7, *others)

    report = ml.ex4.check_cost(by_differences, tolerance=1e-4)
    assert report.is_right


# What is wrong

LABELS = "labels: off by one: label 1 belongs to column 0, not to"
BIAS = "bias penalized: leave out column 0"
NOT_AVERAGED = "scale by m: the sum over the rows is not divided by m"
SIGN = "sign: it is the negative of the right one"

MISTAKES: dict[str, tuple[dict[str, Step], list[str]]] = {
    "cost not averaged": ({"average": lambda total, m: total}, [f"cost: {NOT_AVERAGED}"]),
    "cost averaged over outputs too": (
        {"loss": lambda h, Y: STEPS["loss"](h, Y) / Y.shape[1]},
        ["cost: scale by the labels: the sum over the outputs is divided by their number"],
    ),
    "cost of the other sign": ({"loss": lambda h, Y: -STEPS["loss"](h, Y)}, [f"cost: {SIGN}"]),
    "first term alone": (
        {"loss": lambda h, Y: -Y * np.log(h)},
        ["cost: the term (1 - y) log(1 - h) is missing"],
    ),
    "squared error": (
        {"loss": lambda h, Y: (h - Y) ** 2 / 2},
        ["cost: it is the squared error, not the cross-entropy"],
    ),
    "no lambda in the cost": (
        {"penalty": lambda t1, t2, penalty, m: 0},
        ["penalty: there is none: lambda is not used"],
    ),
    "bias penalized in the cost": (
        {"penalty": lambda t1, t2, penalty, m: penalty / (2 * m) * (np.sum(t1**2) + np.sum(t2**2))},
        [f"penalty: {BIAS} of Theta1 and Theta2"],
    ),
    "lambda / m in the cost": (
        {"penalty": penalty_of(lambda penalty, m: penalty / m)},
        ["penalty: scale: lambda / m instead of lambda / (2 m)"],
    ),
    "lambda / 2 in the cost": (
        {"penalty": penalty_of(lambda penalty, m: penalty / 2)},
        ["penalty: scale by m: lambda / 2 instead of lambda / (2 m)"],
    ),
    "bias penalized, and lambda / m": (
        {"penalty": lambda t1, t2, penalty, m: penalty / m * (np.sum(t1**2) + np.sum(t2**2))},
        [f"penalty: {BIAS} of Theta1 and Theta2; scale: lambda / m instead of lambda / (2 m)"],
    ),
    "row instead of column left out": (
        {
            "penalty": lambda t1, t2, penalty, m: (
                penalty / (2 * m) * (np.sum(t1[1:] ** 2) + np.sum(t2[1:] ** 2))
            )
        },
        ["penalty: row 0 is left out instead of column 0, the bias"],
    ),
    "Theta2 not penalized": (
        {"penalty": lambda t1, t2, penalty, m: penalty / (2 * m) * np.sum(t1[:, 1:] ** 2)},
        ["penalty: Theta2 is missing"],
    ),
    "weights not squared": (
        {
            "penalty": lambda t1, t2, penalty, m: (
                penalty / (2 * m) * (np.sum(t1[:, 1:]) + np.sum(t2[:, 1:]))
            )
        },
        ["penalty: the weights are not squared"],
    ),
    "penalty always": (
        {"penalty": lambda t1, t2, penalty, m: STEPS["penalty"](t1, t2, 1.0, m)},
        [
            "cost: the penalty is there with lambda 0 too",
            "penalty: there is none: lambda is not used",
        ],
    ),
    "no sigmoid gradient": (
        {"back": lambda d3, t2, z2: d3 @ t2[:, 1:]},
        ["Theta1 gradient: the sigmoid gradient is missing: multiply by sigmoidGradient(z2)"],
    ),
    "sigmoid gradient of a2": (
        {"back": lambda d3, t2, z2: d3 @ t2[:, 1:] * slope(sigmoid(z2))},
        ["Theta1 gradient: sigmoidGradient is taken of a2, not of z2"],
    ),
    "wrong column dropped": (
        {"back": lambda d3, t2, z2: d3 @ t2[:, :-1] * slope(z2)},
        ["Theta1 gradient: the last column of Theta2 is left out instead of column 0, the bias"],
    ),
    "gradient of Theta2 not averaged": (
        {"average2": lambda total, m: total},
        [f"Theta2 gradient: {NOT_AVERAGED}"],
    ),
    "gradient of Theta1 not averaged, no sigmoid gradient": (
        {"average1": lambda total, m: total, "back": lambda d3, t2, z2: d3 @ t2[:, 1:]},
        [
            "Theta1 gradient: the sigmoid gradient is missing: multiply by sigmoidGradient(z2); "
            + NOT_AVERAGED
        ],
    ),
    "error of the other sign": (
        {"error": lambda h, Y: Y - h},
        [f"Theta2 gradient: {SIGN}", f"Theta1 gradient: {SIGN}"],
    ),
    "sigmoid gradient at the output": (
        {"error": lambda h, Y: (h - Y) * h * (1 - h)},
        [
            f"Theta{k} gradient: the error of the output is h - y, without a sigmoid gradient"
            for k in (2, 1)
        ],
    ),
    "no lambda in the gradients": (
        {f"penalty{k}": lambda theta, penalty, m: 0 for k in (1, 2)},
        both("there is none: lambda is not used"),
    ),
    "bias penalized in the gradients": (
        {f"penalty{k}": lambda theta, penalty, m: penalty / m * theta for k in (1, 2)},
        both(BIAS),
    ),
    "lambda alone in the gradient of Theta1": (
        {"penalty1": lambda theta, penalty, m: m * STEPS["penalty1"](theta, penalty, m)},
        ["Theta1 gradient, penalty: scale by m: lambda instead of lambda / m"],
    ),
    "lambda / (2 m) in the gradient of Theta2": (
        {"penalty2": lambda theta, penalty, m: STEPS["penalty2"](theta, penalty, m) / 2},
        ["Theta2 gradient, penalty: scale: lambda / (2 m) instead of lambda / m"],
    ),
    "something else": (
        {"loss": lambda h, Y: np.abs(h - Y) ** 1.7},
        ["cost: it differs, and not by one of the usual mistakes"],
    ),
}
"""Wrong steps, and the parts that are off; all other parts are right."""


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_named_and_nothing_else(name: str) -> None:
    steps, expected = MISTAKES[name]
    report = ml.ex4.check_cost(solution(**steps))
    assert wrong_parts(report) == expected
    assert report.verdict == expected[0]
    assert not report.is_right


@pytest.mark.parametrize(
    ("one_hot", "reason"),
    [
        (
            lambda y, labels: np.eye(labels)[y.ravel() % labels],
            "column 1, nor the last label to column 0",
        ),
        (lambda y, labels: 1.0 * (y.reshape(-1, 1) == np.arange(labels)), "column 1, and the last"),
        (lambda y, labels: np.eye(labels)[y.ravel() - 2], "the last one"),
    ],
)
def test_labels_that_are_off_by_one_are_named(one_hot: Step, reason: str) -> None:
    report = ml.ex4.check_cost(solution(one_hot=one_hot))
    assert report.verdict.startswith(f"cost: {LABELS} {reason}")
    gradients = [one.reason for one in report.findings if one.part.endswith("gradient")]
    assert gradients == ["it differs too: mend the part above first"] * 2


def test_a_function_of_the_article_is_read(recwarn: pytest.WarningsRecorder) -> None:
    """It makes matrices of its arguments, loops over the rows, and takes one-hot rows."""

    def backprop(
        params: Any, inputs: int, hidden: int, labels: int, X: Any, y: Any, learning_rate: float
    ) -> Any:
        X, y = np.matrix(X), np.matrix(y)
        _, gradient = solution(one_hot=lambda Y, labels: Y)(
            params, inputs, hidden, labels, np.asarray(X), np.asarray(y), learning_rate
        )
        size = hidden * (inputs + 1)
        theta1 = np.matrix(np.reshape(params[:size], (hidden, inputs + 1)))
        theta2 = np.matrix(np.reshape(params[size:], (labels, hidden + 1)))
        J = 0.0
        for row, target in zip(X, y, strict=True):
            a2 = np.insert(sigmoid(row @ theta1[:, 1:].T + theta1[:, 0].T), 0, 1)
            h = sigmoid(np.matrix(a2) @ theta2.T)
            J += np.sum(np.multiply(-target, np.log(h)) - np.multiply(1 - target, np.log(1 - h)))
        penalty = np.sum(np.power(theta1[:, 1:], 2)) + np.sum(np.power(theta2[:, 1:], 2))
        J = J / len(X) + float(learning_rate) / (2 * len(X)) * penalty
        return J, np.matrix(gradient)

    report = ml.ex4.check_cost(backprop)
    assert report.is_right, str(report)
    assert not recwarn.list


def test_an_output_without_sigmoid_in_the_hidden_layer() -> None:
    report = ml.ex4.check_cost(solution(hidden=lambda z: z))
    assert report.verdict == "cost: the hidden units lack the sigmoid"


@pytest.mark.parametrize(
    ("function", "note"),
    [
        (solution(order="F"), "The function is right with order='F'."),
        (
            solution(one_hot=from_zero),
            "The function is right with first_label=0, labels from 0 to num_labels - 1.",
        ),
    ],
)
def test_another_convention_is_pointed_out(function: Any, note: str) -> None:
    report = ml.ex4.check_cost(function)
    assert not report.is_right
    assert report.notes[-1] == note


def raises(*arguments: Any) -> Any:
    raise ZeroDivisionError("division by zero")


def changes(name: str) -> Callable[..., Any]:
    def function(params: Array, a: int, b: int, c: int, X: Array, y: Array, d: float) -> Any:
        result = solution()(params, a, b, c, X.copy(), y, d)
        {"params": params, "X": X, "y": y}[name][0] += 1
        return result

    return function


@pytest.mark.parametrize(
    ("function", "verdict"),
    [
        (raises, "call: it raises ZeroDivisionError: division by zero"),
        (
            lambda *arguments: None,
            "cost: expected a number, found None: is there a return statement?",
        ),
        (lambda *arguments: "low", "cost: expected a number, found 'low'"),
        (lambda *arguments: np.ones(3), "cost: expected a number, found an array of shape (3,)"),
        (
            lambda *arguments: float("nan"),
            "cost: expected a finite number, found nan: is there a log of 0?",
        ),
        (
            lambda *arguments: (1.0, 2.0, 3.0),
            "call: expected the cost, or the cost and the gradient, found 3 values: "
            "unroll both gradients into one vector",
        ),
        (
            solution(returned=lambda cost, gradient: (cost, gradient[1:])),
            "gradient: expected shape (44,), as params has, found (43,)",
        ),
        (
            solution(returned=lambda cost, gradient: (cost, "steep")),
            "gradient: expected shape (44,), as params has, found 'steep'",
        ),
        (
            solution(returned=lambda cost, gradient: (cost, gradient * np.nan)),
            "gradient: expected finite numbers, found NaN or infinity",
        ),
        (changes("params"), "call: it changes its argument params: work on a copy"),
        (changes("X"), "call: it changes its argument X: work on a copy"),
        (changes("y"), "call: it changes its argument y: work on a copy"),
    ],
)
def test_what_cannot_be_compared_has_a_verdict_too(function: Any, verdict: str) -> None:
    report = ml.ex4.check_cost(function)
    assert report.verdict == verdict
    assert wrong_parts(report) == [verdict]


@given(st.integers(0, 10**6))
def test_no_two_mistakes_give_the_same(seed: int) -> None:
    problem = small_problems(seed)[0]
    for mistakes in (cost_mistakes, penalty_mistakes):
        values = np.array(sorted(float(value) for value in mistakes(problem).values()))
        assert (np.diff(values) > 1e-9 * np.abs(values[1:])).all()


# The report


def test_the_report_reads_as_a_table() -> None:
    report = ml.ex4.check_cost(solution(average2=lambda total, m: total))
    lines = str(report).splitlines()
    assert lines[0] == f"Theta2 gradient: {NOT_AVERAGED}"
    assert [line.split()[0] for line in lines[2:8]] == [
        *("right", "right", "WRONG"),
        *["right"] * 3,
    ]
    assert lines[4].endswith(f"9.1e-01  {NOT_AVERAGED}")
    assert lines[-1] == "y was given as labels of shape (m,), labels from 1 up."
    assert repr(report) == str(report)


@pytest.mark.parametrize("name", MISTAKES)
def test_the_page_says_the_same(name: str) -> None:
    report = ml.ex4.check_cost(solution(**MISTAKES[name][0]))
    texts = texts_of(report._repr_html_())
    assert texts[0] == report.verdict
    assert {one.reason for one in report.findings if one.reason} <= set(texts)


def test_the_page_of_a_long_exception_is_small_and_safe() -> None:
    def function(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any) -> Any:
        raise ValueError("<script>" * 10_000)

    html = ml.ex4.check_cost(function)._repr_html_()
    texts_of(html)
    assert "<script" not in html


@pytest.mark.parametrize(
    ("function", "options", "error", "message"),
    [
        (3, {}, TypeError, "function: expected a cost function of seven arguments, found 3"),
        (lambda x: x, {}, TypeError, "function: expected a cost function of seven arguments, cal"),
        (solution(), {"order": "K"}, ValueError, "order: expected 'C' or 'F', found 'K'"),
        (solution(), {"first_label": -1}, ValueError, "first_label: expected at least 0, found -1"),
        (solution(), {"tolerance": 0}, ValueError, "tolerance: expected a finite number > 0"),
        (solution(), {"seed": -1}, ValueError, "seed: expected at least 0, found -1"),
    ],
)
def test_wrong_arguments_are_refused(
    function: Any, options: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        ml.ex4.check_cost(function, **options)
    assert str(caught.value).startswith(message)


def test_the_digits_of_the_exercise_have_the_cost_of_the_student(
    digits: tuple[Array, Array],
) -> None:
    """The helper that the mistakes are made from is right on the exercise's own data too."""
    X, labels = digits
    y = np.where(labels == 0, 10, labels)
    params = np.sin(np.arange(1, 10286)) / 10
    cost, gradient = solution()(params, 400, 25, 10, X, y, 1.0)
    assert cost == pytest.approx(6.877039077617422, rel=1e-12)
    assert gradient.sum() == pytest.approx(53.31681379031764, rel=1e-12)
    assert ones(X).shape == (5000, 401)

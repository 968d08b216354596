"""check_cost: a student's cost function against minilayer's, with a verdict on each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..utils.checks import check_count, check_function, check_number, short_repr
from ..utils.types import Array
from .cost_report import CostReport, Finding
from .mistakes import (
    Mistakes,
    cost_mistakes,
    gradient_penalty_mistakes,
    penalty_mistakes,
    theta1_mistakes,
    theta2_mistakes,
)
from .small_problem import Order, SmallProblem, small_problems

ARGUMENTS = (
    "params",
    "input_layer_size",
    "hidden_layer_size",
    "num_labels",
    "X",
    "y",
    "lambda_",
)
FORMS: Mapping[str, Callable[[SmallProblem, int], Array]] = {
    "labels of shape (m,)": lambda problem, first: problem.labels - 1 + first,
    "labels of shape (m, 1)": lambda problem, first: (problem.labels - 1 + first)[:, None],
    "one-hot rows of shape (m, num_labels)": lambda problem, first: problem.one_hot,
}
"""The forms of y. All of them say the same, so the one that the function reads is found out."""
UNKNOWN = "it differs, and not by one of the usual mistakes"
SMALLEST_SCALE = 1e-12


class Unusable(Exception):
    """The function cannot be judged further."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(reason)
        self.finding = Finding(part=part, reason=reason)


@dataclass(frozen=True)
class Observed:
    """What the function gave for one problem: without penalty, and what the penalty added."""

    cost: float
    penalty: float
    gradient: Array | None
    gradient_penalty: Array | None


def check_cost(
    function: Callable[..., Any],
    *,
    first_label: int = 1,
    order: Order = "C",
    tolerance: float = 1e-6,
    seed: int = 0,
) -> CostReport:
    """Compare your own cost function of exercise 4 with minilayer's.

    The function is called as ``function(params, input_layer_size, hidden_layer_size, num_labels, X,
    y, lambda_)``. The course's ``nnCostFunction`` and the article's ``cost`` and ``backprop`` take
    these arguments in this order. It returns the cost, or the cost and the gradient. The gradient
    has the layout of ``params``: Theta1, then Theta2, bias in column 0.

    It runs on three small random networks, with lambda 0 and with a positive one. Each part that is
    off is compared with what the usual mistakes give. One mistake has one reason.

    Parameters
    ----------
    function : callable
        Your function. ``y`` is tried as labels of shape (m,), as labels of shape (m, 1) and as
        one-hot rows (m, num_labels).
    first_label : int, default 1
        The smallest label: 1 in the course, where label 10 is digit 0; 0 for a function that takes
        digits.
    order : "C" or "F", default "C"
        How the matrices are unrolled into ``params`` and the gradient: row by row, as in the
        article and in NumPy, or column by column, as in MATLAB and Octave.
    tolerance : float, default 1e-6
        Of the relative errors.
    seed : int, default 0
        Of the networks.

    Returns
    -------
    CostReport
        The verdict on each part. A function that raises or returns something else has a verdict
        too.

    Raises
    ------
    TypeError, ValueError
        For a function that does not take seven arguments, and other arguments out of range.

    References
    ----------
    Andrew Ng, Machine Learning, programming exercise 4: Neural Networks Learning.

    Examples
    --------
    >>> import numpy as np
    >>> def cost(params, inputs, hidden, labels, X, y, lambda_):
    ...     theta1 = params[: hidden * (1 + inputs)].reshape(hidden, 1 + inputs)
    ...     theta2 = params[hidden * (1 + inputs) :].reshape(labels, 1 + hidden)
    ...     ones = np.ones((len(X), 1))
    ...     a2 = 1 / (1 + np.exp(-np.hstack([ones, X]) @ theta1.T))
    ...     h = 1 / (1 + np.exp(-np.hstack([ones, a2]) @ theta2.T))
    ...     Y = np.eye(labels)[y - 1]
    ...     J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / len(X)
    ...     return J + lambda_ / (2 * len(X)) * (np.sum(theta1**2) + np.sum(theta2**2))
    >>> check_cost(cost).verdict
    'penalty: bias penalized: leave out column 0 of Theta1 and Theta2'
    """
    check_function("function", function, "a cost function of seven arguments", *ARGUMENTS)
    check_count("first_label", first_label, 0)
    check_number("tolerance", tolerance, above=True)
    if order not in ("C", "F"):
        raise ValueError(f"order: expected 'C' or 'F', found {short_repr(order)}")
    problems = small_problems(check_count("seed", seed, 0))
    reports = [
        _report(function, problems, form, first_label=first_label, order=order, tolerance=tolerance)
        for form in FORMS
    ]
    best = min(reports, key=_badness)
    if not best.is_right and first_label:
        best = _with_hint(best, function, problems, order, tolerance)
    return best


def _badness(report: CostReport) -> tuple[int, int, int]:
    """Return what is lower for the form of y that the function reads."""
    wrong = [finding for finding in report.findings if not finding.is_right]
    unusable = sum(finding.error is None for finding in wrong)
    return unusable, sum(finding.reason == UNKNOWN for finding in wrong), len(wrong)


def _with_hint(
    report: CostReport,
    function: Callable[..., Any],
    problems: Sequence[SmallProblem],
    order: Order,
    tolerance: float,
) -> CostReport:
    """Return the report, with a note if another convention makes the function right."""
    other: Order = "F" if order == "C" else "C"
    conventions: tuple[tuple[int, Order, str], ...] = (
        (0, order, "first_label=0, labels from 0 to num_labels - 1"),
        (1, other, f"order={other!r}"),
    )
    for first_label, tried, name in conventions:
        for form in FORMS:
            again = _report(
                function, problems, form, first_label=first_label, order=tried, tolerance=tolerance
            )
            if again.is_right:
                note = f"The function is right with {name}."
                return CostReport(report.findings, (*report.notes, note))
    return report


def _report(
    function: Callable[..., Any],
    problems: Sequence[SmallProblem],
    form: str,
    *,
    first_label: int,
    order: Order,
    tolerance: float,
) -> CostReport:
    """Return the report on a function that is given y in one form."""
    notes = [f"y was given as {form}, labels from {first_label} up."]
    try:
        observed = [
            _observe(function, problem, FORMS[form](problem, first_label), order)
            for problem in problems
        ]
    except Unusable as error:
        return CostReport((error.finding,), tuple(notes))
    if any(one.gradient is None for one in observed):
        notes.append("The gradient was not checked: the function returns the cost alone.")
    return CostReport(tuple(_findings(problems, observed, order, tolerance)), tuple(notes))


# What the function gives


def _observe(
    function: Callable[..., Any], problem: SmallProblem, y: Array, order: Order
) -> Observed:
    """Return what the function gives without penalty, and what the penalty adds."""
    cost, gradient = _call(function, problem, y, order, 0.0)
    penalized_cost, penalized_gradient = _call(function, problem, y, order, problem.penalty)
    added = None
    if gradient is not None and penalized_gradient is not None:
        added = penalized_gradient - gradient
    return Observed(
        cost=cost,
        penalty=penalized_cost - cost,
        gradient=gradient,
        gradient_penalty=added,
    )


def _call(
    function: Callable[..., Any], problem: SmallProblem, y: Array, order: Order, penalty: float
) -> tuple[float, Array | None]:
    """Return cost and gradient; Unusable for a function that gives nothing to compare."""
    given = {"params": problem.parameters(order), "X": problem.X, "y": y}
    copies = {name: array.copy() for name, array in given.items()}
    hidden, columns = problem.theta1.shape
    sizes = (columns - 1, hidden, problem.classes)
    try:
        returned = function(copies["params"], *sizes, copies["X"], copies["y"], penalty)
    except Exception as error:
        raise Unusable("call", f"it raises {type(error).__name__}: {error}") from None
    for name, array in given.items():
        if not np.array_equal(copies[name], array):
            raise Unusable("call", f"it changes its argument {name}: work on a copy")
    cost, gradient = returned, None
    if isinstance(returned, (tuple, list)):
        if len(returned) != 2:
            raise Unusable(
                "call",
                f"expected the cost, or the cost and the gradient, found {len(returned)} values: "
                "unroll both gradients into one vector",
            )
        cost, gradient = returned
    return _cost_of(cost), None if gradient is None else _gradient_of(gradient, problem)


def _cost_of(value: object) -> float:
    hint = ": is there a return statement?" if value is None else ""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if value is None or array.size != 1:
        raise Unusable("cost", f"expected a number, found {short_repr(value)}{hint}")
    cost = float(array.ravel()[0])
    if not np.isfinite(cost):
        raise Unusable("cost", f"expected a finite number, found {cost}: is there a log of 0?")
    return cost


def _gradient_of(value: object, problem: SmallProblem) -> Array:
    size = problem.theta1.size + problem.theta2.size
    expected = f"expected shape ({size},), as params has"
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise Unusable("gradient", f"{expected}, found {short_repr(value)}") from None
    if array.size != size:
        raise Unusable("gradient", f"{expected}, found {array.shape}")
    if not np.isfinite(array).all():
        raise Unusable("gradient", "expected finite numbers, found NaN or infinity")
    return array.ravel()


# The verdicts


def _findings(
    problems: Sequence[SmallProblem],
    observed: Sequence[Observed],
    order: Order,
    tolerance: float,
) -> list[Finding]:
    """Return a verdict on each part."""
    plain = [problem.right(0.0) for problem in problems]
    penalized = [problem.right(problem.penalty) for problem in problems]
    pairs = list(zip(penalized, plain, strict=True))
    judge = _Judge(problems, tolerance)
    findings = [
        judge.finding(
            "cost",
            [np.asarray(one.cost) for one in observed],
            [np.asarray(cost) for cost, _ in plain],
            cost_mistakes,
        ),
        judge.finding(
            "penalty",
            [np.asarray(one.penalty) for one in observed],
            [np.asarray(more[0] - less[0]) for more, less in pairs],
            penalty_mistakes,
        ),
    ]
    gradients = [one.gradient for one in observed if one.gradient is not None]
    added = [one.gradient_penalty for one in observed if one.gradient_penalty is not None]
    if len(gradients) < len(problems):
        return findings

    def parts(vectors: Sequence[Array], index: int) -> list[Array]:
        pairs = zip(problems, vectors, strict=True)
        return [problem.split(vector, order)[index] for problem, vector in pairs]

    for index in (1, 0):  # backwards, as backpropagation goes
        right = [gradient[index] for _, gradient in plain]
        mistakes = (theta1_mistakes, theta2_mistakes)[index]
        part = f"Theta{index + 1} gradient"
        findings.append(judge.finding(part, parts(gradients, index), right, mistakes))
    for index in (1, 0):
        right = [more[1][index] - less[1][index] for more, less in pairs]
        mistakes = (_theta1_penalty_mistakes, _theta2_penalty_mistakes)[index]
        part = f"Theta{index + 1} gradient, penalty"
        findings.append(judge.finding(part, parts(added, index), right, mistakes))
    return findings


def _theta1_penalty_mistakes(problem: SmallProblem) -> Mistakes:
    return gradient_penalty_mistakes(problem, problem.theta1)


def _theta2_penalty_mistakes(problem: SmallProblem) -> Mistakes:
    return gradient_penalty_mistakes(problem, problem.theta2)


@dataclass(frozen=True)
class _Judge:
    """Compares one part on all problems."""

    problems: Sequence[SmallProblem]
    tolerance: float

    def finding(
        self,
        part: str,
        found: Sequence[Array],
        right: Sequence[Array],
        mistakes: Callable[[SmallProblem], Mistakes],
    ) -> Finding:
        """Return the verdict: right, a mistake that explains all problems, or unknown."""
        error = max(map(_relative_error, found, right))
        if error <= self.tolerance:
            return Finding(part=part, error=error)
        candidates = [mistakes(problem) for problem in self.problems]
        for reason in candidates[0]:
            values = [candidate[reason] for candidate in candidates]
            if max(map(_relative_error, found, values)) <= self.tolerance:
                return Finding(part=part, error=error, reason=reason)
        return Finding(part=part, error=error, reason=UNKNOWN)


def _relative_error(found: Array, expected: Array) -> float:
    """Return the largest difference, relative to the largest number."""
    scale = max(float(np.abs(found).max()), float(np.abs(expected).max()), SMALLEST_SCALE)
    return float(np.abs(found - expected).max()) / scale

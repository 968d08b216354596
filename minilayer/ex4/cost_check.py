"""check_cost: a student's cost function against minilayer's, with a verdict on each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..utils.checks import check_count, check_function, check_number, short_repr
from ..utils.types import Array
from .cost_report import CostReport
from .observation import Unusable, observe
from .small_problem import Order, SmallProblem, small_problems
from .verdicts import LATER, UNKNOWN, all_findings, with_first_cause

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
    reports = []
    for form in FORMS:
        reports.append(
            _report(
                function, problems, form, first_label=first_label, order=order, tolerance=tolerance
            )
        )
        if reports[-1].is_right:
            return reports[-1]
    best = min(reports, key=_badness)
    return _with_hint(best, function, problems, order, tolerance) if first_label else best


def _badness(report: CostReport) -> tuple[int, int, int]:
    """Return what is lower for the form of y that the function reads."""
    wrong = [finding for finding in report.findings if not finding.is_right]
    unusable = sum(finding.error is None for finding in wrong)
    unknown = sum(finding.reason in (UNKNOWN, LATER) for finding in wrong)
    return unusable, unknown, len(wrong)


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
            observe(function, problem, FORMS[form](problem, first_label), order)
            for problem in problems
        ]
    except Unusable as error:
        return CostReport((error.finding,), tuple(notes))
    if any(one.gradient is None for one in observed):
        notes.append("The gradient was not checked: the function returns the cost alone.")
    findings = all_findings(problems, observed, order, tolerance)
    return CostReport(tuple(with_first_cause(findings)), tuple(notes))

"""What a student's function gives for a small problem, or why it cannot be compared."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..utils.checks import short_repr
from ..utils.types import Array
from .cost_report import Finding
from .small_problem import Order, SmallProblem


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


def observe(
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
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # y in a form that the function does not read
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

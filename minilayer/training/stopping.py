"""How a run ends: its budget, and the status that says why. Not converging is no exception."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self, TypedDict, cast

from ..utils.checks import check_count, check_number


class Status(IntEnum):
    """How a run ended: ``result.status`` of every trainer.

    ``result.success`` is True for CONVERGED, STALLED, TARGET_COST and STOPPED_EARLY.
    """

    CONVERGED = 0
    """The method's own test for a minimum holds. LBFGS, GradientDescent: the gradient vanishes."""
    MAX_EVALUATIONS = 1
    MAX_ITERATIONS = 2
    MAX_SECONDS = 3
    CALLBACK = 4
    """The callback raised StopIteration."""
    INTERRUPTED = 5
    """Ctrl-C."""
    NON_FINITE = 6
    """The cost or its gradient was NaN or infinite.

    At the start, in GradientDescent and in a Hessian product that ends the run. LBFGS and SciPy's
    methods take a shorter step. They end after 20 such trial points in a row, and where SciPy
    gives up or claims success right after one.
    """
    FAILED = 7
    """The method gave up, for instance in a line search; the message has its words."""
    TARGET_COST = 8
    """The cost is as low as ``target_cost``."""
    STOPPED_EARLY = 9
    """The validation has not improved for ``patience`` iterations."""
    STALLED = 10
    """The cost changes no more, but the gradient is above the tolerance: the message has its norm.

    LBFGS says so after a second try down the gradient, without its memory. The usual reasons are a
    minimum within ``cost_tolerance``, a kink such as ReLU's, and rounding.
    """
    UNBOUNDED = 11
    """The cost falls without limit: to minus infinity, or to less than -1e20 times the start's
    cost, or -1e20 if that is smaller than 1."""

    def __str__(self) -> str:
        return self.name

    @property
    def is_success(self) -> bool:
        """Whether the run ended because it found what it was looking for."""
        return self in SUCCESSES


SUCCESSES = (Status.CONVERGED, Status.STALLED, Status.TARGET_COST, Status.STOPPED_EARLY)

FAILURES = (Status.INTERRUPTED, Status.NON_FINITE, Status.FAILED, Status.UNBOUNDED)
"""The bar of a notebook turns red."""

DEFAULT_MAX_EVALUATIONS = 15_000
"""Of a trainer that is given no limit; the number of SciPy's L-BFGS-B."""
ENDED_BY_THE_USER = (Status.CALLBACK, Status.INTERRUPTED)

UNBOUNDED_FACTOR = 1e20
"""A cost below this many times the start's, with a minus sign, is taken for unbounded."""


class Stop(Exception):
    """Ends a run from inside the method, with the status, the reason and what to do about it."""

    def __init__(self, status: Status, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.hint = hint


def check_bounded(cost: float, start_cost: float) -> None:
    """Raise Stop for a cost that only an objective without a minimum has."""
    if cost < -UNBOUNDED_FACTOR * max(1.0, abs(start_cost)):
        reason = f"the cost has fallen to {cost:.3g}: the objective seems unbounded below"
        raise Stop(Status.UNBOUNDED, reason)


class BudgetOptions(TypedDict, total=False):
    """The keyword arguments that every trainer has."""

    max_evaluations: int | None
    max_iterations: int | None
    max_seconds: float | None
    target_cost: float | None


LIMITS = ("max_evaluations", "max_iterations", "max_seconds")
"""The options that end every run."""


@dataclass(frozen=True)
class Budget:
    """When to stop; None: no limit."""

    max_evaluations: int | None = None
    max_iterations: int | None = None
    max_seconds: float | None = None
    target_cost: float | None = None

    @classmethod
    def checked(
        cls,
        *,
        max_evaluations: int | None = None,
        max_iterations: int | None = None,
        max_seconds: float | None = None,
        target_cost: float | None = None,
    ) -> Self:
        """Return the budget of a trainer's arguments; TypeError or ValueError for wrong ones."""
        if max_evaluations is not None:
            max_evaluations = check_count("max_evaluations", max_evaluations)
        if max_iterations is not None:
            max_iterations = check_count("max_iterations", max_iterations)
        if max_seconds is not None:
            max_seconds = check_number("max_seconds", max_seconds, above=True)
        if target_cost is not None:
            target_cost = check_number("target_cost", target_cost, -math.inf)
        return cls(
            max_evaluations=max_evaluations,
            max_iterations=max_iterations,
            max_seconds=max_seconds,
            target_cost=target_cost,
        )

    def check_evaluations(self, evaluations: int, wanted: int = 1) -> None:
        """Raise Stop if fewer than ``wanted`` evaluations are left."""
        if self.max_evaluations is None or evaluations + wanted <= self.max_evaluations:
            return
        left = self.max_evaluations - evaluations
        rest = f"leaves {left}, and an epoch takes {wanted}" if left > 0 else "is used up"
        reason = f"the budget of {self.max_evaluations} evaluations {rest}"
        raise Stop(Status.MAX_EVALUATIONS, reason, _how_to_go_on("max_evaluations"))

    def check_iterations(self, iterations: int) -> None:
        """Raise Stop if no iteration is left."""
        if self.max_iterations is not None and iterations >= self.max_iterations:
            reason = f"the budget of {self.max_iterations} iterations is used up"
            raise Stop(Status.MAX_ITERATIONS, reason, _how_to_go_on("max_iterations"))

    def check_seconds(self, evaluations: int, seconds: float) -> None:
        """Raise Stop if no time is left; there always is for the first evaluation."""
        if self.max_seconds is not None and evaluations and seconds >= self.max_seconds:
            reason = f"the budget of {self.max_seconds:g} seconds is used up"
            raise Stop(Status.MAX_SECONDS, reason, _how_to_go_on("max_seconds"))

    def check_cost(self, cost: float) -> None:
        """Raise Stop for a cost that is low enough."""
        if self.target_cost is not None and cost <= self.target_cost:
            reason = f"the cost {cost:.6g} is within the target of {self.target_cost:g}"
            raise Stop(Status.TARGET_COST, reason)


def _how_to_go_on(limit: str) -> str:
    return f": raise {limit}, or train again to go on"


def split_budget(options: dict[str, Any]) -> tuple[BudgetOptions, dict[str, Any]]:
    """Return the budget's keyword arguments and the others."""
    budget = {name: options[name] for name in options if name in BudgetOptions.__annotations__}
    others = {name: options[name] for name in options if name not in budget}
    return cast(BudgetOptions, budget), others

"""Descent: the iterations of L-BFGS, their state, and how they end."""

from __future__ import annotations

import math
from typing import final

import numpy as np

from ...utils.types import Array, State
from ..history import Evaluation
from ..problem import PreconditionerLike
from ..resume.state_check import Entries, Floats, Number
from ..run import Run
from ..stopping import Status, check_bounded
from .cost_window import ITERATIONS, CostWindow
from .inverse_hessian import ExpectedPairs, InverseHessian
from .line_search import LineSearch

Ending = tuple[Status, str]
"""How a run ended, and why."""


@final
class Descent:
    """A run of L-BFGS under way.

    Parameters
    ----------
    run : Run
        The run. If it is resumed, its state is taken up.
    x0 : ndarray, shape (n,)
        Where to start otherwise.
    memory : int
        Secant pairs to remember.
    preconditioner : PreconditionerLike or None
        What the inverse Hessian begins with. It is refreshed before iterations 1, 2, 3, 5, 9, ...
        and whenever the memory is empty.

    Attributes
    ----------
    here : Evaluation
        The current point, the lowest so far.
    """

    def __init__(
        self, run: Run, x0: Array, memory: int, preconditioner: PreconditionerLike | None
    ) -> None:
        self._run = run
        self._inverse_hessian = InverseHessian(memory, x0.size)
        self._preconditioner = preconditioner
        self._preconditioned_at: Array | None = None
        if run.resumed is None:
            self.here = run.evaluate(x0)
            self._window = CostWindow.at(self.here.cost)
        else:
            self._restore(run.resumed)

    def iterate(self, cost_tolerance: float) -> Ending | None:
        """Take a step; return how the run ends, None if it goes on.

        When the cost changes no more, or the line search finds nothing lower, the secant pairs may
        mislead: the descent goes on without them. Only where that gains nothing it ends.
        """
        if self._window.is_stalled(cost_tolerance):
            if not self._window.has_gained(cost_tolerance):
                return self._stalled(cost_tolerance)
            self._inverse_hessian.clear()
            self._window = CostWindow.at(self.here.cost)
        search, there = self._search()
        if there is not None:
            self._move(there)
        elif not self._inverse_hessian:
            return self._nothing_lower(search)
        else:
            self._inverse_hessian.clear()
            if self._window.has_gained(cost_tolerance):
                self._window = CostWindow.at(self.here.cost)
        return None

    def _search(self) -> tuple[LineSearch, Evaluation | None]:
        """Return the search from here, and the point that it found."""
        self._refresh()
        direction, slope = self._direction()
        search = LineSearch(self._evaluate, self.here, direction)
        found = search.run() if slope < 0 else None
        return search, None if found is None else found.evaluation

    def _evaluate(self, x: Array) -> Evaluation:
        evaluation = self._run.evaluate(x, is_trial=True)
        check_bounded(evaluation.cost, self._run.history.cost[0])
        return evaluation

    def _refresh(self) -> None:
        is_due = not self._inverse_hessian or _is_power_of_two_or_zero(self._run.iterations)
        if self._preconditioner is not None and is_due:
            self._preconditioner.refresh(self.here.x)
            self._preconditioned_at = self.here.x

    def _direction(self) -> tuple[Array, float]:
        """Return the direction -H gradient and the slope along it."""
        gradient = self.here.gradient
        direction = -self._inverse_hessian.dot(gradient, self._preconditioner)
        slope = float(gradient @ direction)
        if not self._inverse_hessian and slope < -1:  # the cost would fall by more than 1: shorten
            scale = math.sqrt(-slope)
            return direction / scale, -scale
        return direction, slope

    def _move(self, there: Evaluation) -> None:
        """End an iteration at another point."""
        self._inverse_hessian.add(there.x - self.here.x, there.gradient - self.here.gradient)
        self.here = there
        self._window = self._window.after(there.cost)
        window, pairs = self._window, self._inverse_hessian.snapshot()
        preconditioned_at = self._preconditioned_at

        def state() -> State:
            whole: State = {
                "x": there.x,
                "cost": there.cost,
                "gradient": there.gradient,
                "costs": np.array(window.costs),
                "restart_cost": window.restart_cost,
                "pairs": pairs(),
            }
            if preconditioned_at is not None:
                whole["preconditioned_at"] = preconditioned_at
            return whole

        self._run.end_iteration(there.x, state)

    @staticmethod
    def expected_state(size: int) -> Entries:
        """Return what a resumed descent needs, for so many parameters."""
        vector = Floats((size,))
        return Entries(
            {
                "x": vector,
                "cost": Number(),
                "gradient": vector,
                "costs": Floats((None,)),
                "pairs": ExpectedPairs(size),
            },
            optional={"restart_cost": Number(), "preconditioned_at": vector},
        )

    def _restore(self, state: State) -> None:
        """Continue from the state after an iteration."""
        gradient: Array = state["gradient"]
        norm = math.sqrt(gradient.dot(gradient))
        self.here = Evaluation(state["x"], state["cost"], gradient, norm)
        costs = tuple(float(cost) for cost in state["costs"])
        restart_cost = state.get("restart_cost", costs[0])  # earlier checkpoints have none
        self._window = CostWindow(restart_cost, costs)
        self._inverse_hessian.restore(state["pairs"])
        if self._preconditioner is not None:
            self._preconditioned_at = state.get("preconditioned_at", self.here.x)
            self._preconditioner.refresh(self._preconditioned_at)

    def _stalled(self, cost_tolerance: float) -> Ending:
        reason = (
            f"{ITERATIONS} iterations lowered the cost by no more than {cost_tolerance:g} of "
            f"itself; the gradient norm is {self.here.gradient_norm:.3g}"
        )
        return Status.STALLED, reason

    def _nothing_lower(self, search: LineSearch) -> Ending:
        """Return why a search straight down the gradient found nothing lower."""
        norm = f"{self.here.gradient_norm:.3g}"
        if search.contradicts_slope:
            reason = "no lower cost down the gradient: check_gradient tells if it is wrong"
            return Status.FAILED, reason
        if search.is_walled_in:
            return Status.NON_FINITE, f"no finite cost down the gradient, whose norm is {norm}"
        reason = f"no lower cost down the gradient, whose norm is {norm}: a kink or rounding"
        return Status.STALLED, reason


def _is_power_of_two_or_zero(number: int) -> bool:
    return number & (number - 1) == 0

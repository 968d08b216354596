"""TrialPoints: what SciPy's methods are told of points without a finite cost."""

from __future__ import annotations

import math
from typing import final

import numpy as np

from ...utils.types import Array
from ..history import Evaluation
from ..run import Run
from ..stopping import Status, Stop, check_bounded

MAX_IN_A_ROW = 20
"""Trial points without a finite cost after which the run ends."""
SMALLEST_RISE = 1e-12
"""Least rise of a stand-in for an infinite cost, as a share of the cost."""
SMALLEST_SQUARE = 1e-300
"""Of a step's length, so that it can be divided by."""


@final
class TrialPoints:
    """The objective as a method of SciPy sees it, and the points that the method accepts.

    A trial point without a finite cost has an infinite one, after which most methods take a shorter
    step. TNC and L-BFGS-B do not get past it: they are told a finite stand-in, the parabola that
    continues the last accepted point's cost and slope and is least at a tenth of the step.

    Parameters
    ----------
    run : Run
        Where the evaluations are counted.
    needs_finite_costs : bool
        Whether the method is told the stand-in.

    Attributes
    ----------
    in_a_row : int
        The last trial points without a finite cost.
    """

    def __init__(self, run: Run, needs_finite_costs: bool) -> None:
        self._run = run
        self._needs_finite_costs = needs_finite_costs
        self._accepted: Evaluation | None = None
        self._last: Evaluation | None = None
        self.in_a_row = 0

    def evaluate(self, x: Array) -> tuple[float, Array]:
        """Return cost and gradient at x, in arrays that SciPy may write to."""
        if self._accepted is None:
            self._accepted = self._run.evaluate(x)  # the start
            return self._accepted.cost, self._accepted.gradient.copy()
        self._last = self._run.evaluate(x, is_trial=True)
        if math.isfinite(self._last.cost):
            if not np.array_equal(x, self._accepted.x):  # else the method has gone back
                self.in_a_row = 0
            check_bounded(self._last.cost, self._run.history.cost[0])
            return self._last.cost, self._last.gradient.copy()
        self.in_a_row += 1
        if self.in_a_row == MAX_IN_A_ROW:
            reason = f"{MAX_IN_A_ROW} trial points in a row gave no finite cost"
            raise Stop(Status.NON_FINITE, reason)
        if self._needs_finite_costs:
            return _stand_in(self._accepted, x)
        return math.inf, np.zeros_like(x)

    def end_iteration(self, x: Array) -> None:
        """End an iteration at x. Before SLSQP shortens a step, it calls even that an iteration."""
        last = self._last
        is_last = last is not None and math.isfinite(last.cost) and np.array_equal(x, last.x)
        self._accepted = last if is_last else self._run.best
        self._run.end_iteration(x)


def _stand_in(accepted: Evaluation, x: Array) -> tuple[float, Array]:
    """Return cost and gradient at x of the parabola that is least at a tenth of the step."""
    with np.errstate(over="ignore", invalid="ignore"):
        step = x - accepted.x
        promised = abs(float(accepted.gradient @ step))
        slope = max(promised, SMALLEST_RISE * abs(accepted.cost), SMALLEST_RISE)
        square = max(float(step @ step), SMALLEST_SQUARE)
        return accepted.cost + 4 * slope, step * (9 * slope / square)

"""A line search for the strong Wolfe conditions."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

from ...utils.types import Array
from ..history import Evaluation

C1 = 1e-4
"""Sufficient decrease: cost <= cost(x) + C1 length slope(x)."""
C2 = 0.9
"""Curvature: abs(slope) <= C2 abs(slope(x))."""
EXPANSION = 4.0
"""Factor of the length until a minimum is passed."""
MARGIN = 0.1
"""Share of an interval that a new trial stays away from its ends."""
SHARE_TO_WALL = 0.25
"""Share of the way to the nearest point without a finite cost that a new trial goes at most."""
MAX_TRIALS = 20
"""Trials after the first one that passed a minimum or had no finite cost."""
MAX_LENGTH = 1e60
"""Where a search that has passed no minimum ends; an unbounded cost is noticed before."""
ROUNDING = sys.float_info.epsilon
"""A slope that promises less than this share of the cost promises nothing."""
NOISE = 1e-7
"""A rise by less than this share of the cost may be rounding, in single precision."""
MIN_CONTRADICTIONS = 3
"""Trials that it takes to call a gradient wrong."""


@dataclass(frozen=True)
class Trial:
    """A point on the line."""

    length: float
    slope: float
    evaluation: Evaluation
    satisfies_wolfe: bool = False

    @property
    def cost(self) -> float:
        """The cost there; infinite where cost or gradient are not finite."""
        return self.evaluation.cost


@final
class LineSearch:
    """A search for a point x + length direction that satisfies the strong Wolfe conditions.

    The length 1 is tried first. Until it has passed a minimum, the search goes on to four times the
    length. Then it takes the minimum of the cubic through costs and slopes at both ends of the
    interval that holds one, at least a tenth of the interval away from them. A trial without a
    finite cost was too long: the next one goes a quarter of the way to it.

    Parameters
    ----------
    evaluate : callable
        Returns the Evaluation at a point.
    start : Evaluation
        The point x.
    direction : ndarray, shape (n,)
        A descent direction: its slope, gradient @ direction, is negative at x.

    References
    ----------
    Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6.
    """

    def __init__(
        self, evaluate: Callable[[Array], Evaluation], start: Evaluation, direction: Array
    ) -> None:
        self._evaluate = evaluate
        self._direction = direction
        self._start = Trial(0.0, float(start.gradient @ direction), start)
        self._low = self._start
        self._high: Trial | None = None
        self._wall = math.inf  # the nearest length without a finite cost
        self._lowest = self._start
        self._finite_trials = 0
        self._rises: list[tuple[float, float]] = []  # length and rise where the slope points down

    @property
    def is_walled_in(self) -> bool:
        """Whether there were trials, but none with a finite cost."""
        return self._wall < math.inf and self._finite_trials == 0

    @property
    def contradicts_slope(self) -> bool:
        """Whether the costs rise with the length where the slopes promise that they fall.

        At a kink the slope beyond it points up. Rounding rises in no order.
        """
        rises = [rise for _, rise in sorted(self._rises)]
        return len(rises) >= MIN_CONTRADICTIONS and rises == sorted(rises)

    def run(self) -> Trial | None:
        """Return the point, None if no trial was lower than x.

        If no trial satisfies the conditions, the lowest is returned, ``satisfies_wolfe`` False.
        """
        length = 1.0
        trials = 0
        while trials < MAX_TRIALS and length < MAX_LENGTH:
            trial = self._try(length)
            if self._satisfies_wolfe(trial):
                return replace(trial, satisfies_wolfe=True)
            self._narrow(trial)
            if self._high is not None or self._wall < math.inf:
                trials += 1
            length = self._next_length()
            if self._is_exhausted(length):
                break
        return self._lowest if self._lowest.cost < self._start.cost else None

    def _try(self, length: float) -> Trial:
        evaluation = self._evaluate(self._start.evaluation.x + length * self._direction)
        if not math.isfinite(evaluation.cost):
            return Trial(length, math.nan, evaluation)
        trial = Trial(length, float(evaluation.gradient @ self._direction), evaluation)
        self._finite_trials += 1
        if trial.cost < self._lowest.cost:
            self._lowest = trial
        rise = trial.cost - self._start.cost
        if trial.slope < 0 and rise > NOISE * abs(self._start.cost):
            self._rises.append((length, rise))
        return trial

    def _descends(self, trial: Trial) -> bool:
        return trial.cost <= self._start.cost + C1 * trial.length * self._start.slope

    def _satisfies_wolfe(self, trial: Trial) -> bool:
        is_lowest = trial.cost <= self._lowest.cost
        return is_lowest and self._descends(trial) and abs(trial.slope) <= -C2 * self._start.slope

    def _narrow(self, trial: Trial) -> None:
        """Make the trial an end of the interval that holds a minimum."""
        if not math.isfinite(trial.cost):
            self._wall = trial.length
            self._high = None
        elif not self._descends(trial) or trial.cost >= self._low.cost:
            self._high = trial
        else:
            end = math.inf if self._high is None else self._high.length
            if trial.slope * (end - self._low.length) >= 0:
                self._high = self._low
            self._low = trial

    def _next_length(self) -> float:
        if self._high is not None:
            return _between(self._low, self._high)
        low = self._low.length
        to_wall = low + SHARE_TO_WALL * (self._wall - low)
        return min(EXPANSION * low, to_wall) if low > 0 else to_wall

    def _is_exhausted(self, length: float) -> bool:
        """Return whether no number is left in the interval, or no fall that costs could show."""
        if self._high is not None and length in (self._low.length, self._high.length):
            return True
        promised = -self._start.slope * length
        return self._low is self._start and promised <= ROUNDING * abs(self._start.cost)


def _between(a: Trial, b: Trial) -> float:
    """Return where the cubic through a and b is least, inside the interval."""
    width = b.length - a.length
    middle = a.slope + b.slope - 3 * (b.cost - a.cost) / width
    square = middle * middle - a.slope * b.slope
    share = 0.5
    if 0 <= square < math.inf:
        root = math.copysign(math.sqrt(square), width)
        below = b.slope - a.slope + 2 * root
        if below != 0:
            share = 1 - (b.slope + root - middle) / below
    return a.length + width * min(max(share, MARGIN), 1 - MARGIN)

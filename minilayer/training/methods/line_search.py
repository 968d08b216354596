"""A line search for the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

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
MAX_TRIALS = 20


@dataclass(frozen=True)
class Trial:
    """A point on the line."""

    length: float
    slope: float
    evaluation: Evaluation
    satisfies_wolfe: bool = False

    @property
    def cost(self) -> float:
        """The cost there."""
        return self.evaluation.cost


def line_search(
    evaluate: Callable[[Array], Evaluation], start: Evaluation, direction: Array
) -> Trial | None:
    """Return a point x + length direction that satisfies the strong Wolfe conditions.

    The length 1 is tried first. Until it has passed a minimum, the search goes on to four times the
    length. Then it takes the minimum of the cubic through costs and slopes at both ends of the
    interval that holds one, at least a tenth of the interval away from them.

    Parameters
    ----------
    evaluate : callable
        Returns the Evaluation at a point.
    start : Evaluation
        The point x.
    direction : ndarray, shape (n,)
        A descent direction: its slope, gradient @ direction, is negative at x.

    Returns
    -------
    Trial or None
        None if 20 evaluations found no such point; but if one of them was lower than x, the lowest,
        with ``satisfies_wolfe`` False.

    References
    ----------
    Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6.
    """
    first = low = Trial(0.0, float(start.gradient @ direction), start)
    high: Trial | None = None
    length = 1.0
    for _ in range(MAX_TRIALS):
        evaluation = evaluate(start.x + length * direction)
        trial = Trial(length, float(evaluation.gradient @ direction), evaluation)
        descends = trial.cost <= first.cost + C1 * length * first.slope
        if descends and abs(trial.slope) <= -C2 * first.slope:
            return replace(trial, satisfies_wolfe=True)
        if not descends or trial.cost >= low.cost:
            high = trial
        else:
            end = math.inf if high is None else high.length
            if trial.slope * (end - low.length) >= 0:
                high = low
            low = trial
        if high is None:
            length *= EXPANSION
            continue
        length = _between(low, high)
        if length in (low.length, high.length):  # no number is left between them
            break
    return low if low.cost < first.cost else None


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

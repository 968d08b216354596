"""A line search for the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from ...utils.types import Array

DECREASE, FLATTENING = 1e-4, 0.9
EXPANSION, INTERIOR = 4.0, 0.1
MOST = 20


class Trial(NamedTuple):
    """A point on the line."""

    length: float
    cost: float
    slope: float
    x: Array
    gradient: Array
    is_flat: bool = False
    """Whether the conditions hold."""


def line_search(
    evaluate: Callable[[Array], tuple[float, Array]], x: Array, cost: float, gradient: Array, direction: Array
) -> Trial | None:
    """A point x + length direction, length > 0, that is low and flat enough; the length 1 is tried first.

    Low enough: cost <= cost(x) + 1e-4 length slope(x), and flat enough: |slope| <= 0.9 |slope(x)|, the slope being
    gradient @ direction, which must be negative at x. Until it has passed a minimum, the search goes on to four times
    the length; then it takes the minimum of the cubic through costs and slopes at both ends of the interval that holds
    one (Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6), and at least a tenth away from them.
    None where 20 evaluations did not find one; if any of them was lower than x, the lowest is given instead.
    """
    start = low = Trial(0.0, float(cost), float(gradient @ direction), x, gradient)
    high: Trial | None = None
    length = 1.0
    for _ in range(MOST):
        point = x + length * direction
        trial_cost, trial_gradient = evaluate(point)
        trial = Trial(length, float(trial_cost), float(trial_gradient @ direction), point, trial_gradient)
        descends = trial.cost <= start.cost + DECREASE * length * start.slope
        if descends and abs(trial.slope) <= -FLATTENING * start.slope:
            return trial._replace(is_flat=True)
        if not descends or trial.cost >= low.cost:
            high = trial
        else:
            if trial.slope * ((math.inf if high is None else high.length) - low.length) >= 0:
                high = low
            low = trial
        if high is None:
            length *= EXPANSION
            continue
        length = _between(low, high)
        if length in (low.length, high.length):  # nothing is left between them
            break
    return low if low.cost < start.cost else None


def _between(a: Trial, b: Trial) -> float:
    """Where the cubic through a and b is least, kept inside the interval."""
    width = b.length - a.length
    middle = a.slope + b.slope - 3 * (b.cost - a.cost) / width
    square = middle * middle - a.slope * b.slope
    share = 0.5
    if 0 <= square < math.inf:
        root = math.copysign(math.sqrt(square), width)
        below = b.slope - a.slope + 2 * root
        if below != 0:
            share = 1 - (b.slope + root - middle) / below
    return a.length + width * min(max(share, INTERIOR), 1 - INTERIOR)

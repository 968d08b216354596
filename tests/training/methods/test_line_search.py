"""The line search on functions of one number."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilayer.training.history import Evaluation
from minilayer.training.methods.line_search import line_search
from minilayer.utils.types import Array

Line = Callable[[float], tuple[float, float]]
"""A function t -> (cost, slope)."""

ONE = np.ones(1)


def valley_with_a_wall(t: float) -> tuple[float, float]:
    descent, wall = -t, 50 * (t - 1)
    return max(descent, wall), -1.0 if descent >= wall else 50.0


SMOOTH: dict[str, Line] = {
    "parabola": lambda t: ((t - 3) ** 2, 2 * (t - 3)),
    "far minimum": lambda t: ((t / 1000 - 3) ** 2, 2 * (t / 1000 - 3) / 1000),
    "near minimum": lambda t: ((1000 * t - 3) ** 2, 2000 * (1000 * t - 3)),
    "quartic": lambda t: (t**4 - t**3 - t, 4 * t**3 - 3 * t**2 - 1),
    "very steep": lambda t: (1e200 * (t - 0.3) ** 2, 2e200 * (t - 0.3)),
    "log of cosh": lambda t: (float(np.logaddexp(t - 4, 4 - t)), math.tanh(t - 4)),
}


def search_from_zero(line: Line, scale: float) -> tuple[Any, list[float]]:
    """Return what the search from 0 in direction ``scale`` found, and the lengths it tried."""
    tried: list[float] = []

    def evaluate(x: Array) -> Evaluation:
        cost, slope = line(x[0])
        tried.append(x[0] / scale)
        return Evaluation(x, float(cost), slope * ONE, abs(slope))

    found = line_search(evaluate, evaluate(0 * ONE), scale * ONE)
    return found, tried[1:]


@pytest.mark.parametrize("line", SMOOTH)
@given(scale=st.floats(1e-3, 1e3))
def test_the_strong_wolfe_conditions_hold_at_the_end(line: str, scale: float) -> None:
    found, tried = search_from_zero(SMOOTH[line], scale)
    cost, slope = SMOOTH[line](0.0)
    end = found.evaluation
    end_cost, end_slope = SMOOTH[line](end.x[0])
    assert found.satisfies_wolfe
    assert (end.cost, end.gradient[0], end.x[0]) == (end_cost, end_slope, found.length * scale)
    assert end_cost <= cost + 1e-4 * found.length * scale * slope
    assert abs(end_slope) <= -0.9 * slope
    assert tried[0] == pytest.approx(1)
    assert len(tried) <= 20


def test_the_lowest_point_is_returned_if_none_satisfies_wolfe() -> None:
    found, _ = search_from_zero(valley_with_a_wall, 1.0)
    assert -1 < found.cost < 0
    assert not found.satisfies_wolfe


def test_a_slope_of_the_wrong_sign_leads_to_no_point() -> None:
    found, tried = search_from_zero(lambda t: (t * t + t, -1.0), 1.0)
    assert found is None
    assert len(tried) == 20

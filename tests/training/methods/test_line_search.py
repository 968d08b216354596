"""The line search on functions of one number."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilayer.training.history import Evaluation
from minilayer.training.methods.line_search import LineSearch, Trial, _between
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

    found = LineSearch(evaluate, evaluate(0 * ONE), scale * ONE).run()
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


@pytest.mark.parametrize(
    ("cost", "slope", "is_accepted"),
    [
        (-0.5, 0.9, True),
        (-0.5, -0.9, True),
        (-0.5, 0.9 + 1e-12, False),
        (-0.5, -0.9 - 1e-12, False),
        (-1e-4, 0.0, True),
        (-0.99e-4, 0.0, False),
    ],
)
def test_the_wolfe_conditions_include_their_bounds(
    cost: float, slope: float, is_accepted: bool
) -> None:
    """The slope is -1 at 0."""
    line = {0.0: (0.0, -1.0), 1.0: (cost, slope)}
    _, tried = search_from_zero(lambda t: line.get(float(t), (9.0, 9.0)), 1.0)
    assert (tried == [1.0]) == is_accepted


def test_the_lowest_point_is_returned_if_none_satisfies_wolfe() -> None:
    found, _ = search_from_zero(valley_with_a_wall, 1.0)
    assert -1 < found.cost < 0
    assert not found.satisfies_wolfe


def test_a_slope_of_the_wrong_sign_leads_to_no_point() -> None:
    found, tried = search_from_zero(lambda t: (t * t + t, -1.0), 1.0)
    assert found is None
    assert len(tried) == 20


# What a search tells of its trials


def search(line: Line) -> tuple[LineSearch, list[float]]:
    """Return a search from 0 after its run, and the lengths it tried."""
    tried: list[float] = []

    def evaluate(x: Array) -> Evaluation:
        tried.append(float(x[0]))
        cost, slope = line(tried[-1])
        return Evaluation(x, cost, slope * ONE, abs(slope))

    found = LineSearch(evaluate, evaluate(0 * ONE), ONE)
    found.run()
    return found, tried[1:]


@pytest.mark.parametrize("cost", [1.0, -1e6])
@pytest.mark.parametrize(("rise", "contradicts"), [(1e-3, True), (1e-5, True), (2e-8, False)])
def test_a_rise_beyond_rounding_contradicts_a_slope_that_points_down(
    cost: float, rise: float, contradicts: bool
) -> None:
    found, _ = search(lambda t: (cost + rise * abs(cost) * t, -abs(cost)))
    assert found.contradicts_slope == contradicts


def test_a_rise_beyond_a_kink_contradicts_nothing() -> None:
    found, _ = search(lambda t: (1 + t, 1.0 if t > 0 else -1.0))
    assert not found.contradicts_slope


def test_rises_in_no_order_contradict_nothing() -> None:
    found, _ = search(lambda t: (1 + 1e-3 * (math.sin(1e6 * t) + 1.01) * (t > 0), -1.0))
    assert not found.contradicts_slope


@pytest.mark.parametrize(("end", "contradicts"), [(0.05, False), (0.005, True)])
def test_it_takes_three_rises_to_contradict_a_slope(end: float, contradicts: bool) -> None:
    """Up to the end the line falls and is flat."""
    found, tried = search(lambda t: (1 + t, -1.0) if t > end else (1 - t, -0.1 * (t == 0)))
    assert tried == pytest.approx([1.0, 0.1, 0.01, 0.001][: 3 + contradicts])
    assert found.contradicts_slope == contradicts


@pytest.mark.parametrize(
    ("wall", "is_walled_in"), [(0.0, True), (0.3, False), (5.0, False), (math.inf, False)]
)
def test_walled_in_is_where_no_trial_was_finite(wall: float, is_walled_in: bool) -> None:
    found, _ = search(lambda t: (-t if t <= wall else math.inf, -1.0))
    assert found.is_walled_in == is_walled_in


# The lengths


def test_lengths_quadruple_until_a_minimum_is_passed() -> None:
    _, tried = search(lambda t: (-t, -1.0))
    assert tried == [4.0**k for k in range(100)]  # up to 1e60


def test_after_a_wall_a_length_goes_a_quarter_of_the_way_to_it() -> None:
    _, tried = search(lambda t: (-t if t < 0.3 else math.inf, -1.0))
    assert tried[:4] == [1.0, 0.25, 0.25 + 0.75 / 4, 0.25 + 0.1875 / 4]


def test_a_search_ends_where_costs_can_show_no_fall() -> None:
    """The slope promises less than the rounding of the cost."""
    _, tried = search(lambda t: (1.0, -1e-16 if t == 0 else 1e-16))
    assert tried == [1.0]
    _, tried = search(lambda t: (1.0, -1e-15 if t == 0 else 1e-15))
    assert tried == [1.0, 0.5, 0.25]


def trial(line: Line, length: float) -> Trial:
    cost, slope = line(length)
    return Trial(length, slope, Evaluation(length * ONE, cost, slope * ONE, abs(slope)))


def cubic(t: float) -> tuple[float, float]:
    """Its maximum is at 0 and its minimum at 2."""
    return t**3 / 3 - t**2 + 7, t**2 - 2 * t


@pytest.mark.parametrize(
    ("line", "a", "b", "expected"),
    [
        (cubic, 0.5, 3.0, 2.0),
        (cubic, 3.0, 0.5, 2.0),
        (cubic, -0.5, 2.5, 2.0),
        (cubic, 0.5, 2.1, 2.1 - 0.16),  # a tenth of the interval away from its ends
        (cubic, 1.9, 4.0, 1.9 + 0.21),
        (cubic, 4.0, 1.9, 1.9 + 0.21),
        (lambda t: ((t - 1) ** 2, 2 * (t - 1)), 0.0, 3.0, 1.0),
        (lambda t: (t**3 + t, 3 * t**2 + 1), -1.0, 2.0, 0.5),  # no minimum: the middle
        (lambda t: (2 * t, 2.0), 1.0, 2.0, 1.5),
        (lambda t: (1e300 * t**4, 4e300 * t**3), -1.0, 2.0, 0.5),  # the square overflows
    ],
)
def test_the_next_length_is_where_the_cubic_is_least(
    line: Line, a: float, b: float, expected: float
) -> None:
    assert _between(trial(line, a), trial(line, b)) == pytest.approx(expected, rel=1e-12)

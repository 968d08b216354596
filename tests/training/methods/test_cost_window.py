"""CostWindow: when the last iterations no longer lower the cost."""

import pytest

from minilayer.training.methods.cost_window import CostWindow

TOLERANCE = 2.0**-10


def window(*costs: float) -> CostWindow:
    """Return the window of a run that has passed these costs since a restart."""
    found = CostWindow.at(costs[0])
    for cost in costs[1:]:
        found = found.after(cost)
    return found


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("iterations", "fall", "is_stalled"),
    [(9, 0.0, False), (10, 0.0, True), (10, TOLERANCE, True), (10, 2 * TOLERANCE, False)],
)
def test_ten_iterations_that_lower_the_cost_by_no_more_than_the_tolerance_are_a_stall(
    iterations: int, fall: float, is_stalled: bool, sign: float
) -> None:
    last = sign
    found = window(*[last + fall] * iterations, last)
    assert found.is_stalled(TOLERANCE) == is_stalled


def test_only_the_last_ten_iterations_count() -> None:
    assert not window(5.0, *[1.0] * 10).is_stalled(TOLERANCE)
    found = window(5.0, *[1.0] * 11)
    assert found.is_stalled(TOLERANCE)
    assert len(found.costs) == 11
    assert found.restart_cost == 5.0


@pytest.mark.parametrize("start", [1.0, -1.0])
@pytest.mark.parametrize(
    ("falls", "is_stalled"),
    [
        ((1, 2, 4, 8), False),
        ((9, 1, 2, 4, 8), False),
        ((2, 2, 4, 8), True),
        ((1, 2, 4, 4), True),
        ((8, 4, 2, 1), True),
        ((1, 2, 4, 8, 16, 32, 64, 128, 256, 512), False),
        ((512, 256, 128, 64, 32, 16, 8, 4, 2, 1), True),
    ],
)
def test_falls_that_grow_are_no_stall(
    falls: tuple[int, ...], is_stalled: bool, start: float
) -> None:
    costs = [start] * (11 - len(falls))
    for fall in falls:
        costs.append(costs[-1] - fall * 2.0**-30)
    assert window(*costs).is_stalled(TOLERANCE) == is_stalled


@pytest.mark.parametrize("last", [1.0, -1.0])
@pytest.mark.parametrize(("gain", "has_gained"), [(0.0, False), (1.0, False), (1.5, True)])
def test_a_gain_since_the_restart_is_more_than_the_tolerance(
    gain: float, has_gained: bool, last: float
) -> None:
    start = last + gain * TOLERANCE
    assert window(start, last).has_gained(TOLERANCE) == has_gained
    assert window(start, *[last] * 20).has_gained(TOLERANCE) == has_gained
    assert CostWindow(start, (start + 1, start + 1, last)).has_gained(TOLERANCE) == has_gained
    assert not window(start).has_gained(0.0)

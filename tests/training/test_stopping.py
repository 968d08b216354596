"""Budgets and bounds: where exactly they end a run."""

import math

import pytest

from minilayer.training.stopping import Status, Stop, check_bounded


@pytest.mark.parametrize(("start", "bound"), [(0.0, -1e20), (1.0, -1e20), (-3.0, -3e20)])
def test_a_cost_below_the_bound_is_unbounded(start: float, bound: float) -> None:
    check_bounded(bound, start)
    with pytest.raises(Stop, match="unbounded below") as raised:
        check_bounded(math.nextafter(bound, -math.inf), start)
    assert raised.value.status == Status.UNBOUNDED

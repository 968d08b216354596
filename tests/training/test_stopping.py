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


def test_statuses_keep_their_numbers() -> None:
    """Files and other programs may hold them."""
    assert {status.name: int(status) for status in Status} == {
        "CONVERGED": 0,
        "MAX_EVALUATIONS": 1,
        "MAX_ITERATIONS": 2,
        "MAX_SECONDS": 3,
        "CALLBACK": 4,
        "INTERRUPTED": 5,
        "NON_FINITE": 6,
        "FAILED": 7,
        "TARGET_COST": 8,
        "STOPPED_EARLY": 9,
        "STALLED": 10,
        "UNBOUNDED": 11,
    }


def test_only_a_run_that_found_what_it_looked_for_is_a_success() -> None:
    successes = {status.name for status in Status if status.is_success}
    assert successes == {"CONVERGED", "STALLED", "TARGET_COST", "STOPPED_EARLY"}

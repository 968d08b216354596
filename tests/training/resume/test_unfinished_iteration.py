"""UnfinishedIteration: evaluations since the last whole iteration are not computed again."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from minilayer.training.resume.replay import MAX_STORED, UnfinishedIteration
from minilayer.training.run import Run
from minilayer.utils.types import Array
from tests.helpers.comparisons import history_columns, same_in_every_run
from tests.helpers.objectives import Interrupted, Recorded, RosenbrockOfANetwork


def whole_run() -> tuple[Recorded, ml.TrainingResult]:
    """Return an objective that has recorded an undisturbed run, and its result."""
    objective = Recorded(RosenbrockOfANetwork())
    return objective, ml.LBFGS().minimize(objective)


def budgets_within_a_line_search() -> list[int]:
    """Return the numbers of evaluations at which the undisturbed run is within an iteration.

    The first iteration is left out: the first file is written once an iteration has ended.
    """
    _, result = whole_run()
    ends = result.history.evaluations
    return [budget for budget in range(ends[1], result.nfev) if budget not in ends]


CUTS = budgets_within_a_line_search()


def test_the_problem_has_line_searches_of_several_evaluations() -> None:
    assert len(CUTS) >= 5
    assert any(budget + 1 in CUTS for budget in CUTS)


@pytest.mark.parametrize("budget", CUTS)
def test_a_run_cut_in_a_line_search_resumes_without_computing_again(
    budget: int, tmp_path: Path
) -> None:
    path = tmp_path / "run.h5"
    whole, expected = whole_run()
    first = Recorded(RosenbrockOfANetwork())
    cut = ml.LBFGS(max_evaluations=budget).minimize(first, checkpoint=path)
    assert cut.nfev == budget
    done = cut.history.evaluations[-1]
    unfinished = ml.load_state(path)["unfinished"]
    assert len(unfinished) == budget - done > 0
    points = [unfinished[str(number)]["x"] for number in range(budget - done)]
    np.testing.assert_array_equal(points, whole.points[done:budget])
    second = Recorded(RosenbrockOfANetwork())
    result = ml.LBFGS().minimize(second, checkpoint=path)
    np.testing.assert_array_equal(first.points + second.points, whole.points)
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(expected))


@pytest.mark.parametrize("budget", CUTS)
def test_a_run_interrupted_in_a_line_search_resumes_without_computing_again(
    budget: int, tmp_path: Path
) -> None:
    path = tmp_path / "run.h5"
    whole, expected = whole_run()
    interrupted = Interrupted(RosenbrockOfANetwork(), at=budget + 1)
    cut = ml.LBFGS().minimize(interrupted, checkpoint=path)
    assert (cut.status, cut.nfev) == (ml.Status.INTERRUPTED, budget)
    second = Recorded(RosenbrockOfANetwork())
    result = ml.LBFGS().minimize(second, checkpoint=path)
    np.testing.assert_array_equal(second.points, whole.points[budget:])
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(expected))


def test_a_run_cut_after_every_evaluation_resumes(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    whole, expected = whole_run()
    points = []
    for budget in range(expected.history.evaluations[1], expected.nfev + 1):
        part = Recorded(RosenbrockOfANetwork())
        result = ml.LBFGS(max_evaluations=budget).minimize(part, checkpoint=path)
        points += part.points
    np.testing.assert_array_equal(points, whole.points)
    assert result.nfev == expected.nfev
    np.testing.assert_array_equal(result.x, expected.x)
    np.testing.assert_equal(history_columns(result), history_columns(expected))


class Population(ml.Trainer):
    """The best of many points around x: one iteration takes more evaluations than are stored."""

    name = "population"
    has_explicit_state = True

    def settings(self) -> dict[str, object]:
        return {}

    def _search(self, run: Run, x0: Array) -> tuple[ml.Status, str]:
        x = x0 if run.resumed is None else run.resumed["x"]
        if run.resumed is None:
            run.evaluate(x)
        while True:
            rng = np.random.default_rng(run.iterations)
            steps = rng.standard_normal((3 * MAX_STORED, x.size))
            x = min((run.evaluate(x + step) for step in steps), key=lambda point: point.cost).x
            run.end_iteration(x, partial(dict, x=x))


def test_the_state_of_a_long_iteration_has_room_in_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    evaluations = 6 * MAX_STORED
    expected = Population(max_evaluations=evaluations + 99).minimize(RosenbrockOfANetwork())
    Population(max_evaluations=evaluations).minimize(RosenbrockOfANetwork(), checkpoint=path)
    second = Recorded(RosenbrockOfANetwork())
    result = Population(max_evaluations=evaluations + 99).minimize(second, checkpoint=path)
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(expected))
    assert len(second.points) == 3 * MAX_STORED - 1 + 99 - MAX_STORED


# The class itself


def recorded(count: int) -> UnfinishedIteration:
    replay = UnfinishedIteration()
    for index in range(count):
        x = np.array([index, 1.0])
        replay.record(x, 10.0 + index, -x, 100.0 + index)
        x[:] = np.nan  # what was recorded is a copy
    return replay


def test_recorded_evaluations_are_replayed_in_order_and_stay_recorded() -> None:
    state = recorded(3).as_state()
    replay = UnfinishedIteration()
    replay.restore(state)
    cost, gradient, seconds = replay.next(np.array([0.0, 1.0])) or (None, None, None)
    assert (cost, seconds) == (10.0, 100.0)
    np.testing.assert_array_equal(gradient, [0.0, -1.0])
    np.testing.assert_equal(replay.as_state(), state)  # if the run is cut again, all are kept
    assert replay.next(np.array([1.0, 1.0])) is not None
    assert replay.next(np.array([2.0, 1.0])) is not None
    assert replay.next(np.array([3.0, 1.0])) is None


def test_another_point_than_the_recorded_one_is_refused() -> None:
    replay = UnfinishedIteration()
    replay.restore(recorded(2).as_state())
    expected = "expected the next evaluation at the point of the checkpoint, found another"
    with pytest.raises(ml.ResumeError, match=expected):
        replay.next(np.array([5.0, 5.0]))


def test_the_end_of_an_iteration_forgets_its_evaluations() -> None:
    replay = recorded(3)
    replay.end_iteration()
    assert replay.as_state() == {}
    replay.restore({})
    assert replay.next(np.zeros(2)) is None

"""Trial points without a finite cost: every trainer but gradient descent takes a shorter step."""

import math
import re
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from minilayer.training.history import Evaluation
from minilayer.training.methods.line_search import LineSearch
from minilayer.training.methods.trial_points import TrialPoints, _stand_in
from minilayer.training.stopping import Stop
from minilayer.utils.types import Array
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.objectives import Altered, AlteredProducts, Killed, Rosenbrock
from tests.helpers.problems import KNOWN_MINIMA, START, rosenbrock
from tests.helpers.processes import forks, in_child
from tests.helpers.trainers import HESSIAN_METHODS, METHODS, TRAINERS

DESCENTS = ("gradient descent", "Nesterov", "Adam")
GOING_ON = [name for name in TRAINERS if name not in DESCENTS]
MISSING = {
    "cost nan": (math.nan, 1.0),
    "cost inf": (math.inf, 1.0),
    "both nan": (math.nan, math.nan),
    "gradient inf": (1.0, math.inf),
    "gradient nan": (1.0, math.nan),
    "gradient whose square overflows": (1.0, 1e200),
}
"""Cost, and factor of the gradient."""


class Barrier(ml.ProblemWrapper):
    """-log(1.5 - x0) - 3 x0 + (x1 - 1)**2, with nothing finite beyond 1.5. Its minimum is known."""

    minimum = np.array([7 / 6, 1.0])

    def __init__(self, missing: str) -> None:
        super().__init__(self._cost_and_gradient)
        self.cost, self.factor = MISSING[missing]
        self.beyond = 0

    def _cost_and_gradient(self, x: Array) -> tuple[float, Array]:
        if x[0] >= 1.5:
            self.beyond += 1
            return self.cost, self.factor * np.ones(2)
        cost = -math.log(1.5 - x[0]) - 3 * x[0] + (x[1] - 1) ** 2
        return cost, np.array([1 / (1.5 - x[0]) - 3, 2 * (x[1] - 1)])

    def hessp(self, x: Array, v: Array, /, **options: bool) -> Array:
        return np.array([v[0] / (1.5 - x[0]) ** 2, 2 * v[1]])

    def require_hessian_support(self, gauss_newton: bool = False, /) -> None:
        """Raise nothing: there are products."""


@pytest.mark.parametrize("start", [[0.0, 0.0], [-5.0, 10.0]])
@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("name", GOING_ON)
def test_a_barrier_is_passed(name: str, missing: str, start: list[float]) -> None:
    barrier = Barrier(missing)
    result = TRAINERS[name](max_evaluations=200).minimize(barrier, start)
    assert barrier.beyond > 0
    assert result.status == ml.Status.CONVERGED
    np.testing.assert_allclose(result.x, barrier.minimum, atol=1e-3)
    assert np.isfinite(result.history.cost).all()
    assert np.isfinite(result.history.gradient_norm).all()


@pytest.mark.parametrize("name", ["L-BFGS", "L-BFGS-B"])
def test_steps_along_a_steep_barrier_are_shortened_again_and_again(name: str) -> None:
    """The minimum of -sum log(1 - x) - 1e4 sum x lies 1e-4 before the barrier."""

    def steep(x: Array) -> tuple[float, Array]:
        if x.max() >= 1:
            return math.nan, np.full_like(x, math.nan)
        return float(-np.log(1 - x).sum() - 1e4 * x.sum()), 1 / (1 - x) - 1e4

    result = TRAINERS[name](max_evaluations=1000).minimize(steep, np.linspace(-1, 0.9, 5))
    assert result.success
    np.testing.assert_allclose(1 - result.x, 1e-4, rtol=0.05)


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("name", TRAINERS)
def test_a_single_trial_point_ends_gradient_descent_alone(name: str, missing: str) -> None:
    value, factor = MISSING[missing]

    def alter(cost: float, gradient: Array) -> tuple[float, Array]:
        return (value if missing.startswith(("cost", "both")) else cost), factor * np.ones(2)

    objective = Altered(Rosenbrock(), alter, only=4)
    result = TRAINERS[name](max_evaluations=40).minimize(objective, START)
    is_over = name in DESCENTS
    assert (result.status == ml.Status.NON_FINITE) == is_over
    assert (result.nfev == 4) == is_over
    assert objective.evaluations == result.nfev
    assert np.isfinite(result.fun)
    assert np.isfinite(result.jac).all()
    assert result.fun <= min(result.history.cost)


@pytest.mark.parametrize("name", GOING_ON)
def test_minus_infinity_is_unbounded(name: str) -> None:
    objective = Altered(Rosenbrock(), lambda cost, gradient: (-math.inf, gradient), only=3)
    result = TRAINERS[name](max_evaluations=40).minimize(objective, START)
    assert result.status == ml.Status.UNBOUNDED
    number = 3 + result.nhev
    assert f"evaluation {number} gave cost -inf: the objective is unbounded" in result.message
    assert np.isfinite(result.fun)


@pytest.mark.parametrize("name", GOING_ON)
def test_many_in_a_row_end_the_run(name: str) -> None:
    calls = 0

    def fails_from_four(cost: float, gradient: Array) -> tuple[float, Array]:
        nonlocal calls
        calls += 1
        return (cost, gradient) if calls < 4 else (math.nan, gradient * math.nan)

    objective = Altered(Rosenbrock(), fails_from_four)
    result = TRAINERS[name](max_evaluations=500).minimize(objective, START)
    assert result.status == ml.Status.NON_FINITE
    assert result.nfev <= 3 + 2 * 20
    assert np.isfinite(result.fun)
    assert result.fun <= rosenbrock(np.array(START))[0]


def test_lbfgs_names_what_it_met() -> None:
    """A point of which no neighbour has a finite cost."""

    def lonely(x: Array) -> tuple[float, Array]:
        return (1.0, np.ones(2)) if not x.any() else (math.inf, x)

    result = ml.LBFGS().minimize(lonely, [0.0, 0.0])
    assert result.status == ml.Status.NON_FINITE
    assert result.message == "L-BFGS: no finite cost down the gradient, whose norm is 1.41"
    assert result.nfev == 21


@pytest.mark.parametrize("method", [*METHODS[:5], *HESSIAN_METHODS[1:]])
def test_scipys_methods_name_what_they_met(method: str) -> None:
    start = rosenbrock(np.array(START))
    objective = Altered(
        Rosenbrock(),
        lambda cost, gradient: (cost, gradient) if cost == start[0] else (math.inf, gradient),
    )
    result = ml.ScipyTrainer(method).minimize(objective, START)
    assert result.status == ml.Status.NON_FINITE
    assert re.search(r"20 trial points in a row gave|, after \d+ trial points with", result.message)
    assert result.fun == start[0]


@pytest.mark.parametrize("wall", [1e-6, 0.3, 0.9, 3.9, 60.0])
def test_the_line_search_goes_up_to_a_wall(wall: float) -> None:
    """The slope never flattens, so the wall is the end."""
    tried: list[float] = []

    def evaluate(x: Array) -> Evaluation:
        tried.append(float(x[0]))
        cost = -x[0] if x[0] < wall else math.inf
        return Evaluation(x, float(cost), -np.ones(1), 1.0)

    start = Evaluation(np.zeros(1), 0.0, -np.ones(1), 1.0)
    found = LineSearch(evaluate, start, np.ones(1)).run()
    assert found is not None
    assert not found.satisfies_wolfe
    assert 0.9 * wall < found.length < wall
    assert len(tried) < 30


class Walled(ml.ProblemWrapper):
    """A network's cost behind a barrier around its parameters."""

    size = 2.0

    def __init__(self) -> None:
        super().__init__(KNOWN_MINIMA["xor"]().objective)
        self.beyond = 0

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        if np.abs(x).max() >= self.size:
            self.beyond += 1
            return math.nan, np.full_like(x, math.inf)
        cost, gradient = super().__call__(x)
        room = self.size**2 - x**2
        return cost - 1e-4 * float(np.log(room).sum()), gradient + 2e-4 * x / room


RESUMED = [*METHODS[:5], "trust-constr", "L-BFGS"]
BUDGET = 80


@pytest.mark.parametrize("name", RESUMED)
def test_a_run_along_a_wall_resumes_bit_for_bit(name: str, tmp_path: Path) -> None:
    """After each third evaluation, those without a finite cost included."""
    walled = Walled()
    whole = TRAINERS[name](max_evaluations=BUDGET).minimize(walled)
    assert walled.beyond > 0
    path = tmp_path / "run.h5"
    for budget in range(1, BUDGET + 1, 3):
        TRAINERS[name](max_evaluations=budget).minimize(Walled(), checkpoint=path)
    result = TRAINERS[name](max_evaluations=BUDGET).minimize(Walled(), checkpoint=path)
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(whole))
    np.testing.assert_array_equal(ml.load(path).parameters, whole.x)


@forks
@pytest.mark.parametrize("name", ["L-BFGS", "L-BFGS-B", "SLSQP"])
def test_killed_beyond_the_wall_it_ends_as_if_it_was_not(name: str, tmp_path: Path) -> None:
    trainer = TRAINERS[name](max_evaluations=BUDGET)
    whole = trainer.minimize(Walled())
    path = tmp_path / "run.h5"
    for after in (3, 5, 8, 13, 4):
        run = partial(trainer.minimize, Killed(Walled(), after), checkpoint=path)
        assert in_child(partial(run, checkpoint_every=1)) == -signal.SIGKILL
    result = trainer.minimize(Walled(), checkpoint=path)
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(whole))


@pytest.mark.parametrize("method", HESSIAN_METHODS)
def test_a_product_that_is_not_finite_still_ends_the_run(method: str) -> None:
    objective = AlteredProducts(Rosenbrock(), lambda product: product * math.nan)
    result = ml.ScipyTrainer(method).minimize(objective, START)
    assert (result.status, result.nhev) == (ml.Status.NON_FINITE, 1)


def test_the_stand_in_is_the_parabola_that_is_least_at_a_tenth_of_the_step() -> None:
    gradient = np.array([-3.0, 0.4])
    accepted = Evaluation(np.array([1.0, 2.0]), 5.0, gradient, float(np.linalg.norm(gradient)))
    step = np.array([0.7, 0.2])
    slope = -float(gradient @ step)
    cost, found = _stand_in(accepted, accepted.x + step)
    # Along the step: 5 - slope t + 5 slope t**2.
    assert cost == pytest.approx(5 + 4 * slope, rel=1e-14)
    np.testing.assert_allclose(found, 9 * slope * step / (step @ step), rtol=1e-14)


@pytest.mark.parametrize("needs_finite_costs", [True, False])
def test_the_twentieth_trial_in_a_row_without_a_finite_cost_ends_a_run(
    needs_finite_costs: bool,
) -> None:
    class Endless:
        """A run whose trial points have no finite cost."""

        def evaluate(self, x: Array, *, is_trial: bool = False) -> Evaluation:
            return Evaluation(x, math.inf if is_trial else 1.0, np.ones(1), 1.0)

    points = TrialPoints(Endless(), needs_finite_costs)  # type: ignore[arg-type]
    for trial in range(20):
        points.evaluate(np.array([float(trial)]))
    with pytest.raises(Stop, match=r"^20 trial points in a row gave no finite cost$"):
        points.evaluate(np.array([20.0]))

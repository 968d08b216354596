"""The contract of all trainers: every row of the table goes through every test."""

import math
import os
import signal
import threading
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.clock import FakeClock
from tests.helpers.objectives import (
    Altered,
    Bowl,
    Interrupted,
    Recorded,
    Rosenbrock,
    Slow,
)
from tests.helpers.problems import KNOWN_MINIMA, START, rosenbrock, xor
from tests.helpers.trainers import METHODS, TRAINERS, Make

TIGHT: dict[str, dict[str, Any]] = {
    "TNC": {"maxfun": 5000, "ftol": 1e-14},
    "SLSQP": {"maxiter": 1000, "ftol": 1e-12},
    "trust-constr": {"maxiter": 2000},
    "gradient descent": {"max_iterations": 3000, "tolerance": 1e-7},
    "Nesterov": {"max_iterations": 3000, "tolerance": 1e-7},
    "Adam": {"max_iterations": 3000, "tolerance": 1e-7},
}
"""Options with which a trainer comes near enough to a known minimum."""


def test_every_method_is_in_the_table() -> None:
    others = {"L-BFGS", "gradient descent", "Nesterov", "Adam", "Newton-CG by Gauss-Newton"}
    assert set(METHODS) | others == set(TRAINERS)


@pytest.mark.parametrize("problem", KNOWN_MINIMA)
@pytest.mark.parametrize("trainer", TRAINERS)
def test_known_minima_are_reached(trainer: str, problem: str) -> None:
    known = KNOWN_MINIMA[problem]()
    result = TRAINERS[trainer](**TIGHT.get(trainer, {})).minimize(known.objective)
    assert result.fun - known.cost < known.tolerance
    assert result.fun > known.cost - 1e-12
    np.testing.assert_array_equal(known.objective.model.parameters, result.x)
    cost, gradient = known.objective(result.x)
    assert cost == result.fun
    np.testing.assert_array_equal(gradient, result.jac)


# Budgets


@pytest.mark.parametrize("budget", range(1, 40))
def test_the_best_evaluation_within_the_budget_is_returned(make: Make, budget: int) -> None:
    objective = Recorded(Rosenbrock())
    result = make(max_evaluations=budget).minimize(objective, START)
    assert result.nfev == len(objective.points)
    assert result.nfev + result.nhev <= budget
    best = int(np.argmin(objective.costs))
    assert result.fun == objective.costs[best]
    np.testing.assert_array_equal(result.x, objective.points[best])
    if result.nfev + result.nhev == budget:
        assert result.status == ml.Status.MAX_EVALUATIONS
        assert not result.success
        assert result.message.endswith(
            f"the budget of {budget} evaluations is used up: "
            "raise max_evaluations, or train again to go on"
        )


@pytest.mark.parametrize("iterations", [1, 3])
def test_iterations_are_a_budget(make: Make, iterations: int) -> None:
    result = make(max_iterations=iterations).minimize(Rosenbrock(), START)
    assert result.nit == iterations
    assert result.status == ml.Status.MAX_ITERATIONS
    assert f"the budget of {iterations} iterations is used up" in result.message


def test_seconds_are_a_budget(make: Make, clock: FakeClock) -> None:
    objective = Slow(Rosenbrock(), clock, seconds=2)
    result = make(max_seconds=5).minimize(objective, START)
    assert result.nfev == 3
    assert result.seconds == 6
    assert result.status == ml.Status.MAX_SECONDS
    assert "the budget of 5 seconds is used up" in result.message


def test_the_first_evaluation_has_no_time_limit(make: Make, clock: FakeClock) -> None:
    result = make(max_seconds=5).minimize(Slow(Rosenbrock(), clock, seconds=99), START)
    assert (result.nfev, result.status) == (1, ml.Status.MAX_SECONDS)
    assert result.fun == rosenbrock(np.array(START))[0]


def test_the_target_cost_ends_the_run_at_the_first_evaluation_as_low(make: Make) -> None:
    objective = Recorded(Rosenbrock())
    result = make(target_cost=2e-3).minimize(objective, START)
    assert objective.costs[-1] == result.fun <= 2e-3 < min(objective.costs[:-1])
    assert (result.status, result.success) == (ml.Status.TARGET_COST, True)
    assert result.message.endswith(f"the cost {result.fun:.6g} is within the target of 0.002")


# The callback


def test_the_callback_sees_every_iteration(make: Make) -> None:
    iterations: list[ml.Iteration] = []
    result = make(max_iterations=4).minimize(Rosenbrock(), START, callback=iterations.append)
    assert [one.iteration for one in iterations] == [1, 2, 3, 4]
    for one in iterations:
        cost, gradient = rosenbrock(one.x)
        assert one.cost == cost
        assert one.gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-14)
        assert one.best_cost <= cost
        assert not one.x.flags.writeable
    evaluations = [one.evaluations for one in iterations]
    assert evaluations == sorted(evaluations)
    assert evaluations[-1] == result.nfev + result.nhev
    assert result.history.cost[1:] == [one.cost for one in iterations]
    assert result.history.cost[0] == rosenbrock(np.array(START))[0]
    assert len(result.history) == 5
    assert len(str(result.history).splitlines()) == 6


def test_the_callback_may_stop_any_method(make: Make) -> None:
    def stop(iteration: ml.Iteration) -> None:
        if iteration.iteration == 2:
            raise StopIteration("good enough")

    result = make().minimize(Rosenbrock(), START, callback=stop)
    assert result.nit == 2
    assert result.status == ml.Status.CALLBACK
    assert not result.success
    assert result.message.endswith("the callback stopped the run: good enough")


def test_another_exception_is_raised_and_the_model_has_the_best_point(make: Make) -> None:
    objective = xor().objective
    costs: list[float] = []

    def fail(iteration: ml.Iteration) -> None:
        costs.append(iteration.best_cost)
        if iteration.iteration == 3:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        make().minimize(objective, callback=fail)
    assert objective(objective.x0)[0] == costs[-1]


def test_a_callback_that_is_not_callable_is_refused(make: Make) -> None:
    with pytest.raises(TypeError, match="callback: expected a function of an Iteration, found 3"):
        make().minimize(Rosenbrock(), START, callback=3)  # type: ignore[arg-type]


# Values that are not finite


@pytest.mark.parametrize("part", ["cost", "gradient"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["gradient descent", "Nesterov", "Adam"])
def test_an_evaluation_that_is_not_finite_ends_gradient_descent(
    name: str, part: str, value: float
) -> None:
    """The others: training/methods/test_non_finite_trials.py."""

    def alter(cost: float, gradient: Array) -> tuple[float, Array]:
        return (value, gradient) if part == "cost" else (cost, gradient * value)

    objective = Altered(Rosenbrock(), alter, only=4)
    result = TRAINERS[name]().minimize(objective, START)
    assert objective.evaluations == result.nfev == 4
    assert result.status == ml.Status.NON_FINITE
    found = f"cost {value}" if part == "cost" else "a gradient that is not finite"
    assert result.message.endswith(f"evaluation {4 + result.nhev} gave {found}")
    assert np.isfinite(result.fun)
    assert np.isfinite(result.jac).all()


def test_a_start_that_is_not_finite_does_not_change_the_model(make: Make) -> None:
    objective = KNOWN_MINIMA["logistic"]().objective
    before = objective.x0
    result = make().minimize(objective, np.full(before.size, 1e308))
    assert result.status == ml.Status.NON_FINITE
    assert np.isnan(result.fun)
    np.testing.assert_array_equal(objective.model.parameters, before)


# Ctrl-C


def assert_interrupted_at_the_best_point(result: ml.TrainingResult, objective: Interrupted) -> None:
    assert result.status == ml.Status.INTERRUPTED
    assert f"interrupted after {result.nfev + result.nhev} evaluations" in result.message
    np.testing.assert_array_equal(objective.model.parameters, result.x)
    assert result.fun == min(objective.costs)


def test_ctrl_c_in_the_objective_returns_the_best_point(make: Make) -> None:
    objective = Interrupted(xor().objective, at=5)
    assert_interrupted_at_the_best_point(make().minimize(objective), objective)


def test_ctrl_c_in_the_callback_returns_the_best_point(make: Make) -> None:
    def interrupt(iteration: ml.Iteration) -> None:
        if iteration.iteration == 3:
            raise KeyboardInterrupt

    objective = Interrupted(xor().objective, at=0)
    result = make().minimize(objective, callback=interrupt)
    assert_interrupted_at_the_best_point(result, objective)


def test_a_signal_during_threaded_work_returns_the_best_point() -> None:
    rng = np.random.default_rng(0)
    model = ml.mlp(30, 40, 5, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=0)
    X = rng.standard_normal((8000, 30))
    Y = rng.random((8000, 5))
    objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), workers=2, shards=8)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))

    def start_timer(iteration: ml.Iteration) -> None:
        if iteration.iteration == 1:
            timer.start()

    trainer = ml.GradientDescent(1e-3, max_iterations=10**6)
    result = trainer.minimize(objective, callback=start_timer)
    timer.join()
    assert result.status == ml.Status.INTERRUPTED
    np.testing.assert_array_equal(model.parameters, result.x)
    assert objective(result.x)[0] == result.fun


# The result


def test_arrays_of_the_result_are_shared_with_nobody(make: Make) -> None:
    objective = Recorded(Rosenbrock())
    start = np.array(START)
    result = make(max_evaluations=7).minimize(objective, start)
    assert not any(np.shares_memory(result.jac, gradient) for gradient in objective.gradients)
    assert not np.shares_memory(result.x, start)
    np.testing.assert_array_equal(start, START)


def test_convergence_is_success(make: Make) -> None:
    result = make().minimize(Bowl(), [3.0, -1.0])
    assert result.status == 0
    assert ml.Status(result.status) is ml.Status.CONVERGED
    assert result.success
    assert len(result.message) > 10
    np.testing.assert_allclose(result.x, 0, atol=1e-4)


# The start


@pytest.mark.parametrize(
    ("objective", "x0", "message"),
    [
        (
            Rosenbrock(),
            None,
            "x0: expected a starting point, as the objective has no x0 of its own",
        ),
        (Rosenbrock(), [[1.0, 2.0]], r"x0: expected shape \(n,\), found \(1, 2\)"),
        (Rosenbrock(), [], r"x0: expected shape \(n,\), found \(0,\)"),
        (Rosenbrock(), [np.nan, 1.0], "x0: expected finite numbers, found nan"),
        (Rosenbrock(), ["a", "b"], "x0: expected numbers, found dtype <U1"),
        (xor().objective, np.zeros(3), r"x0: expected shape \(17,\), found \(3,\)"),
        (
            "cost",
            [1.0],
            r"objective: expected a function x -> \(cost, gradient\), such as Obj.* found 'cost'",
        ),
    ],
)
def test_a_wrong_start_is_refused(make: Make, objective: Any, x0: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        make().minimize(objective, x0)


@pytest.mark.parametrize("start", [np.array([-1, 1]), np.array([-1, 1], np.float32), [-1, True]])
def test_a_start_may_have_any_numeric_type(make: Make, start: Any) -> None:
    assert make(max_evaluations=5).minimize(Rosenbrock(), start).x.dtype == np.float64


# The progress bar


def test_the_bar_counts_evaluations_and_can_be_silent(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    make(max_evaluations=9).minimize(Rosenbrock(), START, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "9/9" in captured.err
    assert "cost " in captured.err
    assert "|gradient| " in captured.err
    for silent in (False, None):
        make(max_evaluations=9).minimize(Rosenbrock(), START, progress=silent)
        assert capsys.readouterr() == ("", "")


# Without a budget


def endless(x: Array) -> tuple[float, Array]:
    """A cost whose gradient never vanishes and whose decrease never ends."""
    return -math.log1p(abs(x[0])) * 1e3, np.array([-1e3 / (1 + abs(x[0]))])


@pytest.mark.parametrize(
    ("trainer", "limits"),
    [
        (ml.LBFGS(), {"max_evaluations": 15_000}),
        (ml.ScipyTrainer(), {"max_evaluations": 15_000}),
        (ml.ScipyTrainer("CG"), {"max_evaluations": 15_000}),
        (ml.GradientDescent(), {"max_iterations": 1000}),
        (ml.LBFGS(target_cost=0.5), {"max_evaluations": 15_000, "target_cost": 0.5}),
        (ml.LBFGS(max_seconds=5), {"max_seconds": 5}),
        (ml.GradientDescent(max_seconds=5), {"max_seconds": 5}),
        (ml.LBFGS(max_evaluations=None), {}),
        (ml.GradientDescent(max_iterations=None), {}),
        (ml.ScipyTrainer("TNC", maxfun=20_000), {}),
        (ml.ScipyTrainer("CG", maxiter=20_000), {}),
        (ml.ScipyTrainer("CG", maxiter=20_000, max_seconds=5), {"max_seconds": 5}),
    ],
    ids=repr,
)
def test_every_trainer_has_a_budget(trainer: ml.Trainer, limits: dict[str, float]) -> None:
    found = {name: value for name, value in vars(trainer.budget).items() if value is not None}
    assert found == limits


@pytest.mark.parametrize(
    "text",
    [
        "LBFGS()",
        "LBFGS(max_evaluations=None)",
        "LBFGS(max_evaluations=15000)",
        "ScipyTrainer('TNC', maxfun=20)",
        "ScipyTrainer('CG', max_seconds=5.0)",
    ],
)
def test_the_repr_shows_the_budget_that_was_given(text: str) -> None:
    assert repr(eval(text, dict(vars(ml)))) == text


def test_the_repr_shows_no_default_budget() -> None:
    assert "max" not in repr(ml.GradientDescent())
    assert repr(ml.GradientDescent(max_iterations=None)).endswith(", max_iterations=None)")


def test_a_run_without_a_limit_ends_by_its_default() -> None:
    result = ml.GradientDescent(1e-6).minimize(endless, [1.0])
    assert result.status == ml.Status.MAX_ITERATIONS
    assert result.nit == 1000

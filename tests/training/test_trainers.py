"""One contract for all trainers: every row of TRAINERS goes through every test."""

import inspect
import os
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.problems import PROBLEMS
from tests.helpers.trainers import CURVED, METHODS, START, TRAINERS, Curved, Make, rosenbrock

TIGHT: dict[str, dict[str, Any]] = {
    "TNC": {"maxfun": 5000, "ftol": 1e-14},
    "SLSQP": {"maxiter": 1000, "ftol": 1e-12},
    "trust-constr": {"maxiter": 2000},
    **{
        name: {"max_iterations": 3000, "tolerance": 1e-7}
        for name in ("gradient descent", "Nesterov", "Adam")
    },
}


class Bowl(Curved):
    """x @ x / 2."""

    def __init__(self) -> None:
        super().__init__(lambda x: (float(x @ x) / 2, x.copy()))

    def hessp(self, x: Array, v: Array, gauss_newton: bool = False) -> Array:
        return v.copy()


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("trainer", TRAINERS)
def test_known_minima_are_reached(trainer: str, problem: str) -> None:
    known = PROBLEMS[problem]()
    result = TRAINERS[trainer](**TIGHT.get(trainer, {})).minimize(known.objective)
    assert result.fun - known.minimum < known.tolerance
    assert result.fun > known.minimum - 1e-12
    np.testing.assert_array_equal(known.objective.model.parameters, result.x)
    cost, gradient = known.objective(result.x)
    assert cost == result.fun
    np.testing.assert_array_equal(gradient, result.jac)


@pytest.mark.parametrize("budget", range(1, 40))
def test_the_best_point_seen_is_returned_within_the_budget(make: Make, budget: int) -> None:
    seen: list[tuple[float, Array]] = []

    def recorded(x: Array) -> tuple[float, Array]:
        cost, gradient = rosenbrock(x)
        seen.append((cost, x.copy()))
        return cost, gradient

    result = make(max_evaluations=budget).minimize(Curved(recorded), START)
    assert result.nfev == len(seen)
    assert result.nfev + result.nhev <= budget
    best, x = min(seen, key=lambda pair: pair[0])
    assert result.fun == best
    np.testing.assert_array_equal(result.x, x)
    if result.nfev + result.nhev == budget:
        assert result.status == ml.Status.MAX_EVALUATIONS
        assert not result.success
        assert result.message.endswith(f"the budget of {budget} evaluations is used up")


@pytest.mark.parametrize("iterations", [1, 3])
def test_iterations_are_a_budget(make: Make, iterations: int) -> None:
    result = make(max_iterations=iterations).minimize(Curved(), START)
    assert result.nit == iterations
    assert result.status == ml.Status.MAX_ITERATIONS
    assert f"the budget of {iterations} iterations is used up" in result.message


def test_seconds_are_a_budget(make: Make) -> None:
    def slow(x: Array) -> tuple[float, Array]:
        time.sleep(0.02)
        return rosenbrock(x)

    result = make(max_seconds=0.05).minimize(Curved(slow), START)
    assert 0.05 <= result.seconds < 1
    assert result.nfev <= 4
    assert result.status == ml.Status.MAX_SECONDS
    assert "the budget of 0.05 seconds is used up" in result.message


def test_the_callback_sees_the_run(make: Make) -> None:
    told: list[ml.Iteration] = []
    result = make(max_iterations=4).minimize(Curved(), START, callback=told.append)
    assert [iteration.iteration for iteration in told] == [1, 2, 3, 4]
    for iteration in told:
        cost, gradient = rosenbrock(iteration.x)
        assert iteration.cost == cost
        assert iteration.gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-14)
        assert iteration.best_cost <= cost
        assert not iteration.x.flags.writeable
    assert [iteration.evaluations for iteration in told] == sorted(
        iteration.evaluations for iteration in told
    )
    assert told[-1].evaluations == result.nfev + result.nhev
    assert result.history.cost[1:] == [iteration.cost for iteration in told]
    assert result.history.cost[0] == rosenbrock(np.array(START))[0]
    assert len(result.history) == 5
    assert len(str(result.history).splitlines()) == 6


def test_the_callback_may_stop_any_method(make: Make) -> None:
    def stop(iteration: ml.Iteration) -> None:
        if iteration.iteration == 2:
            raise StopIteration("good enough")

    result = make().minimize(Curved(), START, callback=stop)
    assert result.nit == 2
    assert result.status == ml.Status.CALLBACK
    assert not result.success
    assert result.message.endswith("the callback stopped the run: good enough")


@pytest.mark.parametrize("part", ["cost", "gradient"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_cost_that_is_not_finite_ends_the_run_at_once(
    make: Make, part: str, value: float
) -> None:
    calls = 0

    def fails_at_four(x: Array) -> tuple[float, Array]:
        nonlocal calls
        calls += 1
        cost, gradient = rosenbrock(x)
        if calls == 4:
            return (value, gradient) if part == "cost" else (cost, gradient * value)
        return cost, gradient

    result = make().minimize(Curved(fails_at_four), START)
    assert calls == result.nfev == 4
    assert result.status == ml.Status.NON_FINITE
    found = f"cost {value}" if part == "cost" else "a gradient that is not finite"
    assert result.message.endswith(f"evaluation {4 + result.nhev} gave {found}")
    assert np.isfinite(result.fun)
    assert np.isfinite(result.jac).all()


@pytest.mark.parametrize("method", CURVED)
def test_a_product_that_is_not_finite_ends_the_run_at_once(method: str) -> None:
    class Broken(Curved):
        def hessp(self, x: Array, v: Array, gauss_newton: bool = False) -> Array:
            return v * np.nan

    result = ml.ScipyTrainer(method).minimize(Broken(), START)
    assert result.nhev == 1
    assert result.status == ml.Status.NON_FINITE
    assert result.message.endswith(
        f"evaluation {1 + result.nfev} gave a product that is not finite"
    )


@pytest.mark.parametrize("method", CURVED[1:])
def test_an_objective_without_products_is_refused(method: str) -> None:
    with pytest.raises(
        TypeError,
        match=r"objective: expected one with hessp\(x, v\), as the method needs .* <function",
    ):
        ml.ScipyTrainer(method).minimize(rosenbrock, START)


def test_trust_constr_does_without_products_unless_they_are_asked_for() -> None:
    assert ml.ScipyTrainer("trust-constr").minimize(rosenbrock, START).nhev == 0
    assert ml.ScipyTrainer("trust-constr").minimize(Curved(), START).nhev > 0
    with pytest.raises(TypeError, match="objective: expected one with hessp"):
        ml.ScipyTrainer("trust-constr", gauss_newton=True).minimize(rosenbrock, START)


@pytest.mark.parametrize("method", CURVED)
def test_gauss_newton_products_are_used_where_they_are_asked_for(method: str) -> None:
    asked: list[bool] = []

    class Recorded(Curved):
        def hessp(self, x: Array, v: Array, gauss_newton: bool = False) -> Array:
            asked.append(gauss_newton)
            return super().hessp(x, v, gauss_newton)

    paths = [
        ml.ScipyTrainer(method, gauss_newton=gauss_newton).minimize(Recorded(), START).history.cost
        for gauss_newton in (False, True)
    ]
    assert paths[0] != paths[1]
    assert set(asked[: len(asked) // 4]) == {False}
    assert asked[-1]


def test_the_target_cost_ends_the_run_at_the_first_evaluation_that_is_as_low(make: Make) -> None:
    costs: list[float] = []

    def recorded(x: Array) -> tuple[float, Array]:
        cost, gradient = rosenbrock(x)
        costs.append(cost)
        return cost, gradient

    result = make(target_cost=2e-3).minimize(Curved(recorded), START)
    assert costs[-1] == result.fun <= 2e-3 < min(costs[:-1])
    assert (result.status, result.success) == (ml.Status.TARGET_COST, True)
    assert result.message.endswith(f"the cost {result.fun:.6g} is within the target of 0.002")


def test_a_start_that_is_not_finite_leaves_the_model_alone(make: Make) -> None:
    objective = PROBLEMS["logistic"]().objective
    before = objective.x0
    result = make().minimize(objective, np.full(before.size, 1e308))
    assert result.status == ml.Status.NON_FINITE
    assert np.isnan(result.fun)
    np.testing.assert_array_equal(objective.model.parameters, before)


@pytest.mark.parametrize("where", ["objective", "callback"])
def test_ctrl_c_returns_the_best_so_far(make: Make, where: str) -> None:
    problem = PROBLEMS["xor"]()
    costs: list[float] = []

    class Interrupted:
        x0 = problem.objective.x0
        hessp = staticmethod(problem.objective.hessp)
        calls = 0

        def set_parameters(self, x: Array) -> None:
            problem.objective.set_parameters(x)

        def __call__(self, x: Array) -> tuple[float, Array]:
            self.calls += 1
            if where == "objective" and self.calls == 5:
                raise KeyboardInterrupt
            cost, gradient = problem.objective(x)
            costs.append(cost)
            return cost, gradient

    def interrupt(iteration: ml.Iteration) -> None:
        if where == "callback" and iteration.iteration == 3:
            raise KeyboardInterrupt

    result = make().minimize(Interrupted(), callback=interrupt)
    assert result.status == ml.Status.INTERRUPTED
    assert f"interrupted after {result.nfev + result.nhev} evaluations" in result.message
    np.testing.assert_array_equal(problem.objective.model.parameters, result.x)
    assert result.fun == min(costs)


def test_a_real_signal_in_threaded_work_is_survived() -> None:
    rng = np.random.default_rng(0)
    model = ml.Sequential([ml.Dense(30, 40), ml.Sigmoid(), ml.Dense(40, 5), ml.Sigmoid()], seed=0)
    objective = ml.Objective(
        model,
        rng.standard_normal((8000, 30)),
        rng.random((8000, 5)),
        ml.BinaryCrossEntropy(),
        workers=2,
        shards=8,
    )
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        result = ml.GradientDescent(1e-3, max_iterations=10**6).minimize(objective)
    finally:
        timer.join()
    assert result.status == ml.Status.INTERRUPTED
    np.testing.assert_array_equal(model.parameters, result.x)
    assert objective(result.x)[0] == result.fun


def test_another_exception_goes_on_and_the_model_keeps_the_best(make: Make) -> None:
    problem = PROBLEMS["xor"]()
    costs: list[float] = []

    def broken(iteration: ml.Iteration) -> None:
        costs.append(iteration.best_cost)
        if iteration.iteration == 3:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        make().minimize(problem.objective, callback=broken)
    assert problem.objective(problem.objective.x0)[0] == costs[-1]


def test_the_method_may_not_change_what_is_returned(make: Make) -> None:
    """Arrays of the result are the run's own: not the start's, not the objective's."""
    handed: list[Array] = []

    def remembers(x: Array) -> tuple[float, Array]:
        cost, gradient = rosenbrock(x)
        handed.append(gradient)
        return cost, gradient

    start = np.array(START)
    result = make(max_evaluations=7).minimize(Curved(remembers), start)
    assert not any(np.shares_memory(result.jac, gradient) for gradient in handed)
    assert not np.shares_memory(result.x, start)
    np.testing.assert_array_equal(start, START)


OWN_BUDGETS: list[tuple[str, dict[str, Any], ml.Status]] = [
    ("TNC", {"maxfun": 5}, ml.Status.MAX_EVALUATIONS),
    ("L-BFGS-B", {"maxfun": 5}, ml.Status.MAX_EVALUATIONS),
    *((method, {"maxiter": 2}, ml.Status.MAX_ITERATIONS) for method in METHODS[1:]),
]


@pytest.mark.parametrize(("method", "options", "status"), OWN_BUDGETS)
def test_budgets_of_scipy_are_told_apart(
    method: str, options: dict[str, Any], status: ml.Status
) -> None:
    result = ml.ScipyTrainer(method, **options).minimize(Curved(), START)
    assert result.status == status
    assert not result.success
    assert result.nfev < 15


def test_convergence_is_success(make: Make) -> None:
    result = make().minimize(Bowl(), [3.0, -1.0])
    assert result.status == 0
    assert ml.Status(result.status) is ml.Status.CONVERGED
    assert result.success
    assert len(result.message) > 10
    np.testing.assert_allclose(result.x, 0, atol=1e-4)


def test_a_method_that_gives_up_says_so() -> None:
    """A gradient of the wrong sign leaves a line search no way down."""
    result = ml.ScipyTrainer("BFGS").minimize(lambda x: (float(x @ x), -2 * x), [1.0, 2.0])
    assert result.status == ml.Status.FAILED
    assert "precision loss" in result.message


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"method": "Adam"},
            ValueError,
            "method: expected one of TNC, L-BFGS-B, CG, .*, found 'Adam'",
        ),
        ({"method": "Nelder-Mead"}, ValueError, "method: expected one of TNC"),
        ({"method": "lbfgs"}, ValueError, "method: .* found 'lbfgs': did you mean 'L-BFGS-B'"),
        ({"maxfun": "many"}, TypeError, "maxfun: expected an integer, found 'many'"),
        ({"method": "TNC", "maxfun": -3}, ValueError, "maxfun: expected at least 1, found -3"),
        ({"maxcor": 0}, ValueError, "maxcor: expected at least 1, found 0"),
        ({"method": 3}, ValueError, "method: expected one of TNC.*, found 3"),
        ({"maxiters": 3}, TypeError, "L-BFGS-B has no option 'maxiters'"),
        (
            {"method": "TNC", "maxiter": 5},
            TypeError,
            r"TNC has no option 'maxiter' \(its budget is 'maxfun'\)",
        ),
        (
            {"method": "CG", "maxfun": 5},
            TypeError,
            r"CG has no option 'maxfun' \(its budget is 'maxiter'\)",
        ),
        (
            {"method": "CG", "memory": 5},
            TypeError,
            "CG has no option 'memory'; it has c1, c2, disp, gtol",
        ),
        ({"method": "BFGS", "eps": 1e-8}, TypeError, "BFGS has no option 'eps'"),
        (
            {"callback": print},
            TypeError,
            "options: callback is an argument of minimize, not of ScipyTrainer",
        ),
        ({"max_evaluations": 0}, ValueError, "max_evaluations: expected at least 1, found 0"),
        ({"max_iterations": 2.5}, TypeError, "max_iterations: expected an integer, found 2.5"),
        ({"max_seconds": 0}, ValueError, "max_seconds: expected a finite number > 0, found 0"),
        ({"target_cost": "low"}, TypeError, "target_cost: expected a number, found 'low'"),
        ({"target_cost": np.nan}, ValueError, "target_cost: expected a finite number"),
        (
            {"gauss_newton": True},
            TypeError,
            "gauss_newton: expected a method that uses Hessian products, found L-BFGS-B",
        ),
        (
            {"method": "Newton-CG", "gauss_newton": 1},
            TypeError,
            "gauss_newton: expected True or False, found 1",
        ),
    ],
)
def test_scipy_trainer_refuses(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ml.ScipyTrainer(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": 0}, "learning_rate: expected a finite number > 0, found 0"),
        ({"learning_rate": "fast"}, "learning_rate: expected a number, found 'fast'"),
        ({"momentum": 1}, "momentum: expected a number below 1, found 1"),
        ({"momentum": -0.1}, "momentum: expected a finite number >= 0, found -0.1"),
        ({"tolerance": -1}, "tolerance: expected a finite number >= 0, found -1"),
    ],
)
def test_gradient_descent_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.GradientDescent(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"memory": 0}, "memory: expected at least 1, found 0"),
        ({"memory": 2.5}, "memory: expected an integer, found 2.5"),
        ({"precondition": "yes"}, "precondition: expected True, False or None, found 'yes'"),
        ({"tolerance": -1}, "tolerance: expected a finite number >= 0, found -1"),
        ({"cost_tolerance": "small"}, "cost_tolerance: expected a number, found 'small'"),
    ],
)
def test_lbfgs_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.LBFGS(**arguments)


@pytest.mark.parametrize(
    ("objective", "x0", "message"),
    [
        (Curved(), None, "x0: expected a starting point, as the objective has no x0 of its own"),
        (Curved(), [[1.0, 2.0]], r"x0: expected shape \(n,\), found \(1, 2\)"),
        (Curved(), [], r"x0: expected shape \(n,\), found \(0,\)"),
        (Curved(), [np.nan, 1.0], "x0: expected finite numbers, found nan"),
        (Curved(), ["a", "b"], "x0: expected numbers, found dtype <U1"),
        (PROBLEMS["xor"]().objective, np.zeros(3), r"x0: expected shape \(17,\), found \(3,\)"),
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


def test_an_objective_may_be_wrapped(make: Make) -> None:
    """A wrapper that hands on what it does not know itself is trained like what it wraps."""
    objective = PROBLEMS["xor"]().objective

    class Counted:
        calls = 0

        def __call__(self, x: Array) -> tuple[float, Array]:
            self.calls += 1
            return objective(x)

        def __getattr__(self, name: str) -> Any:
            return getattr(objective, name)

    counted = Counted()
    result = make(max_evaluations=9).minimize(counted)
    assert counted.calls == result.nfev
    np.testing.assert_array_equal(objective.model.parameters, result.x)


def test_a_callback_must_be_callable(make: Make) -> None:
    with pytest.raises(TypeError, match="callback: expected a function of an Iteration, found 3"):
        make().minimize(Curved(), START, callback=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("start", [np.array([-1, 1]), np.array([-1, 1], np.float32), [-1, True]])
def test_a_start_of_any_numeric_type(make: Make, start: Any) -> None:
    assert make(max_evaluations=5).minimize(Curved(), start).x.dtype == np.float64


def test_the_recommended_method_is_what_one_gets_without_choosing() -> None:
    chosen = ml.ScipyTrainer(max_evaluations=9, gtol=1e-9)
    assert (chosen.name, chosen.options) == ("L-BFGS-B", {"maxcor": 50, "gtol": 1e-9})
    named = ml.ScipyTrainer("L-BFGS-B", maxcor=50, gtol=1e-9, max_evaluations=9)
    x = PROBLEMS["xor"]().objective.x0
    results = [trainer.minimize(PROBLEMS["xor"]().objective, x).x for trainer in (chosen, named)]
    np.testing.assert_array_equal(results[0], results[1])
    assert ml.ScipyTrainer("L-BFGS-B").options == {}


@pytest.mark.parametrize("method", METHODS)
def test_the_options_are_those_of_scipy(method: str) -> None:
    from scipy.optimize import _minimize, _trustregion

    name = {
        "L-BFGS-B": "lbfgsb",
        "trust-constr": "trustregion_constr",
        "Newton-CG": "newtoncg",
    }.get(method, method.lower())
    known = set(
        inspect.signature(getattr(_minimize, f"_minimize_{name.replace('-', '_')}")).parameters
    )
    if "trust_region_options" in known:
        known |= set(inspect.signature(_trustregion._minimize_trust_region).parameters)
    assert ml.ScipyTrainer(method).method.options <= known


def test_method_names_are_those_of_scipy_in_any_case() -> None:
    assert ml.ScipyTrainer("l-bfgs-b").name == "L-BFGS-B"


def test_the_bar_counts_evaluations_and_can_be_silent(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    make(max_evaluations=9).minimize(Curved(), START, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "9/9" in shown.err
    assert "cost " in shown.err
    assert "|gradient| " in shown.err
    for silent in (False, None):
        make(max_evaluations=9).minimize(Curved(), START, progress=silent)
        assert capsys.readouterr() == ("", "")


def test_a_short_objective_works_with_scipy_itself() -> None:
    from scipy.optimize import minimize

    problem = PROBLEMS["logistic"]()
    result = minimize(problem.objective, problem.objective.x0, jac=True, method="L-BFGS-B")
    assert result.fun - problem.minimum < problem.tolerance

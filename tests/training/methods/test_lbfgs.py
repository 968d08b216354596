"""LBFGS: its memory, its preconditioner and its tests for convergence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.objectives import Bowl, OneArray, Recorded
from tests.helpers.problems import START, ex4_model


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
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.LBFGS(**arguments)


# The preconditioner


@pytest.fixture(scope="module")
def digit_objective(digits: tuple[Array, Array]) -> Callable[..., ml.Objective]:
    """Return a function of options that makes the exercise's objective."""
    X, labels = digits
    loss = ml.BinaryCrossEntropy()
    return lambda **options: ml.Objective(ex4_model(), X, labels, loss, l2=1.0, **options)


def test_the_preconditioner_halves_the_evaluations_on_the_digits(
    digit_objective: Callable[..., ml.Objective],
) -> None:
    """SciPy's L-BFGS-B takes 82 to 91 evaluations to the article's cost, from five starts."""
    preconditioned, plain = (
        ml.LBFGS(target_cost=0.339, precondition=precondition).minimize(digit_objective())
        for precondition in (True, False)
    )
    assert preconditioned.status == plain.status == ml.Status.TARGET_COST
    assert 2 * preconditioned.nfev < plain.nfev


def test_single_precision_ends_at_the_same_cost(
    digit_objective: Callable[..., ml.Objective],
) -> None:
    double, single = (
        ml.LBFGS(max_evaluations=100).minimize(digit_objective(dtype=dtype))
        for dtype in ("float64", "float32")
    )
    exact = digit_objective()(single.x)[0]
    assert exact == pytest.approx(single.fun, rel=1e-5)
    assert exact == pytest.approx(double.fun, rel=1e-2)  # other rounding leads along another path


def two_outputs(
    l2: float, *, shards: int | None = None, workers: int | None = None
) -> ml.Objective:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((80, 6))
    Y = rng.integers(0, 2, (80, 2))
    model = ml.mlp(6, 4, 2, output=ml.Sigmoid, seed=1)
    return ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), l2, shards=shards, workers=workers)


@pytest.mark.parametrize("l2", [0.0, 1e-3])
def test_by_default_objectives_with_a_penalty_are_preconditioned(l2: float) -> None:
    def train(precondition: bool | None) -> ml.TrainingResult:
        trainer = ml.LBFGS(precondition=precondition, max_evaluations=9)
        return trainer.minimize(two_outputs(l2))

    np.testing.assert_array_equal(train(None).x, train(l2 > 0).x)
    assert not np.array_equal(train(True).x, train(False).x)
    assert train(None).method == f"L-BFGS, {'preconditioned' if l2 else 'plain'}"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_preconditioned_run_resumes_bit_for_bit(tmp_path: Path, workers: int) -> None:
    whole = ml.LBFGS(max_evaluations=60).minimize(two_outputs(1e-3, shards=2, workers=1))
    for budget in (7, 23, 24, 60):
        objective = two_outputs(1e-3, shards=2, workers=workers)
        trainer = ml.LBFGS(max_evaluations=budget)
        result = trainer.minimize(objective, checkpoint=tmp_path / "run.h5")
        assert result.nfev == budget
    np.testing.assert_equal(same_in_every_run(result), same_in_every_run(whole))


class Identity:
    """A preconditioner that notes after how many iterations it is refreshed."""

    def __init__(self) -> None:
        self.iterations = 0
        self.refreshed_after: list[int] = []

    def count(self, iteration: ml.Iteration) -> None:
        self.iterations = iteration.iteration

    def refresh(self, x: Array) -> None:
        self.refreshed_after.append(self.iterations)

    def __call__(self, v: Array) -> Array:
        return v.copy()


def test_the_preconditioner_is_refreshed_ever_more_rarely() -> None:
    identity = Identity()

    class Quadratic(ml.ProblemWrapper):
        def preconditioner(self) -> Any:
            return identity

    scales = np.geomspace(1, 1e4, 40)
    quadratic = Quadratic(lambda x: (float(x @ (scales * x)) / 2, scales * x))
    trainer = ml.LBFGS(precondition=True, max_iterations=33)
    result = trainer.minimize(quadratic, np.ones(40), callback=identity.count)
    assert result.nit == 33
    assert identity.refreshed_after == [0, 1, 2, 4, 8, 16, 32]


# The first step


@pytest.mark.parametrize(
    ("start", "first_trial"),
    [([0.3, 0.4], [0.0, 0.0]), ([0.6, 0.8], [0.0, 0.0]), ([3.0, 4.0], [2.4, 3.2])],
)
def test_the_first_trial_promises_to_lower_the_cost_by_at_most_1(
    start: list[float], first_trial: list[float]
) -> None:
    bowl = Recorded(Bowl())
    ml.LBFGS(max_evaluations=2).minimize(bowl, start)
    np.testing.assert_allclose(bowl.points[1], first_trial, rtol=1e-14, atol=1e-14)


# The memory


@pytest.mark.parametrize(
    ("size", "memory", "other"), [(300, 50, 20), (4000, 50, 49), (5000, 40, 50), (10_001, 20, 50)]
)
def test_the_default_memory_is_shorter_for_longer_vectors(
    size: int, memory: int, other: int
) -> None:
    scales = np.geomspace(1, 1e4, size)

    def quadratic(x: Array) -> tuple[float, Array]:
        return float(x @ (scales * x)) / 2, scales * x

    def train(memory: int | None) -> Array:
        return ml.LBFGS(memory=memory, max_evaluations=90).minimize(quadratic, np.ones(size)).x

    np.testing.assert_array_equal(train(None), train(memory))
    assert not np.array_equal(train(None), train(other))


# Convergence


def logistic(dtype: str) -> ml.Objective:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 5))
    labels = X[:, 0] + rng.standard_normal(300) > 0
    model = ml.mlp(5, 1, output=ml.Sigmoid, seed=0)
    return ml.Objective(model, X, labels, ml.BinaryCrossEntropy(), 1.0, dtype=dtype)


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [
        ("float64", 1e-5),
        ("float64", 0.0),
        ("float32", 1e-4),  # costs show no fall where the gradient is smaller
        ("float32", 0.0),
    ],
)
def test_a_minimum_is_found_to_the_last_digits(dtype: str, tolerance: float) -> None:
    expected = ml.ScipyTrainer("BFGS", gtol=1e-9).minimize(logistic("float64"))
    result = ml.LBFGS(tolerance=tolerance, cost_tolerance=0.0).minimize(logistic(dtype))
    assert result.status == (ml.Status.STALLED if tolerance == 0 else ml.Status.CONVERGED)
    assert result.fun == pytest.approx(expected.fun, rel=1e-9 if dtype == "float64" else 1e-6)
    assert result.nfev < 80
    if tolerance == 0:
        reasons = ("no lower cost down the gradient", "by no more than 0 of itself")
        assert any(reason in result.message for reason in reasons)


def test_ten_iterations_that_lower_the_cost_by_too_little_end_the_run() -> None:
    def flat(x: Array) -> tuple[float, Array]:
        return 1.0 + float(x @ x) ** 4, 8 * float(x @ x) ** 3 * x

    result = ml.LBFGS(tolerance=0.0, cost_tolerance=1e-2).minimize(flat, [1.0, 1.0])
    reason = "L-BFGS: 10 iterations lowered the cost by no more than 0.01 of itself; the gradient"
    assert result.message.startswith(reason)
    assert result.success
    costs = result.history.cost
    assert costs[-11] - costs[-1] <= 0.01 * costs[-1]  # without the memory of those before
    assert costs[-21] - costs[-11] <= 0.01 * costs[-11]
    assert costs[-22] - costs[-12] > 0.01 * costs[-12]


def test_a_gradient_of_the_wrong_sign_is_a_failure_with_a_hint() -> None:
    result = ml.LBFGS().minimize(lambda x: (float(x @ x), -2 * x), [1.0, 2.0])
    assert result.status == ml.Status.FAILED
    expected = "no lower cost down the gradient: check_gradient tells if it is wrong"
    assert result.message.endswith(expected)


def test_an_objective_may_return_each_gradient_in_the_same_array() -> None:
    def rosenbrock(x: Array) -> tuple[float, Array]:
        a = x[1] - x[0] ** 2
        b = 1 - x[0]
        return 100 * a**2 + b**2, np.array([-400 * x[0] * a - 2 * b, 200 * a])

    found = ml.LBFGS().minimize(OneArray(rosenbrock, 2), START)
    expected = ml.LBFGS().minimize(rosenbrock, START)
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_allclose(found.x, 1, atol=1e-6)
    assert found.nfev < 60


@pytest.mark.parametrize("norm", [2, np.inf])
def test_the_tolerance_is_of_the_chosen_norm(norm: float) -> None:
    X = np.random.default_rng(0).standard_normal((50, 9))
    model = ml.mlp(9, 5, 1, seed=0)
    objective = ml.Objective(model, X, X[:, 0] ** 2, ml.SquaredError(), l2=1.0)
    result = ml.LBFGS(tolerance=1e-3, norm=norm).minimize(objective)
    assert result.status is ml.Status.CONVERGED
    found = [np.linalg.norm(result.jac, ord=each) <= 1e-3 for each in (2, np.inf)]
    assert found == [norm == 2, True]
    assert repr(ml.LBFGS(norm=norm)) == ("LBFGS()" if norm == 2 else "LBFGS(norm=inf)")


def test_other_norms_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^norm: expected 2 or numpy\.inf, found 1$"):
        ml.LBFGS(norm=1)

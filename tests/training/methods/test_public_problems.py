"""LBFGS on the problems of More, Garbow and Hillstrom and of NIST, which others have solved."""

from itertools import product

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.more_garbow_hillstrom import PROBLEMS, SumOfSquares
from tests.helpers.nist import MISRA

TABLE = {problem.name: problem for problem in PROBLEMS}
MAX_EVALUATIONS = 2000
STARTS = list(product(MISRA, (0, 1)))


def central_difference(problem: SumOfSquares, x: Array) -> Array:
    """The Jacobian by four-point differences."""
    columns = []
    for index, entry in enumerate(x):
        step = np.zeros_like(x)
        step[index] = 1e-4 * max(abs(entry), 0.01)
        ahead, behind = (problem.residuals(x + sign * step)[0] for sign in (1, -1))
        far_ahead, far_behind = (problem.residuals(x + sign * step)[0] for sign in (2, -2))
        columns.append((8 * (ahead - behind) - (far_ahead - far_behind)) / (12 * step[index]))
    return np.column_stack(columns)


@pytest.mark.parametrize("name", TABLE)
def test_the_gradients_are_right(name: str) -> None:
    problem = TABLE[name]
    rng = np.random.default_rng(0)
    size = np.maximum(0.1, np.abs(problem.start))
    x = problem.start + 0.05 * size * rng.standard_normal(problem.start.size)
    residuals, jacobian = problem.residuals(x)
    largest = np.abs(jacobian).max()
    np.testing.assert_allclose(central_difference(problem, x), jacobian, atol=1e-7 * largest)
    cost, gradient = problem(x)
    assert cost == pytest.approx(np.sum(residuals**2))
    np.testing.assert_allclose(gradient, 2 * jacobian.T @ residuals)


@pytest.mark.parametrize("name", TABLE)
def test_lbfgs_finds_the_published_minimum(name: str) -> None:
    problem = TABLE[name]
    trainer = ml.LBFGS(tolerance=1e-9, cost_tolerance=1e-13, max_evaluations=MAX_EVALUATIONS)
    result = trainer.minimize(problem, problem.start)
    cost, _ = problem(result.x)
    assert result.success
    assert any(cost == pytest.approx(minimum, rel=1e-5, abs=1e-9) for minimum in problem.minima)


@pytest.mark.parametrize("name", TABLE)
def test_lbfgs_claims_nothing_else(name: str) -> None:
    """CONVERGED by the gradient at the result itself; STALLED at a published minimum alone."""
    problem = TABLE[name]
    result = ml.LBFGS(max_evaluations=MAX_EVALUATIONS).minimize(problem, problem.start)
    cost, gradient = problem(result.x)
    assert result.success
    if result.status == ml.Status.CONVERGED:
        assert np.linalg.norm(gradient) <= 1e-5
    else:
        assert any(cost == pytest.approx(minimum, rel=1e-5) for minimum in problem.minima)
        assert result.status == ml.Status.STALLED


@pytest.mark.parametrize(("name", "start"), STARTS)
def test_lbfgs_finds_the_certified_minimum(name: str, start: int) -> None:
    problem = MISRA[name]
    result = ml.LBFGS(max_evaluations=MAX_EVALUATIONS).minimize(problem, problem.starts[start])
    assert result.success
    assert result.fun == pytest.approx(problem.certified, rel=1e-9)


@pytest.mark.parametrize(("name", "start"), STARTS)
def test_the_next_run_from_the_result_finds_nothing_lower(name: str, start: int) -> None:
    problem = MISRA[name]
    result = ml.LBFGS().minimize(problem, problem.starts[start])
    again = ml.LBFGS().minimize(problem, result.x)
    assert result.fun - again.fun <= 1e-9 * result.fun

"""ScipyTrainer: SciPy's names, options, budgets and Hessian products."""

import inspect
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import _minimize, _trustregion, minimize

import minilayer as ml
from tests.helpers.objectives import AlteredProducts, Recorded, Rosenbrock
from tests.helpers.problems import KNOWN_MINIMA, START, rosenbrock, xor
from tests.helpers.trainers import HESSIAN_METHODS, METHODS


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
def test_wrong_arguments_are_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ml.ScipyTrainer(**arguments)


def test_the_default_is_l_bfgs_b_with_a_longer_memory() -> None:
    chosen = ml.ScipyTrainer(max_evaluations=9, gtol=1e-9)
    assert (chosen.name, chosen.options) == ("L-BFGS-B", {"maxcor": 50, "gtol": 1e-9})
    named = ml.ScipyTrainer("L-BFGS-B", maxcor=50, gtol=1e-9, max_evaluations=9)
    x = xor().objective.x0
    results = [trainer.minimize(xor().objective, x).x for trainer in (chosen, named)]
    np.testing.assert_array_equal(results[0], results[1])
    assert ml.ScipyTrainer("L-BFGS-B").options == {}


@pytest.mark.parametrize("method", METHODS)
def test_the_options_are_those_of_scipy(method: str) -> None:
    names = {
        "L-BFGS-B": "lbfgsb",
        "trust-constr": "trustregion_constr",
        "Newton-CG": "newtoncg",
    }
    name = names.get(method, method.lower()).replace("-", "_")
    known = set(inspect.signature(getattr(_minimize, f"_minimize_{name}")).parameters)
    if "trust_region_options" in known:
        known |= set(inspect.signature(_trustregion._minimize_trust_region).parameters)
    assert ml.ScipyTrainer(method).method.options <= known


def test_method_names_are_those_of_scipy_in_any_case() -> None:
    assert ml.ScipyTrainer("l-bfgs-b").name == "L-BFGS-B"


OWN_BUDGETS: list[tuple[str, dict[str, Any], ml.Status]] = [
    ("TNC", {"maxfun": 5}, ml.Status.MAX_EVALUATIONS),
    ("L-BFGS-B", {"maxfun": 5}, ml.Status.MAX_EVALUATIONS),
    *((method, {"maxiter": 2}, ml.Status.MAX_ITERATIONS) for method in METHODS[1:]),
]


@pytest.mark.parametrize(("method", "options", "status"), OWN_BUDGETS)
def test_the_status_says_which_of_scipys_budgets_is_used_up(
    method: str, options: dict[str, Any], status: ml.Status
) -> None:
    result = ml.ScipyTrainer(method, **options).minimize(Rosenbrock(), START)
    assert result.status == status
    assert not result.success
    assert result.nfev < 15


def test_a_method_that_gives_up_has_failed() -> None:
    """A gradient of the wrong sign leaves a line search no lower point."""
    result = ml.ScipyTrainer("BFGS").minimize(lambda x: (float(x @ x), -2 * x), [1.0, 2.0])
    assert result.status == ml.Status.FAILED
    assert "precision loss" in result.message


def test_an_objective_works_with_scipy_itself() -> None:
    known = KNOWN_MINIMA["logistic"]()
    result = minimize(known.objective, known.objective.x0, jac=True, method="L-BFGS-B")
    assert result.fun - known.cost < known.tolerance


# Hessian products


@pytest.mark.parametrize("method", HESSIAN_METHODS)
def test_a_product_that_is_not_finite_ends_the_run(method: str) -> None:
    objective = AlteredProducts(Rosenbrock(), lambda product: product * np.nan)
    result = ml.ScipyTrainer(method).minimize(objective, START)
    assert result.nhev == 1
    assert result.status == ml.Status.NON_FINITE
    expected = f"evaluation {1 + result.nfev} gave a product that is not finite"
    assert result.message.endswith(expected)


@pytest.mark.parametrize("method", HESSIAN_METHODS[1:])
def test_an_objective_without_products_is_refused(method: str) -> None:
    expected = r"objective: expected one with hessp\(x, v\), as the method needs .* <function"
    with pytest.raises(TypeError, match=expected):
        ml.ScipyTrainer(method).minimize(rosenbrock, START)


def test_trust_constr_does_without_products_unless_gauss_newton_is_given() -> None:
    assert ml.ScipyTrainer("trust-constr").minimize(rosenbrock, START).nhev == 0
    assert ml.ScipyTrainer("trust-constr").minimize(Rosenbrock(), START).nhev > 0
    with pytest.raises(TypeError, match="objective: expected one with hessp"):
        ml.ScipyTrainer("trust-constr", gauss_newton=True).minimize(rosenbrock, START)


@pytest.mark.parametrize("method", HESSIAN_METHODS)
def test_gauss_newton_products_are_used_if_gauss_newton_is_given(method: str) -> None:
    runs = {}
    for gauss_newton in (False, True):
        objective = Recorded(Rosenbrock())
        trainer = ml.ScipyTrainer(method, gauss_newton=gauss_newton)
        runs[gauss_newton] = trainer.minimize(objective, START).history.cost
        assert set(objective.gauss_newton) == {gauss_newton}
    assert runs[False] != runs[True]


# Memory


def quadratic(calls: list[int]) -> Any:
    def objective(x: Any) -> tuple[float, Any]:
        calls.append(x.size)
        return float(x @ x), 2 * x

    return objective


@pytest.mark.parametrize(("method", "matrices"), [("BFGS", 7), ("SLSQP", 11), ("trust-constr", 3)])
def test_methods_with_matrices_are_refused_above_a_limit_that_can_be_raised(
    method: str, matrices: int
) -> None:
    n = 20
    needed = matrices * 8 * n * n
    calls: list[int] = []
    trainer = ml.ScipyTrainer(method, max_bytes=needed - 1)
    expected = (
        f"max_bytes: expected at least {needed:,} for {method}, which holds {matrices} matrices of "
        f"20 x 20 numbers, found {needed - 1:,}: .* or give max_bytes={needed}$"
    )
    with pytest.raises(ValueError, match=expected):
        trainer.minimize(quadratic(calls), np.ones(n))
    assert calls == []
    assert ml.ScipyTrainer(method, max_bytes=needed).minimize(quadratic(calls), np.ones(n)).success


@pytest.mark.parametrize(
    "method", [name for name in METHODS if name not in HESSIAN_METHODS or name == "trust-constr"]
)
def test_the_memory_is_what_the_method_takes(method: str) -> None:
    """Objects of NumPy are traced; half a matrix is left for vectors."""
    n = 300
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        ml.ScipyTrainer(method, max_iterations=4).minimize(bumpy, np.ones(n))
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    needed = ml.ScipyTrainer(method).bytes_needed(n)
    assert peak < needed + 8 * n * n
    assert needed == 0 or peak > needed / 3


def bumpy(x: Any) -> tuple[float, Any]:
    scale = np.arange(1.0, x.size + 1)
    return float(scale @ x**2 + (x**4).sum()), 2 * scale * x + 4 * x**3


def test_the_exercises_network_is_too_large_for_bfgs_by_default(tmp_path: Path) -> None:
    model = ml.mlp(400, 25, 10, output=ml.Sigmoid, seed=0)
    objective = ml.Objective(model, np.ones((3, 400)), [0, 1, 2], ml.BinaryCrossEntropy())
    with pytest.raises(ValueError, match="max_bytes: expected at least 5,923,748,600 for BFGS"):
        ml.ScipyTrainer("BFGS").minimize(objective, checkpoint=tmp_path / "run.h5")
    assert list(tmp_path.iterdir()) == []
    assert ml.ScipyTrainer("trust-constr").bytes_needed(10_285, has_hessian=True) == 0


def test_the_limit_is_no_part_of_a_runs_identity() -> None:
    trainer = ml.ScipyTrainer("BFGS", max_bytes=1 << 33)
    assert trainer.settings() == ml.ScipyTrainer("BFGS").settings()
    assert repr(trainer) == "ScipyTrainer('BFGS', max_bytes=8589934592)"

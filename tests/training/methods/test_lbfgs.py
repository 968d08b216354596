"""LBFGS and its parts: the line search, the inverse_hessian, the preconditioner; the contract is tested with all trainers."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.objective.preconditioner import Preconditioner
from minilayer.training.history import Evaluation
from minilayer.training.methods.inverse_hessian import InverseHessian
from minilayer.training.methods.line_search import line_search
from minilayer.utils.types import Array
from tests.conftest import ROOT, ex4_model

ONE = np.ones(1)
LINES: dict[str, Callable[[float], tuple[float, float]]] = {
    "parabola": lambda t: ((t - 3) ** 2, 2 * (t - 3)),
    "far minimum": lambda t: ((t / 1000 - 3) ** 2, 2 * (t / 1000 - 3) / 1000),
    "near minimum": lambda t: ((1000 * t - 3) ** 2, 2000 * (1000 * t - 3)),
    "waves": lambda t: (math.sin(5 * t) - 0.1 * t, 5 * math.cos(5 * t) - 0.1 - 6),
    "quartic": lambda t: (t**4 - t**3 - t, 4 * t**3 - 3 * t**2 - 1),
    "very steep": lambda t: (1e200 * (t - 0.3) ** 2, 2e200 * (t - 0.3)),
    "log of cosh": lambda t: (float(np.logaddexp(t - 4, 4 - t)), math.tanh(t - 4)),
    "valley with a wall": lambda t: (max(-t, 50 * (t - 1)), -1.0 if -t >= 50 * (t - 1) else 50.0),
}
SMOOTH = [name for name in LINES if name not in ("waves", "valley with a wall")]


def along(line: Callable[[float], tuple[float, float]], scale: float) -> tuple[Any, list[float]]:
    """The line search from 0 along ``scale``, and the lengths that it tried."""
    tried: list[float] = []

    def evaluate(x: Array) -> Evaluation:
        cost, slope = line(x[0])
        tried.append(x[0] / scale)
        return Evaluation(x, float(cost), slope * ONE, abs(slope))

    found = line_search(evaluate, evaluate(0 * ONE), scale * ONE)
    return found, tried[1:]


@pytest.mark.parametrize("line", SMOOTH)
@given(scale=st.floats(1e-3, 1e3))
def test_the_line_search_ends_where_the_wolfe_conditions_hold(line: str, scale: float) -> None:
    found, tried = along(LINES[line], scale)
    cost, slope = LINES[line](0.0)
    there, flat = LINES[line](found.evaluation.x[0])
    assert found.satisfies_wolfe
    at = found.evaluation
    assert (at.cost, at.gradient[0], at.x[0]) == (there, flat, found.length * scale)
    assert there <= cost + 1e-4 * found.length * scale * slope
    assert abs(flat) <= -0.9 * slope
    assert tried[0] == pytest.approx(1)
    assert len(tried) <= 20


def test_the_lowest_point_is_given_where_none_is_flat_enough() -> None:
    found, _ = along(LINES["valley with a wall"], 1.0)
    assert -1 < found.cost < 0
    assert not found.satisfies_wolfe


def test_there_is_no_lower_point_where_the_slope_is_wrong() -> None:
    found, tried = along(lambda t: (t * t + t, -1.0), 1.0)
    assert found is None
    assert len(tried) == 20


@given(
    seed=st.integers(0, 1000),
    memory=st.integers(1, 6),
    pairs=st.integers(0, 9),
    preconditioned=st.booleans(),
)
def test_secants_are_the_formula_of_bfgs(
    seed: int, memory: int, pairs: int, preconditioned: bool
) -> None:
    """Against the update of the whole matrix, H <- (I - s y'/s'y) H (I - y s'/s'y) + s s'/s'y."""
    rng, size = np.random.default_rng(seed), 7
    root = rng.standard_normal((size, size))
    P = root @ root.T + np.eye(size) if preconditioned else np.eye(size)
    guide = Fixed(P) if preconditioned else None
    inverse_hessian, kept = InverseHessian(memory), list[tuple[Array, Array]]()
    for _ in range(pairs):
        s, y = rng.standard_normal((2, size))
        inverse_hessian.add(s, y)
        if s @ y > 0:
            kept.append((s, y))
    kept = kept[-memory:]
    assert len(inverse_hessian) == len(kept)
    H = P.copy()
    if kept:
        s, y = kept[-1]
        H *= (s @ y) / (y @ P @ y)
    for s, y in kept:
        left = np.eye(size) - np.outer(s, y) / (s @ y)
        H = left @ H @ left.T + np.outer(s, s) / (s @ y)
    v = rng.standard_normal(size)
    np.testing.assert_allclose(
        inverse_hessian.dot(v, guide), H @ v, rtol=1e-6, atol=1e-6 * np.abs(H).max()
    )
    inverse_hessian.clear()
    assert not inverse_hessian


class Fixed:
    """A preconditioner that is a matrix."""

    def __init__(self, P: Array) -> None:
        self.P = P

    def refresh(self, x: Array) -> None:
        """It is what it is."""

    def __call__(self, v: Array) -> Array:
        return np.asarray(self.P @ v)


def damped_inverse(x: Array) -> Array:
    """As the docstring has it."""
    extended = np.c_[np.ones(len(x)), x]
    A = extended.T @ extended / len(x)
    return np.asarray(np.linalg.inv(A + 0.1 * np.trace(A) / len(A) * np.eye(len(A))))


def problem(
    rows: int = 80, *, dtype: str = "float64", weights: Array | None = None
) -> ml.Objective:
    rng = np.random.default_rng(5)
    model = ml.Sequential(
        [ml.Dense(6, 4), ml.Tanh(), Scale(4), ml.Dense(4, 2), ml.Sigmoid()], seed=1
    )
    X, Y = rng.standard_normal((rows, 6)), rng.integers(0, 2, (rows, 2))
    return ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), dtype=dtype, sample_weight=weights)


class Scale(ml.Layer):
    """A layer with parameters and no input_gram: y = x * theta."""

    def __init__(self, units: int) -> None:
        self.inputs = self.units = units

    def config(self) -> dict[str, int]:
        assert self.units is not None
        return {"units": self.units}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        assert self.units is not None
        return {"theta": (self.units,)}

    def initialize(self, rng: np.random.Generator) -> None:
        self.parameters["theta"][:] = 1

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.asarray(x * self.parameters["theta"])

    def input_gradient(self, dy: Array) -> Array:
        return np.asarray(dy * self.parameters["theta"])

    def parameter_gradient(self, dy: Array) -> None:
        self.gradients["theta"][:] = (dy * self.x).sum(axis=0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_preconditioner_is_the_damped_inverse_of_the_input_gram_of_each_layer(
    dtype: str,
) -> None:
    objective = problem(dtype=dtype)
    X, _ = objective.head(80)
    preconditioner = objective.preconditioner()
    v = np.random.default_rng(3).standard_normal(objective.x0.size)
    np.testing.assert_array_equal(preconditioner(v), v)  # nothing is known before the first refresh
    for x in (objective.x0, v):
        preconditioner.refresh(x)
        first, scale, second = np.split(x, [28, 32])
        hidden = np.tanh(np.c_[np.ones(80), X] @ first.reshape(4, 7).T) * scale
        expected = [(v[:28].reshape(4, 7) @ damped_inverse(X)).ravel(), v[28:32]]
        expected.append((v[32:].reshape(2, 5) @ damped_inverse(hidden)).ravel())
        found = preconditioner(v)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, np.concatenate(expected), rtol=2e-5, atol=2e-5)
    assert second.size == 10


def test_the_preconditioner_is_symmetric_and_positive() -> None:
    objective = problem()
    preconditioner = objective.preconditioner()
    preconditioner.refresh(objective.x0)
    P = np.array([preconditioner(unit) for unit in np.eye(objective.x0.size)])
    np.testing.assert_allclose(P, P.T, rtol=1e-4, atol=1e-6)
    assert np.linalg.eigvalsh((P + P.T) / 2).min() > 0.01


def test_it_is_made_of_rows_spread_over_all_that_count() -> None:
    X, Y = np.arange(5000.0)[:, None], np.zeros((5000, 1))
    model = ml.Sequential([ml.Dense(1, 1), ml.Sigmoid()])
    weights = np.where(np.arange(5000) < 2500, 0.0, 1.0)
    for weight, expected in ((None, np.arange(0, 5000, 5)), (weights, np.arange(2500, 5000, 2))):
        objective = ml.Objective(
            model, X, Y, ml.BinaryCrossEntropy(), sample_weight=weight, shards=7
        )
        rows = objective._shards.spread(Preconditioner.rows_for(model, 5000))
        np.testing.assert_array_equal(rows[:, 0], expected)
    wide = ml.Sequential([ml.Dense(400, 25), ml.Dense(25, 10)])
    assert [Preconditioner.rows_for(wide, rows) for rows in (5000, 1604, 1603)] == [
        1604,
        1604,
        1000,
    ]


def test_a_layer_of_more_inputs_than_a_quarter_of_the_rows_is_left_alone() -> None:
    for rows, alone in ((27, True), (28, False)):
        objective = problem(rows)
        preconditioner = objective.preconditioner()
        preconditioner.refresh(objective.x0)
        v = np.ones(objective.x0.size)
        changed = preconditioner(v) != v
        assert changed[:28].all() != alone
        assert changed[32:].all()  # five inputs and the bias


@pytest.mark.parametrize(
    ("shape", "rows", "worth"),
    [
        ((25, 401), 5000, True),
        ((100, 785), 60_000, True),
        ((1, 33), 1_000_000, True),
        ((25, 401), 1603, False),
        ((25, 10_001), 50_000, False),
        ((2, 1001), 50_000, False),
        ((2000, 5000), 1_000_000, False),
        ((3, 2, 7), 28, True),
    ],
)
def test_what_costs_more_than_it_saves_is_left_alone(
    shape: tuple[int, ...], rows: int, worth: bool
) -> None:
    class Wide(Scale):
        def shapes(self) -> dict[str, tuple[int, ...]]:
            return {"theta": shape}

        def input_gram(self, name: str) -> Array:
            return 15 * np.eye(shape[-1])

    model = ml.Sequential([Wide(1)])
    preconditioner = Preconditioner(model, np.ones((5, 1)), of_rows=rows)
    assert bool(preconditioner._blocks) == worth


def test_inputs_that_single_precision_does_not_hold_are_left_alone() -> None:
    for size in (0.0, 1e30, 1e200):
        model = ml.Sequential([ml.Dense(1, 3), ml.Sigmoid(), ml.Dense(3, 1), ml.Identity()], seed=0)
        objective = ml.Objective(model, size * np.ones((50, 1)), np.ones(50), ml.SquaredError())
        preconditioner = objective.preconditioner()
        preconditioner.refresh(objective.x0)
        product = preconditioner(np.ones(10))
        assert np.isfinite(product).all()
        assert (product[:6] == 1).all() == (size > 0)
        assert ml.LBFGS(precondition=True, max_evaluations=50).minimize(objective).fun < 1e-6


def test_an_input_gram_of_the_wrong_shape_is_named() -> None:
    class Wrong(Scale):
        def input_gram(self, name: str) -> Array:
            return np.eye(3)

    model = ml.Sequential([ml.Dense(2, 4), Wrong(4), ml.Dense(4, 1), ml.Identity()])
    objective = ml.Objective(model, np.ones((40, 2)), np.ones(40), ml.SquaredError())
    with pytest.raises(
        ValueError,
        match=r"input_gram of Wrong\(units=4\) for 'theta': expected shape \(4, 4\), found \(3, 3\)",
    ):
        ml.LBFGS(precondition=True).minimize(objective)


@pytest.fixture(scope="module")
def digits() -> Callable[..., ml.Objective]:
    X, labels = ml.load_ex4(ROOT / "data" / "ex4data1.mat")
    return lambda **options: ml.Objective(
        ex4_model(0), X, labels, ml.BinaryCrossEntropy(), l2=1.0, **options
    )


def test_the_digits_take_half_the_evaluations_with_the_preconditioner(
    digits: Callable[..., ml.Objective],
) -> None:
    """SciPy's L-BFGS-B takes 82 to 91 for the article's cost, from five starts."""
    runs = [ml.LBFGS(target_cost=0.339, precondition=on).minimize(digits()) for on in (True, False)]
    assert all(run.status == ml.Status.TARGET_COST for run in runs)
    assert 2 * runs[0].nfev < runs[1].nfev


@pytest.mark.parametrize("l2", [0.0, 1e-3])
def test_the_preconditioner_is_for_objectives_with_a_penalty(l2: float) -> None:
    rng = np.random.default_rng(5)
    X, Y = rng.standard_normal((80, 6)), rng.integers(0, 2, (80, 2))

    def train(precondition: bool | None) -> Array:
        model = ml.Sequential([ml.Dense(6, 4), ml.Tanh(), ml.Dense(4, 2), ml.Sigmoid()], seed=1)
        objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), l2)
        return np.asarray(
            ml.LBFGS(precondition=precondition, max_evaluations=9).minimize(objective).x
        )

    np.testing.assert_array_equal(train(None), train(l2 > 0))
    assert not np.array_equal(train(True), train(False))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_guided_run_goes_on_bit_for_bit(tmp_path: Path, workers: int) -> None:
    def fresh(workers: int = 1) -> ml.Objective:
        rng = np.random.default_rng(5)
        X, Y = rng.standard_normal((80, 6)), rng.integers(0, 2, (80, 2))
        model = ml.Sequential([ml.Dense(6, 4), ml.Tanh(), ml.Dense(4, 2), ml.Sigmoid()], seed=1)
        return ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), 1e-3, workers=workers, shards=2)

    whole = ml.LBFGS(max_evaluations=60).minimize(fresh())
    for budget in (7, 23, 24, 60):
        result = ml.LBFGS(max_evaluations=budget).minimize(
            fresh(workers), checkpoint=tmp_path / "run.h5"
        )
        assert result.nfev == budget
    np.testing.assert_array_equal(result.x, whole.x)
    assert result.history.cost == whole.history.cost


def test_single_precision_ends_at_the_same_cost(digits: Callable[..., ml.Objective]) -> None:
    double, single = (
        ml.LBFGS(max_evaluations=100).minimize(digits(dtype=dtype))
        for dtype in ("float64", "float32")
    )
    exact = digits()
    assert exact(single.x)[0] == pytest.approx(single.fun, rel=1e-5)
    assert exact(single.x)[0] == pytest.approx(
        double.fun, rel=1e-2
    )  # other rounding, and so another way


@pytest.mark.parametrize(
    ("size", "memory", "other"), [(300, 50, 20), (4000, 50, 49), (5000, 40, 50), (10_001, 20, 50)]
)
def test_fewer_steps_are_remembered_where_vectors_are_long(
    size: int, memory: int, other: int
) -> None:
    scales = np.geomspace(1, 1e4, size)

    def train(memory: int | None) -> Array:
        trainer = ml.LBFGS(memory=memory, max_evaluations=90)
        return np.asarray(
            trainer.minimize(lambda x: (float(x @ (scales * x)) / 2, scales * x), np.ones(size)).x
        )

    np.testing.assert_array_equal(train(None), train(memory))
    assert not np.array_equal(train(None), train(other))


def logistic(dtype: str) -> ml.Objective:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 5))
    model = ml.Sequential([ml.Dense(5, 1), ml.Sigmoid()], seed=0)
    return ml.Objective(
        model, X, X[:, 0] + rng.standard_normal(300) > 0, ml.BinaryCrossEntropy(), 1.0, dtype=dtype
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("tolerance", [1e-5, 0.0])
def test_a_minimum_is_found_to_the_last_digits(dtype: str, tolerance: float) -> None:
    expected = ml.ScipyTrainer("BFGS", gtol=1e-9).minimize(logistic("float64"))
    result = ml.LBFGS(tolerance=tolerance, cost_tolerance=0.0).minimize(logistic(dtype))
    assert result.status == ml.Status.CONVERGED
    assert result.fun == pytest.approx(expected.fun, rel=1e-9 if dtype == "float64" else 1e-6)
    assert result.nfev < 80
    if tolerance == 0:
        assert (
            "no lower cost can be told from this one" in result.message
            or "by no more than 0" in result.message
        )


def test_iterations_that_lower_nothing_end_the_run() -> None:
    result = ml.LBFGS(tolerance=0.0, cost_tolerance=1e-2).minimize(
        lambda x: (1.0 + float(x @ x) ** 4, 8 * float(x @ x) ** 3 * x), [1.0, 1.0]
    )
    assert result.message == "L-BFGS: 10 iterations lowered the cost by no more than 0.01 of itself"
    assert result.success
    costs = result.history.cost
    assert costs[-11] - costs[-1] <= 0.01 * costs[-1]
    assert costs[-12] - costs[-2] > 0.01 * costs[-2]


def test_a_wrong_gradient_is_told_of() -> None:
    result = ml.LBFGS().minimize(lambda x: (float(x @ x), -2 * x), [1.0, 2.0])
    assert result.status == ml.Status.FAILED
    assert result.message.endswith(
        "no lower cost down the gradient: check_gradient tells if it is wrong"
    )


def test_gradients_that_the_objective_writes_again_are_no_danger() -> None:
    answer = np.empty(2)

    def rosenbrock(x: Array) -> tuple[float, Array]:
        a, b = x[1] - x[0] ** 2, 1 - x[0]
        answer[:] = -400 * x[0] * a - 2 * b, 200 * a
        return 100 * a**2 + b**2, answer

    found = ml.LBFGS().minimize(rosenbrock, [-1.2, 1.0])
    fresh = ml.LBFGS().minimize(lambda x: (rosenbrock(x)[0], rosenbrock(x)[1].copy()), [-1.2, 1.0])
    np.testing.assert_array_equal(found.x, fresh.x)
    np.testing.assert_allclose(found.x, 1, atol=1e-6)
    assert found.nfev < 60

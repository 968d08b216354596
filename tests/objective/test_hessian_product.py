"""Hessian and Gauss-Newton products against differences of the gradient, and against algebra."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.differences import product_by_differences
from tests.helpers.layers import SquaredScale
from tests.helpers.objectives import Recorded
from tests.helpers.problems import ACTIVATIONS, HIDDEN, PAIRS, WIDTHS, random_objective

PREDICTION_LOSSES = (ml.SquaredError(), ml.Huber(0.5), ml.PinballLoss(0.3, 0.4))
"""Losses that any output activation may precede."""


@pytest.mark.parametrize("l2", [0.0, 2.0])
@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("pair", PAIRS)
def test_products_are_differences_of_the_gradient(
    pair: str, hidden: type[ml.Activation], widths: str, rows: int, l2: float
) -> None:
    objective = random_objective(
        pair, widths=WIDTHS[widths], hidden=hidden, rows=rows, l2=l2, shards=2
    )
    x = objective.x0
    rng = np.random.default_rng(3)
    for _ in range(3):
        v = rng.standard_normal(x.size)
        expected = product_by_differences(objective, x, v)
        error = np.abs(objective.hessp(x, v) - expected).max()
        assert error < 1e-6 * max(1e-3, np.abs(expected).max())


@pytest.mark.parametrize("hidden", [ml.Tanh, ml.Softplus])
@pytest.mark.parametrize("last", [*ACTIVATIONS, None])
@pytest.mark.parametrize("loss", PREDICTION_LOSSES, ids=repr)
def test_products_of_losses_of_the_prediction_are_differences_on_any_output_activation(
    loss: ml.Loss, last: type[ml.Activation] | None, hidden: type[ml.Activation]
) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((9, 3))
    Y = rng.random((9, 2))
    weight = rng.random(9)
    model = ml.mlp(3, 4, 2, hidden=hidden, output=last, seed=1)
    objective = ml.Objective(model, X, Y, loss, l2=0.3, sample_weight=weight, shards=2)
    x = objective.x0
    assert ml.check_gradient(objective).worst < 1e-6
    for v in rng.standard_normal((3, x.size)):
        expected = product_by_differences(objective, x, v, step=1e-5)
        error = np.abs(objective.hessp(x, v) - expected).max()
        assert error < 1e-6 * np.abs(expected).max()


def gauss_newton_by_algebra(objective: ml.Objective, X: Array, H: Array) -> Array:
    """Return J' H J / m: J by differences of the predictions, H (m * outputs,) diagonal."""
    x = objective.x0
    replica = objective.model.replica(objective.x0)

    def predictions(point: Array) -> Array:
        replica.parameters[:] = point
        return replica.predict(X)

    J = np.empty((H.size, x.size))
    for index, unit in enumerate(1e-4 * np.eye(x.size)):
        near = predictions(x + unit) - predictions(x - unit)
        far = predictions(x + 2 * unit) - predictions(x - 2 * unit)
        J[:, index] = ((8 * near - far) / 12e-4).ravel()
    return np.asarray(J.T @ (H[:, None] * J) / len(X))


@pytest.mark.parametrize("last", ACTIVATIONS)
@pytest.mark.parametrize("loss", PREDICTION_LOSSES, ids=repr)
def test_gauss_newton_of_losses_of_the_prediction_is_the_classical_one(
    loss: ml.Loss, last: type[ml.Activation]
) -> None:
    """It is J' H J: J the derivative of the predictions, H the loss's second derivative there."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((9, 3))
    Y = rng.random((9, 2))
    objective = ml.Objective(ml.mlp(3, 4, 2, output=last, seed=1), X, Y, loss)
    p = objective.model.predict(X)
    H = np.ones(p.shape)
    if isinstance(loss, ml.ElementwiseLoss):
        H = loss.second_derivative(p, Y).astype(float)
    expected = gauss_newton_by_algebra(objective, X, np.maximum(H, 0).ravel())
    found = matrix(objective, gauss_newton=True)
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())
    assert np.linalg.eigvalsh(found).min() > -1e-12 * np.abs(found).max()


class Cauchy(ml.ElementwiseLoss):
    """log(1 + r**2) / 2, which is not convex."""

    output_activation = ml.Identity

    def value(self, z: Array, target: Array) -> Array:
        return np.asarray(np.log1p((z - target) ** 2) / 2)

    def derivative(self, z: Array, target: Array) -> Array:
        r = z - target
        return np.asarray(r / (1 + r * r))

    def second_derivative(self, z: Array, target: Array) -> Array:
        r = z - target
        return np.asarray((1 - r * r) / (1 + r * r) ** 2)


def test_gauss_newton_of_a_loss_that_is_not_convex_is_semidefinite() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 3))
    objective = ml.Objective(ml.mlp(3, 4, 1, seed=0), X, 5 * X[:, :1], Cauchy(), shards=3)
    x = objective.x0
    v = rng.standard_normal(x.size)
    expected = product_by_differences(objective, x, v)
    assert np.abs(objective.hessp(x, v) - expected).max() < 1e-6 * np.abs(expected).max()
    assert np.linalg.eigvalsh(matrix(objective)).min() < -1e-2
    assert np.linalg.eigvalsh(matrix(objective, gauss_newton=True)).min() > -1e-12


@pytest.mark.parametrize(
    "loss", [ml.SquaredError(), ml.Huber(0.5), ml.PinballLoss(0.3, 0.4)], ids=repr
)
def test_both_matrices_of_a_convex_loss_and_a_linear_model_are_equal(loss: ml.Loss) -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((9, 3)), rng.random((9, 2))
    for last in (None, ml.Identity):
        objective = ml.Objective(ml.mlp(3, 2, output=last, seed=1), X, Y, loss, l2=0.3)
        np.testing.assert_array_equal(matrix(objective), matrix(objective, gauss_newton=True))


NEWTON_CASES: dict[str, tuple[ml.Loss, type[ml.Activation]]] = {
    "Huber": (ml.Huber(0.5), ml.Identity),
    "Huber on Softplus": (ml.Huber(0.5), ml.Softplus),
    "Poisson": (ml.Poisson(), ml.Exp),
    "pinball": (ml.PinballLoss(0.7, 0.2), ml.Identity),
    "squares on Sigmoid": (ml.SquaredError(), ml.Sigmoid),
    "squares on Tanh": (ml.SquaredError(), ml.Tanh),
    "squares on Softmax": (ml.SquaredError(), ml.Softmax),
    "squares on Exp": (ml.SquaredError(), ml.Exp),
    "squares on Softplus": (ml.SquaredError(), ml.Softplus),
}


@pytest.mark.parametrize("case", NEWTON_CASES)
@pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg"])
def test_newton_methods_reach_the_cost_of_lbfgs(method: str, case: str) -> None:
    loss, last = NEWTON_CASES[case]
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2))
    Y = np.c_[X[:, :1] > 0, X[:, :1] <= 0].astype(float)
    start = ml.UniformEpsilon(0.5)

    def objective() -> ml.Objective:
        model = ml.mlp(2, 2, output=last, seed=1, initializer=start)
        return ml.Objective(model, X, Y, loss, l2=1.0)

    expected = ml.LBFGS(tolerance=1e-9, cost_tolerance=0.0).minimize(objective())
    for gauss_newton in (False, True):
        trainer = ml.ScipyTrainer(method, gauss_newton=gauss_newton, max_evaluations=500)
        result = trainer.minimize(objective())
        assert result.nhev > 0
        assert result.fun == pytest.approx(expected.fun, rel=1e-6)


def test_products_pass_activations_before_the_first_dense_layer() -> None:
    model = ml.Sequential(
        [ml.Tanh(), ml.Dense(3, 4), ml.Sigmoid(), ml.Softmax(), ml.Dense(4, 1), ml.Identity()],
        seed=0,
    )
    X = np.random.default_rng(0).standard_normal((6, 3))
    objective = ml.Objective(model, X, X[:, :1], ml.SquaredError())
    v = np.random.default_rng(1).standard_normal(objective.x0.size)
    expected = product_by_differences(objective, objective.x0, v)
    assert np.abs(objective.hessp(objective.x0, v) - expected).max() < 1e-8


def test_products_pass_a_custom_layer() -> None:
    """The layer is the first, one between and the last."""
    rng = np.random.default_rng(0)
    layers = [
        SquaredScale(3),
        ml.Dense(3, 4),
        SquaredScale(4),
        ml.Tanh(),
        ml.Dense(4, 2),
        SquaredScale(2),
        ml.Identity(),
    ]
    model = ml.Sequential(layers, seed=0)
    X = rng.standard_normal((9, 3))
    objective = ml.Objective(model, X, rng.random((9, 2)), ml.SquaredError(), l2=0.3)
    x = objective.x0
    v = rng.standard_normal(x.size)
    expected = product_by_differences(objective, x, v)
    np.testing.assert_allclose(objective.hessp(x, v), expected, atol=1e-6)


def test_products_of_a_model_that_ends_in_dense_are_those_of_identity() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((9, 3))
    Y = rng.standard_normal((9, 2))
    objectives = [
        ml.Objective(ml.mlp(3, 4, 2, output=output, seed=0), X, Y, ml.SquaredError(), l2=0.3)
        for output in (None, ml.Identity)
    ]
    x = objectives[0].x0
    v = rng.standard_normal(x.size)
    for gauss_newton in (False, True):
        products = [one.hessp(x, v, gauss_newton=gauss_newton) for one in objectives]
        np.testing.assert_array_equal(products[0], products[1])
    expected = product_by_differences(objectives[0], x, v)
    np.testing.assert_allclose(objectives[0].hessp(x, v), expected, atol=1e-8)


def matrix(objective: ml.Objective, **options: Any) -> Array:
    """Return the whole matrix, one product for each unit vector."""
    x = objective.x0
    return np.array([objective.hessp(x, unit, **options) for unit in np.eye(x.size)])


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("pair", PAIRS)
def test_both_matrices_are_symmetric_and_gauss_newton_is_semidefinite(
    pair: str, hidden: type[ml.Activation]
) -> None:
    objective = random_objective(pair, widths=(3, 4, 2), hidden=hidden, rows=7, l2=0.0, shards=2)
    hessian = matrix(objective)
    gauss_newton = matrix(objective, gauss_newton=True)
    for M in (hessian, gauss_newton):
        assert np.abs(M - M.T).max() < 1e-12 * max(1.0, np.abs(M).max())
    assert np.linalg.eigvalsh(gauss_newton).min() > -1e-12
    assert np.linalg.matrix_rank(gauss_newton, tol=1e-9) <= 7 * 2  # one for each row and output
    if hidden in (ml.Sigmoid, ml.Tanh, ml.Softmax):
        assert np.abs(hessian - gauss_newton).max() > 1e-4
    linear = random_objective(pair, widths=(3, 2), rows=7, l2=0.0, shards=2)
    difference = matrix(linear) - matrix(linear, gauss_newton=True)
    np.testing.assert_allclose(difference, 0, rtol=0, atol=1e-15)


def test_gauss_newton_is_the_jacobian_squared() -> None:
    """For the squared error it is J'J / m, with J the derivative of the predictions."""
    objective = random_objective("identity", widths=(3, 4, 2), hidden=ml.Tanh, rows=7, l2=0.0)
    X, _ = objective.head(7)
    x = objective.x0
    replica = objective.model.replica(objective.x0)

    def predictions(point: Array) -> Array:
        replica.parameters[:] = point
        return replica.predict(X)

    columns = []
    for unit in np.eye(x.size):
        change = predictions(x + 1e-6 * unit) - predictions(x - 1e-6 * unit)
        columns.append(change.ravel() / 2e-6)
    jacobian = np.array(columns)
    expected = jacobian @ jacobian.T / len(predictions(x))
    rows = ml.Objective(objective.model, X, np.zeros((len(X), 2)), ml.SquaredError())
    np.testing.assert_allclose(matrix(rows, gauss_newton=True), expected, atol=1e-8)


@given(st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_products_are_linear(seed: int, factor: float) -> None:
    objective = random_objective("softmax", widths=(3, 4, 2), hidden=ml.Tanh, rows=5, l2=1.0)
    u, v = np.random.default_rng(seed).standard_normal((2, objective.x0.size))
    whole = objective.hessp(objective.x0, u + factor * v)
    parts = objective.hessp(objective.x0, u) + factor * objective.hessp(objective.x0, v)
    np.testing.assert_allclose(whole, parts, atol=1e-12 * max(1.0, float(np.abs(parts).max())))


@pytest.mark.parametrize("gauss_newton", [False, True])
def test_workers_do_not_change_a_bit_and_shards_only_the_last_digits(gauss_newton: bool) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((23, 4))
    Y = rng.random((23, 3))
    model = ml.Sequential([ml.Dense(4, 5), ml.Sigmoid(), ml.Dense(5, 3), ml.Sigmoid()], seed=0)
    v = rng.standard_normal(model.parameters.size)
    whole = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), l2=0.5, shards=1)
    for shards in (2, 5, 23):
        products = []
        for workers in (1, 2, 3):
            objective = ml.Objective(
                model, X, Y, ml.BinaryCrossEntropy(), l2=0.5, shards=shards, workers=workers
            )
            products.append(objective.hessp(whole.x0, v, gauss_newton=gauss_newton))
        np.testing.assert_array_equal(products[0], products[1])
        np.testing.assert_array_equal(products[0], products[2])
        expected = whole.hessp(whole.x0, v, gauss_newton=gauss_newton)
        np.testing.assert_allclose(products[0], expected, rtol=1e-11)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("shards", "workers"), [(1, 1), (2, 2), (5, 2), (3, 5)])
def test_products_do_not_depend_on_earlier_calls(shards: int, workers: int, dtype: str) -> None:
    """A forward pass may be used again; the bits are those of a new objective."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((23, 4))
    Y = rng.random((23, 3))
    model = ml.Sequential([ml.Dense(4, 5), ml.Tanh(), ml.Dense(5, 3), ml.Sigmoid()], seed=0)

    def fresh() -> ml.Objective:
        return ml.Objective(
            model,
            X,
            Y,
            ml.BinaryCrossEntropy(),
            l2=0.5,
            shards=shards,
            workers=workers,
            dtype=dtype,
        )

    used = fresh()
    points = [used.x0, used.x0 + 0.1, used.x0 + 1e-12]
    for step in rng.integers(0, 4, 40):
        x, v = points[rng.integers(3)], rng.standard_normal(used.x0.size)
        if step == 0:
            assert used(x)[0] == fresh()(x)[0]
        elif step == 1:
            found, expected = (one.validation_rows(X[:5], Y[:5])(x)[0] for one in (used, fresh()))
            assert found == expected
        else:
            gauss_newton = bool(step == 2)
            products = [used.hessp(x, w, gauss_newton=gauss_newton) for w in (v, -2 * v, v)]
            first = fresh().hessp(x, v, gauss_newton=gauss_newton)
            second = fresh().hessp(x, -2 * v, gauss_newton=gauss_newton)
            np.testing.assert_array_equal(products[0], first)
            np.testing.assert_array_equal(products[1], second)
            np.testing.assert_array_equal(products[2], products[0])


def test_single_precision_comes_close() -> None:
    double = random_objective(widths=(3, 4, 2), rows=7, l2=1.0)
    X, Y = double.head(7)
    v = np.random.default_rng(2).standard_normal(double.x0.size)
    exact, rounded = (
        ml.Objective(double.model, X, Y, ml.BinaryCrossEntropy(), dtype=dtype).hessp(double.x0, v)
        for dtype in ("float64", "float32")
    )
    assert rounded.dtype == np.float64
    assert 0 < np.abs(rounded - exact).max() < 1e-5 * np.abs(exact).max()


class Square(ml.Activation):
    """An activation without second_derivative."""

    def function(self, x: Array, out: Array) -> None:
        np.multiply(x, x, out=out)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.multiply(dy, 2 * x, out=out)


class Shift(ml.Layer):
    """A layer without jvp."""

    def forward(self, x: Array) -> Array:
        return x + 1

    def input_gradient(self, dy: Array) -> Array:
        return dy


def test_layers_without_second_derivatives_are_refused_by_name() -> None:
    X = np.ones((2, 3))
    for layer, message in (
        (Shift(), "hessp: expected layers with jvp, but Shift does not define it"),
        (
            Square(),
            r"expected layers with second_derivative, but Square does not define it "
            r"\(Gauss-Newton products do not need it\)",
        ),
    ):
        model = ml.Sequential([ml.Dense(3, 2), layer, ml.Dense(2, 1), ml.Identity()], seed=0)
        objective = ml.Objective(model, X, X[:, :1], ml.SquaredError())
        with pytest.raises(TypeError, match=message):
            objective.hessp(objective.x0, objective.x0)
    # Square has all that Gauss-Newton products need.
    M = matrix(objective, gauss_newton=True)
    assert np.abs(M).max() > 0
    np.testing.assert_allclose(M, M.T, atol=1e-12)


@pytest.mark.parametrize("layer", [Shift, Square])
def test_methods_that_need_products_refuse_such_layers_and_trust_constr_does_without(
    layer: type[ml.Layer],
) -> None:
    X = np.random.default_rng(0).standard_normal((9, 3))
    model = ml.Sequential([ml.Dense(3, 2), layer(), ml.Dense(2, 1), ml.Identity()], seed=0)

    def recorded() -> Recorded:
        return Recorded(ml.Objective(model, X, X[:, :1], ml.SquaredError(), l2=0.1))

    objective = recorded()
    with pytest.raises(ml.CurvatureError, match=f"but {layer.__name__} does not define it"):
        ml.ScipyTrainer("Newton-CG").minimize(objective)
    assert not objective.points
    result = ml.ScipyTrainer("trust-constr", max_evaluations=20).minimize(recorded())
    assert (result.nfev, result.nhev) == (20, 0)
    if layer is Square:  # which has all that Gauss-Newton products need
        for method in ("trust-constr", "Newton-CG"):
            trainer = ml.ScipyTrainer(method, gauss_newton=True)
            assert trainer.minimize(recorded()).nhev > 0


@pytest.mark.parametrize(
    ("x", "v", "message"), [(17, 18, r"v: expected shape \(17,\)"), (3, 17, r"x: expected shape")]
)
def test_vectors_of_another_size_are_refused(x: int, v: int, message: str) -> None:
    model = ml.Sequential([ml.Dense(2, 4), ml.Tanh(), ml.Dense(4, 1), ml.Identity()], seed=0)
    objective = ml.Objective(model, [[1, 2]], [[1]], ml.SquaredError())
    with pytest.raises(ValueError, match=message):
        objective.hessp(np.zeros(x), np.zeros(v))

"""Dense: theta and its views, with and without a bias."""

from pathlib import Path

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array


def test_theta_weight_and_bias_are_views_of_the_vector() -> None:
    dense = ml.Dense(2, 2)
    model = ml.Sequential([dense])
    for view in (dense.theta, dense.weight, dense.bias):
        assert np.shares_memory(view, model.parameters)
    model.parameters[:] = np.arange(6)
    np.testing.assert_array_equal(dense.theta, [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(dense.bias, [0, 3])
    dense.weight[1, 1] = 50
    dense.bias[0] = -1
    np.testing.assert_array_equal(model.parameters, [-1, 1, 2, 3, 4, 50])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3), "inputs of Dense: expected at least 1, found 0"),
        ((3, 0), "units of Dense: expected at least 1, found 0"),
        ((3, -2), "units of Dense: expected at least 1, found -2"),
        ((2.5, 3), "inputs of Dense: expected an integer, found 2.5"),
        ((True, 3), "inputs of Dense: expected an integer, found True"),
        (("4", 3), "inputs of Dense: expected an integer, found '4'"),
        ((3, 3, "glorot"), "initializer of Dense: expected an Initializer such as Glorot"),
        ((3, 3, ml.Glorot), "initializer of Dense: expected an Initializer such as Glorot"),
    ],
)
def test_wrong_arguments_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.Dense(*arguments)  # type: ignore[arg-type]


def test_numpy_integers_are_sizes() -> None:
    assert repr(ml.Dense(np.int64(3), np.uint8(2))) == "Dense(3, 2)"  # type: ignore[arg-type]


def test_config_holds_every_argument() -> None:
    start = ml.UniformEpsilon(0.5)
    dense = ml.Dense(3, 2, start, bias=False)
    assert dense.config() == {"inputs": 3, "units": 2, "initializer": start, "bias": False}
    copy = dense.unbound_copy()
    assert copy.config() == dense.config()
    assert repr(copy) == "Dense(3, 2, bias=False)"


# Without a bias


def objective_without_bias(l2: float = 0.0) -> ml.Objective:
    """Return an objective of two Dense layers on 80 rows."""
    rng = np.random.default_rng(2)
    layers = [
        ml.Dense(6, 4, bias=False),
        ml.Tanh(),
        ml.Dense(4, 2, bias=False),
        ml.Sigmoid(),
    ]
    model = ml.Sequential(layers, seed=1)
    X = rng.standard_normal((80, 6))
    Y = rng.integers(0, 2, (80, 2))
    return ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), l2)


def test_without_bias_the_output_is_the_product_with_the_weight() -> None:
    dense = ml.Dense(3, 2, bias=False)
    model = ml.Sequential([dense], seed=0)
    X = np.random.default_rng(0).standard_normal((5, 3))
    assert dense.theta.shape == (2, 3)
    assert model.parameters.size == 6
    np.testing.assert_array_equal(dense.weight, dense.theta)
    assert np.shares_memory(dense.weight, model.parameters)
    np.testing.assert_allclose(model.predict(X), X @ dense.theta.T, rtol=1e-14)


def test_without_bias_there_is_no_bias_attribute() -> None:
    dense = ml.Dense(3, 2, bias=False)
    ml.Sequential([dense])
    assert not dense.has_bias
    with pytest.raises(AttributeError, match=r"^Dense\(3, 2, bias=False\) has no bias$"):
        _ = dense.bias


def test_without_bias_the_penalty_applies_to_every_parameter() -> None:
    assert ml.Sequential([ml.Dense(3, 2, bias=False)]).l2_mask().all()
    expected = [[False, True, True, True]] * 2
    np.testing.assert_array_equal(ml.Sequential([ml.Dense(3, 2)]).l2_mask(), np.ravel(expected))


@pytest.mark.parametrize("initializer", [ml.Glorot(), ml.UniformEpsilon(0.3), ml.Zeros()])
def test_without_bias_the_initializer_draws_the_weight(initializer: ml.Initializer) -> None:
    model = ml.Sequential([ml.Dense(3, 2, initializer, bias=False)], seed=4)
    expected = initializer.sample((2, 3), 3, 2, np.random.default_rng(4))
    np.testing.assert_array_equal(model.parameters, expected.ravel())


def with_zero_biases(x: Array) -> Array:
    """Return the parameters of the same network with biases, all of them 0."""
    thetas = (x[:24].reshape(4, 6), x[24:].reshape(2, 4))
    return np.concatenate([np.pad(theta, ((0, 0), (1, 0))).ravel() for theta in thetas])


def test_without_bias_derivatives_are_those_of_a_bias_that_stays_zero() -> None:
    objective = objective_without_bias(l2=0.7)
    X, Y = objective.head(80)
    model = ml.mlp(6, 4, 2, output=ml.Sigmoid)
    biased = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), l2=0.7)
    x = objective.x0
    v = np.random.default_rng(3).standard_normal(x.size)
    padded = with_zero_biases(x)
    padded_v = with_zero_biases(v)
    is_weight = model.l2_mask()
    cost, gradient = objective(x)
    assert cost == pytest.approx(biased(padded)[0], rel=1e-14)
    np.testing.assert_allclose(gradient, biased(padded)[1][is_weight], rtol=1e-12, atol=1e-15)
    for gauss_newton in (False, True):
        found = objective.hessp(x, v, gauss_newton=gauss_newton)
        expected = biased.hessp(padded, padded_v, gauss_newton=gauss_newton)[is_weight]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_without_bias_the_input_gram_has_no_column_of_ones() -> None:
    dense = ml.Dense(3, 2, bias=False)
    ml.Sequential([dense], seed=0)
    X = np.random.default_rng(0).standard_normal((9, 3))
    dense.forward(X)
    np.testing.assert_allclose(dense.input_gram("theta"), X.T @ X, rtol=1e-14)


def test_without_bias_lbfgs_preconditions_with_the_damped_input_gram() -> None:
    objective = objective_without_bias(l2=1e-3)
    X, _ = objective.head(80)
    preconditioner = objective.preconditioner()
    preconditioner.refresh(objective.x0)
    v = np.random.default_rng(3).standard_normal(objective.x0.size)
    hidden = np.tanh(X @ objective.x0[:24].reshape(4, 6).T)
    expected = []
    for rows, block in ((X, v[:24].reshape(4, 6)), (hidden, v[24:].reshape(2, 4))):
        gram = rows.T @ rows / len(rows)
        damped = gram + 0.1 * np.trace(gram) / len(gram) * np.eye(len(gram))
        expected.append((block @ np.linalg.inv(damped)).ravel())
    np.testing.assert_allclose(preconditioner(v), np.concatenate(expected), rtol=2e-5, atol=2e-5)
    result = ml.LBFGS().minimize(objective)
    assert result.method == "L-BFGS, preconditioned"
    assert result.success
    assert result.fun < result.history.cost[0]


def test_without_bias_a_checkpoint_restores_the_layer(tmp_path: Path) -> None:
    objective = objective_without_bias()
    ml.save(objective.model, tmp_path / "model.h5")
    model = ml.load(tmp_path / "model.h5")
    assert repr(model) == repr(objective.model)
    assert [layer.config()["bias"] for layer in model if isinstance(layer, ml.Dense)] == [False] * 2
    np.testing.assert_array_equal(model.parameters, objective.model.parameters)
    X, _ = objective.head(80)
    np.testing.assert_array_equal(model.predict(X), objective.model.predict(X))


@pytest.mark.parametrize("bias", [0, 1, None, "no"])
def test_a_bias_that_is_no_flag_is_refused(bias: object) -> None:
    with pytest.raises(TypeError, match=r"^bias of Dense: expected True or False, found"):
        ml.Dense(2, 1, bias=bias)  # type: ignore[arg-type]

"""Activations: values, derivatives and second derivatives, also for inputs of any size."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf, expit, log_expit

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.problems import ACTIVATIONS

BOUNDED = [activation for activation in ACTIVATIONS if activation is not ml.Exp]
ELEMENTWISE = [activation for activation in ACTIVATIONS if activation is not ml.Softmax]


def second_derivative(layer: ml.Activation, x: Array) -> Array:
    """Return f''(x) of an elementwise function."""
    layer.forward(x)
    layer.jvp(np.ones_like(x), {})
    found = layer.second_order_term(np.ones_like(x), {})
    assert found is not None
    return np.array(found)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("activation", BOUNDED)
@pytest.mark.parametrize("size", [0.0, 1e-40, 1.0, 40.0, 800.0, 1e4, 1e30])
def test_all_is_finite_and_without_warnings_at_any_size(
    activation: type[ml.Activation], size: float, dtype: type[np.floating]
) -> None:
    layer = activation()
    x = np.array([[-size, 0.0, size], [size, size, -size]], dtype)
    with np.errstate(all="warn", under="ignore"):
        results = [layer.forward(x)]
        results.append(layer.input_gradient(np.ones_like(x)))
        results.append(second_derivative(layer, x))
    for result in results:
        assert np.isfinite(result).all()
        assert result.dtype == dtype


@pytest.mark.parametrize("activation", BOUNDED)
def test_values_and_gradients_are_finite_at_1e300(activation: type[ml.Activation]) -> None:
    layer = activation()
    x = np.array([[-1e300, 0.0, 1e300]])
    assert np.isfinite(layer.forward(x)).all()
    assert np.isfinite(layer.input_gradient(np.ones_like(x))).all()


@pytest.mark.parametrize(("dtype", "limit"), [(np.float64, 709.0), (np.float32, 88.0)])
def test_exp_is_finite_where_its_value_can_be_represented(
    dtype: type[np.floating], limit: float
) -> None:
    layer = ml.Exp()
    x = np.array([[-1e4, -limit, 0.0, limit]], dtype)
    with np.errstate(all="warn", under="ignore"):
        y = np.array(layer.forward(x))
        assert np.isfinite(y).all()
        np.testing.assert_array_equal(layer.input_gradient(np.ones_like(x)), y)
        np.testing.assert_array_equal(second_derivative(layer, x), y)
        assert layer.forward(x + dtype(1e4))[0, -1] == np.inf


def test_values_are_those_of_the_formulas() -> None:
    x = np.array([[-2.0, 0.0, 0.5]])
    np.testing.assert_allclose(ml.Sigmoid().forward(x), 1 / (1 + np.exp(-x)), rtol=1e-15)
    np.testing.assert_allclose(ml.Tanh().forward(x), np.tanh(x), rtol=1e-15)
    np.testing.assert_allclose(ml.Softmax().forward(x), np.exp(x) / np.exp(x).sum(), rtol=1e-15)
    np.testing.assert_array_equal(ml.ReLU().forward(x), [[0, 0, 0.5]])
    np.testing.assert_array_equal(ml.Identity().forward(x), x)
    np.testing.assert_array_equal(ml.LeakyReLU(0.1).forward(x), [[-0.2, 0, 0.5]])


def gelu_factor(x: Array) -> Array:
    return np.asarray(expit(np.sqrt(8 / np.pi) * (x + 0.044715 * x**3)))


def gelu_slope(x: Array) -> Array:
    return np.asarray(np.sqrt(8 / np.pi) * (1 + 3 * 0.044715 * x**2))


def gelu_derivative(x: Array) -> Array:
    return np.asarray(gelu_factor(x) + x * gelu_factor(x) * gelu_factor(-x) * gelu_slope(x))


ORACLES: dict[str, tuple[ml.Activation, Callable[[Array], Array], Callable[[Array], Array]]] = {
    "sigmoid": (ml.Sigmoid(), expit, lambda x: expit(x) * expit(-x)),
    "tanh": (ml.Tanh(), np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "relu": (ml.ReLU(), lambda x: np.where(x > 0, x, 0), lambda x: np.where(x > 0, 1, 0)),
    "leaky relu": (
        ml.LeakyReLU(0.2),
        lambda x: np.where(x > 0, x, 0.2 * x),
        lambda x: np.where(x > 0, 1, 0.2),
    ),
    "elu": (
        ml.ELU(0.7),
        lambda x: np.where(x > 0, x, 0.7 * np.expm1(np.minimum(x, 0))),
        lambda x: np.where(x > 0, 1, 0.7 * np.exp(np.minimum(x, 0))),
    ),
    "softplus": (ml.Softplus(), lambda x: -log_expit(-x), expit),
    "silu": (
        ml.SiLU(),
        lambda x: x * expit(x),
        lambda x: expit(x) + x * expit(x) * expit(-x),
    ),
    "gelu": (ml.GELU(), lambda x: x * gelu_factor(x), gelu_derivative),
    "sin": (ml.Sin(), np.sin, np.cos),
    "exp": (ml.Exp(), np.exp, np.exp),
}
"""Each elementwise function with its value and derivative by SciPy or NumPy."""


@pytest.mark.parametrize("name", ORACLES)
@given(x=st.lists(st.floats(-100, 100), min_size=1, max_size=9))
def test_values_and_derivatives_agree_with_scipy(name: str, x: list[float]) -> None:
    layer, value, derivative = ORACLES[name]
    row = np.array([x])
    with np.errstate(all="ignore"):
        values, derivatives = value(row), derivative(row)
    np.testing.assert_allclose(layer.forward(row), values, rtol=1e-12, atol=1e-15)
    found = layer.input_gradient(np.ones_like(row))
    np.testing.assert_allclose(found, derivatives, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ORACLES)
@given(x=st.lists(st.floats(-50, 50), min_size=1, max_size=9))
def test_single_precision_agrees_with_double(name: str, x: list[float]) -> None:
    layer, _, _ = ORACLES[name]
    single = np.array([x], np.float32)
    double = single.astype(np.float64)
    found, expected = (
        [np.array(layer.forward(row)), np.array(layer.input_gradient(np.ones_like(row)))]
        for row in (single, double)
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=3e-6)


@pytest.mark.parametrize("activation", ELEMENTWISE)
@given(x=st.lists(st.floats(-30, 30), min_size=1, max_size=9))
def test_second_derivatives_are_differences_of_the_derivative(
    activation: type[ml.Activation], x: list[float]
) -> None:
    layer = activation()
    row = np.array([x])
    row = np.where(np.abs(row) < 1e-2, 0.1, row)  # away from the kinks

    def derivative(x: Array) -> Array:
        layer.forward(x)
        return np.array(layer.input_gradient(np.ones_like(x)))

    h = 1e-3
    near = derivative(row + h) - derivative(row - h)
    far = derivative(row + 2 * h) - derivative(row - 2 * h)
    expected = (8 * near - far) / (12 * h)
    found = second_derivative(layer, row)
    size = np.maximum(1, np.abs(derivative(row)))
    assert (np.abs(found - expected) <= 1e-8 * size).all()


def test_the_tails_keep_their_digits() -> None:
    x = np.array([[-40.0, -30.0, -20.0]])
    for layer in (ml.Softplus(), ml.SiLU()):
        factor = 1 if isinstance(layer, ml.Softplus) else x
        np.testing.assert_allclose(layer.forward(x), factor * np.exp(x), rtol=1e-8)
    np.testing.assert_allclose(ml.Softplus().forward(x), np.log1p(np.exp(x)), rtol=1e-14)


def test_gelu_is_close_to_the_normal_distribution_function() -> None:
    x = np.linspace(-6, 6, 1001)[None]
    exact = x * (1 + erf(x / np.sqrt(2))) / 2
    assert 1e-4 < np.abs(ml.GELU().forward(x) - exact).max() < 5e-4


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        ("ELU", "elu"),
        ("GELU", "gelu"),
        ("LeakyReLU", "leaky_relu"),
        ("SiLU", "silu"),
        ("Softplus", "softplus"),
    ],
)
def test_values_are_those_of_torch(activation: str, name: str) -> None:
    torch = pytest.importorskip("torch")
    x = np.linspace(-15, 15, 301)[None]
    options = {"approximate": "tanh"} if name == "gelu" else {}
    expected = getattr(torch.nn.functional, name)(torch.tensor(x), **options).numpy()
    np.testing.assert_allclose(getattr(ml, activation)().forward(x), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ml.ELU(0), "alpha of ELU: expected a finite number > 0, found 0"),
        (
            lambda: ml.LeakyReLU(-0.1),
            "slope of LeakyReLU: expected a finite number >= 0, found -0.1",
        ),
    ],
)
def test_arguments_out_of_range_are_refused(
    make: Callable[[], ml.Activation], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("hidden", BOUNDED)
def test_a_network_of_each_learns(hidden: type[ml.Activation]) -> None:
    X = np.linspace(-1, 1, 60)[:, None]
    model = ml.mlp(1, 8, 1, hidden=hidden, seed=0)
    result = ml.fit(model, X, X**2, l2=1e-5, max_evaluations=300)
    assert result.fun < (0.05 if hidden is ml.Identity else 0.003)

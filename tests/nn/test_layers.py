"""One battery for all layers: every row of the table goes through every test."""

from collections.abc import Callable

import numpy as np
import pytest

import minilayer as ml
from minilayer.testing import check_layer
from minilayer.utils.types import Array

LAYERS: dict[str, Callable[[], ml.Layer]] = {
    "dense": lambda: ml.Dense(4, 3),
    "dense one by one": lambda: ml.Dense(1, 1),
    "dense wide": lambda: ml.Dense(2, 70),
    "identity": ml.Identity,
    "sigmoid": ml.Sigmoid,
    "tanh": ml.Tanh,
    "relu": ml.ReLU,
    "softmax": ml.Softmax,
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_the_battery(make: Callable[[], ml.Layer]) -> None:
    report = check_layer(make(), tolerance=1e-8)
    checked = {what.split("), ")[1] for what in report.errors}
    assert checked >= {
        "gradient by the input",
        "jvp",
        "second_order_term, change of the gradient by the input",
    }


@pytest.fixture(params=LAYERS)
def layer(request: pytest.FixtureRequest) -> ml.Layer:
    """The layer, bound by a model that it is the first layer of."""
    made = LAYERS[request.param]()
    ml.Sequential([made] if made.units else [made, ml.Dense(4, 1)], seed=3)
    return made


def rows(layer: ml.Layer, count: int = 6) -> Array:
    return np.random.default_rng(1).standard_normal((count, layer.inputs or 4))


def test_work_space_is_used_again(layer: ml.Layer) -> None:
    first = layer.forward(rows(layer, 9))
    assert np.shares_memory(first, layer.forward(rows(layer, 5)))


def test_an_unbound_copy_forgets_what_it_was_bound_to(layer: ml.Layer) -> None:
    layer.forward(rows(layer))
    twin = layer.unbound_copy()
    assert not twin.is_bound
    assert repr(twin) == repr(layer)
    with pytest.raises(RuntimeError, match="has no parameters before a Sequential is made of it"):
        _ = twin.parameters


@pytest.mark.parametrize("activation", [ml.Sigmoid, ml.Tanh, ml.ReLU, ml.Softmax, ml.Identity])
@pytest.mark.parametrize("size", [0.0, 1.0, 40.0, 800.0, 1e4, 1e300])
def test_activations_are_finite_at_any_size(activation: type[ml.Activation], size: float) -> None:
    layer = activation()
    x = np.array([[-size, 0.0, size], [size, size, -size]])
    assert np.isfinite(layer.forward(x)).all()
    assert np.isfinite(layer.input_gradient(np.ones_like(x))).all()


def test_activation_values() -> None:
    x = np.array([[-2.0, 0.0, 0.5]])
    np.testing.assert_allclose(ml.Sigmoid().forward(x), 1 / (1 + np.exp(-x)), rtol=1e-15)
    np.testing.assert_allclose(ml.Tanh().forward(x), np.tanh(x), rtol=1e-15)
    np.testing.assert_allclose(ml.Softmax().forward(x), np.exp(x) / np.exp(x).sum(), rtol=1e-15)
    np.testing.assert_array_equal(ml.ReLU().forward(x), [[0, 0, 0.5]])
    np.testing.assert_array_equal(ml.Identity().forward(x), x)


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
def test_dense_refuses(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.Dense(*arguments)  # type: ignore[arg-type]


def test_numpy_integers_are_sizes() -> None:
    assert repr(ml.Dense(np.int64(3), np.uint8(2))) == "Dense(3, 2)"  # type: ignore[arg-type]


def test_register_refuses_other_things_and_taken_names() -> None:
    with pytest.raises(
        TypeError, match="register: expected a subclass of Layer or Initializer, found"
    ):
        ml.register(int)  # type: ignore[type-var]

    class Dense(ml.Activation):
        """Another Dense."""

        def function(self, x: Array, out: Array) -> None:
            raise NotImplementedError

        def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
            raise NotImplementedError

    with pytest.raises(
        ValueError, match=r"register: the name Dense is taken by minilayer\.nn\.dense\.Dense"
    ):
        ml.register(Dense)


@pytest.mark.parametrize("epsilon", [0, -1, float("nan"), float("inf"), "a"])
def test_uniform_epsilon_refuses(epsilon: float) -> None:
    with pytest.raises((ValueError, TypeError), match="epsilon: expected a"):
        ml.UniformEpsilon(epsilon)


def test_initializers() -> None:
    limit = np.sqrt(6) / np.sqrt(300)

    def start(initializer: ml.Initializer) -> Array:
        model = ml.Sequential([ml.Dense(100, 200, initializer)], seed=0)
        theta = model.layers[0].parameters["theta"]
        drawn = theta if initializer.draws_biases else theta[:, 1:]
        expected = initializer.sample(drawn.shape, 100, 200, np.random.default_rng(0))
        np.testing.assert_array_equal(drawn, expected)
        return theta

    theta = start(ml.UniformEpsilon())
    assert 0.99 * limit < np.abs(theta).max() <= limit
    assert np.abs(theta[:, 0]).max() > 0
    assert theta.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    theta = start(ml.Glorot())
    assert (theta[:, 0] == 0).all()
    assert 0.99 * limit < np.abs(theta).max() <= limit
    theta = start(ml.Zeros())
    assert (theta == 0).all()

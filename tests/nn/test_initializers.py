"""Initializers: their distributions, and their use in Dense and in a custom layer."""

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array


def theta_of(initializer: ml.Initializer) -> Array:
    """Return theta of a Dense layer, after a check that it is what ``sample`` gives."""
    model = ml.Sequential([ml.Dense(100, 200, initializer)], seed=0)
    theta = model.layers[0].parameters["theta"]
    drawn = theta if initializer.draws_biases else theta[:, 1:]
    expected = initializer.sample(drawn.shape, 100, 200, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, expected)
    return theta


LIMIT = np.sqrt(6) / np.sqrt(300)
"""Glorot's limit for 100 inputs and 200 units."""


def test_uniform_epsilon_draws_weights_and_biases() -> None:
    theta = theta_of(ml.UniformEpsilon())
    assert 0.99 * LIMIT < np.abs(theta).max() <= LIMIT
    assert np.abs(theta[:, 0]).max() > 0
    assert theta.std() == pytest.approx(LIMIT / np.sqrt(3), rel=0.02)


def test_glorot_draws_weights_and_leaves_biases_at_zero() -> None:
    theta = theta_of(ml.Glorot())
    assert (theta[:, 0] == 0).all()
    assert 0.99 * LIMIT < np.abs(theta).max() <= LIMIT


def test_zeros_are_zeros() -> None:
    assert (theta_of(ml.Zeros()) == 0).all()


@pytest.mark.parametrize("epsilon", [0, -1, float("nan"), float("inf"), "a"])
def test_a_wrong_epsilon_is_refused(epsilon: float) -> None:
    with pytest.raises((ValueError, TypeError), match="epsilon: expected a"):
        ml.UniformEpsilon(epsilon)


class Bilinear(ml.Layer):
    """y_k = x' W_k x: a custom layer that takes an initializer."""

    def __init__(self, inputs: int, units: int, initializer: ml.Initializer) -> None:
        self.inputs = inputs
        self.units = units
        self.initializer = initializer

    def config(self) -> dict[str, int | ml.Initializer | None]:
        return {"inputs": self.inputs, "units": self.units, "initializer": self.initializer}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        assert self.inputs is not None
        assert self.units is not None
        return {"W": (self.units, self.inputs, self.inputs)}

    def initialize(self, rng: np.random.Generator) -> None:
        W = self.parameters["W"]
        assert self.units is not None
        fan_in = W.shape[1] * W.shape[2]
        W[:] = self.initializer.sample(W.shape, fan_in, self.units, rng)

    def forward(self, x: Array) -> Array:
        self._x = x
        return np.asarray(np.einsum("mi,kij,mj->mk", x, self.parameters["W"], x))

    def input_gradient(self, dy: Array) -> Array:
        W = self.parameters["W"]
        symmetric = W + W.transpose(0, 2, 1)
        return np.asarray(np.einsum("mk,kij,mj->mi", dy, symmetric, self._x))

    def parameter_gradient(self, dy: Array) -> None:
        np.einsum("mk,mi,mj->kij", dy, self._x, self._x, out=self.gradients["W"])


@pytest.mark.parametrize("initializer", [ml.Glorot(), ml.UniformEpsilon(), ml.UniformEpsilon(0.1)])
def test_a_custom_layer_draws_from_an_initializer(initializer: ml.Initializer) -> None:
    layer = Bilinear(4, 3, initializer)
    model = ml.Sequential([layer, ml.Dense(3, 1, ml.Glorot())], seed=7)
    rng = np.random.default_rng(7)
    W = initializer.sample((3, 4, 4), 16, 3, rng)
    assert W.shape == (3, 4, 4)
    assert W.dtype == np.float64
    np.testing.assert_array_equal(layer.parameters["W"], W)
    limit = 0.1 if initializer.config().get("epsilon") else np.sqrt(6 / 19)
    assert 0.8 * limit < np.abs(W).max() <= limit
    following = ml.Glorot().sample((1, 3), 3, 1, rng)  # one generator for all layers
    np.testing.assert_array_equal(model.layers[1].parameters["theta"][:, 1:], following)
    twin = layer.unbound_copy()
    assert twin.initializer is initializer


def test_a_sample_of_the_wrong_shape_is_an_error() -> None:
    class Wrong(ml.Initializer):
        def sample(
            self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
        ) -> Array:
            return np.zeros((2, 7))

    with pytest.raises(
        ValueError, match=r"expected Wrong\(\).sample to return an array of shape \(2, 3\)"
    ):
        ml.Sequential([ml.Dense(3, 2, Wrong())])


def test_an_initializer_that_hides_an_argument_is_refused() -> None:
    class Scaled(ml.Initializer):
        """Keeps its argument under another name."""

        def __init__(self, size: float) -> None:
            self._size = size

        def sample(
            self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
        ) -> Array:
            return self._size * rng.standard_normal(shape)

    message = (
        r"^initializer of Dense: expected Scaled.config\(\) to give every argument of "
        r"Scaled\(...\), found none for 'size': a checkpoint would lose it$"
    )
    with pytest.raises(TypeError, match=message):
        ml.Dense(2, 1, Scaled(0.5))

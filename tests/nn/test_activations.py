"""Activations: their values, also for inputs of any size."""

import numpy as np
import pytest

import minilayer as ml


@pytest.mark.parametrize("activation", [ml.Sigmoid, ml.Tanh, ml.ReLU, ml.Softmax, ml.Identity])
@pytest.mark.parametrize("size", [0.0, 1.0, 40.0, 800.0, 1e4, 1e300])
def test_values_and_gradients_are_finite_at_any_size(
    activation: type[ml.Activation], size: float
) -> None:
    layer = activation()
    x = np.array([[-size, 0.0, size], [size, size, -size]])
    assert np.isfinite(layer.forward(x)).all()
    assert np.isfinite(layer.input_gradient(np.ones_like(x))).all()


def test_values_are_those_of_the_formulas() -> None:
    x = np.array([[-2.0, 0.0, 0.5]])
    np.testing.assert_allclose(ml.Sigmoid().forward(x), 1 / (1 + np.exp(-x)), rtol=1e-15)
    np.testing.assert_allclose(ml.Tanh().forward(x), np.tanh(x), rtol=1e-15)
    np.testing.assert_allclose(ml.Softmax().forward(x), np.exp(x) / np.exp(x).sum(), rtol=1e-15)
    np.testing.assert_array_equal(ml.ReLU().forward(x), [[0, 0, 0.5]])
    np.testing.assert_array_equal(ml.Identity().forward(x), x)

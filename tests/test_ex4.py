"""The exercise's and the article's published figures."""

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.problems import ex4_model

SIN = np.sin(np.arange(1, 10286)) / 10
"""Parameters with a formula. The article's own code gave the figures at them, once."""


def exercise_targets(labels: Array) -> Array:
    """Return the exercise's columns: output k, from 1, is label k; digit 0 has label 10."""
    return np.roll(ml.one_hot(labels, 10), -1, axis=1)


def objective_of(digits: tuple[Array, Array], l2: float) -> ml.Objective:
    X, labels = digits
    return ml.Objective(ex4_model(), X, exercise_targets(labels), ml.BinaryCrossEntropy(), l2=l2)


@pytest.mark.parametrize(
    ("l2", "cost", "gradient_sum", "norm", "last"),
    [
        (0, 6.871914018731945, 53.316777968859746, 3.373879997575055, 0.18721218757009347),
        (1, 6.877039077617422, 53.31681379031764, 3.373884109960392, 0.18720132182212706),
        (3, 6.887289195388375, 53.31688543323343, 3.373894157556948, 0.18717959032619425),
    ],
)
def test_figures_at_sine_parameters(
    digits: tuple[Array, Array],
    l2: float,
    cost: float,
    gradient_sum: float,
    norm: float,
    last: float,
) -> None:
    found, gradient = objective_of(digits, l2)(SIN)
    assert found == pytest.approx(cost, rel=1e-12)
    assert gradient.sum() == pytest.approx(gradient_sum, rel=1e-12)
    assert np.linalg.norm(gradient) == pytest.approx(norm, rel=1e-12)
    assert gradient[0] == pytest.approx(-0.0034137978637229054, rel=1e-11)
    assert gradient[-1] == pytest.approx(last, rel=1e-12)


@pytest.mark.parametrize(
    ("l2", "cost", "tolerance"),
    [(0, 0.2876291651613189, 1e-13), (1, 0.38376985909092365, 1e-13), (3, 0.576051, 1e-6)],
)
def test_cost_at_the_exercise_weights(
    digits: tuple[Array, Array],
    ex4_weights: tuple[Array, Array],
    l2: float,
    cost: float,
    tolerance: float,
) -> None:
    x = np.concatenate([theta.ravel() for theta in ex4_weights])
    assert objective_of(digits, l2)(x)[0] == pytest.approx(cost, rel=tolerance)


@pytest.mark.parametrize(
    ("l2", "gradient_sum"), [(0, 0.026047433852894011), (1, 0.0099559365856808548)]
)
def test_gradient_at_the_exercise_weights(
    digits: tuple[Array, Array], ex4_weights: tuple[Array, Array], l2: float, gradient_sum: float
) -> None:
    x = np.concatenate([theta.ravel() for theta in ex4_weights])
    assert objective_of(digits, l2)(x)[1].sum() == pytest.approx(gradient_sum, abs=1e-12)


def test_accuracy_at_the_exercise_weights(
    digits: tuple[Array, Array], ex4_weights: tuple[Array, Array]
) -> None:
    X, labels = digits
    model = ex4_model()
    layout_of_the_article = [theta.ravel() for theta in ex4_weights]
    model.parameters[:] = np.concatenate(layout_of_the_article)
    predicted = (model.predict(X).argmax(axis=1) + 1) % 10
    assert ml.accuracy(labels, predicted) == 0.9752


def test_digits_0_to_9_are_the_exercise_columns_rolled_by_one(
    digits: tuple[Array, Array], ex4_weights: tuple[Array, Array]
) -> None:
    X, labels = digits
    model = ex4_model()
    model.layers[0].parameters["theta"][:] = ex4_weights[0]
    model.layers[2].parameters["theta"][:] = np.roll(ex4_weights[1], 1, axis=0)
    objective = ml.Objective(model, X, ml.one_hot(labels, 10), ml.BinaryCrossEntropy(), l2=1)
    assert objective(model.parameters)[0] == pytest.approx(0.38376985909092365, rel=1e-13)
    assert ml.accuracy(labels, model.predict(X).argmax(axis=1)) == 0.9752


def test_the_article_layout_predicts_as_its_formula(digits: tuple[Array, Array]) -> None:
    X = digits[0][::500]
    theta1 = SIN[: 25 * 401].reshape(25, 401)
    theta2 = SIN[25 * 401 :].reshape(10, 26)
    hidden = 1 / (1 + np.exp(-np.c_[np.ones(len(X)), X] @ theta1.T))
    expected = 1 / (1 + np.exp(-np.c_[np.ones(len(X)), hidden] @ theta2.T))
    model = ex4_model()
    model.parameters[:] = SIN
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-13)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_start_is_that_of_the_article(seed: int) -> None:
    expected = (np.random.default_rng(seed).random(10285) - 0.5) * 0.25
    np.testing.assert_array_equal(ex4_model(seed).parameters, expected)


def test_tnc_trains_the_network(digits: tuple[Array, Array]) -> None:
    X, labels = digits
    model = ex4_model()
    objective = ml.Objective(model, X, ml.one_hot(labels, 10), ml.BinaryCrossEntropy(), l2=1.0)
    result = ml.ScipyTrainer("TNC", max_evaluations=120).minimize(objective)
    assert result.fun < 0.5
    assert result.nfev == 120
    np.testing.assert_array_equal(model.parameters, result.x)
    assert ml.accuracy(labels, model.predict(X).argmax(axis=1)) > 0.96

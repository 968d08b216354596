"""Losses against arithmetic of 60 digits, and their output activations."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.nn.workspace import Workspace
from tests.helpers.problems import PAIRS

pre_activations = st.floats(-1e4, 1e4)


def exact_sigmoid_loss(z: float, y: float) -> Decimal:
    """Return -y log p - (1 - y) log(1 - p) to 60 digits."""
    with localcontext() as context:
        context.prec = 60
        power = Decimal(z).exp()
        return (1 + power).ln() - Decimal(y) * Decimal(z)


@given(z=st.lists(pre_activations, min_size=1, max_size=7), y=st.sampled_from([0.0, 1.0, 0.25]))
def test_binary_cross_entropy_is_exact_and_finite(z: list[float], y: float) -> None:
    pre = np.array([z])
    cost = ml.BinaryCrossEntropy().value_and_error_(pre, np.full_like(pre, y), Workspace())
    with localcontext() as context:
        context.prec = 60
        expected = sum((exact_sigmoid_loss(one, y) for one in z), Decimal(0))
    assert cost == pytest.approx(float(expected), rel=1e-13)
    np.testing.assert_allclose(
        pre[0] + y, [float(1 / (1 + (-Decimal(one)).exp())) for one in z], atol=2e-16
    )


@pytest.mark.parametrize("z", [-700.0, -40.0, -20.0])
def test_binary_cross_entropy_keeps_tiny_losses(z: float) -> None:
    """For y = 0 loss and error are nearly exp(z), far below the rounding of 1."""
    pre = np.full((1, 4), z)
    cost = ml.BinaryCrossEntropy().value_and_error_(pre, np.zeros((1, 4)), Workspace())
    assert cost == pytest.approx(4 * np.exp(z), rel=1e-8)
    np.testing.assert_allclose(pre, np.exp(z), rtol=1e-8)


@pytest.mark.parametrize("columns", [1, 2, 3, 10, 63, 64, 65, 2000])
def test_binary_cross_entropy_of_many_columns(columns: int) -> None:
    rng = np.random.default_rng(columns)
    z = rng.standard_normal((4, columns)) * 3
    y = rng.random((4, columns))
    expected = float(np.sum(np.logaddexp(0, z) - y * z))
    assert ml.BinaryCrossEntropy().value_and_error_(z.copy(), y, Workspace()) == pytest.approx(
        expected, rel=1e-13
    )


@given(z=st.lists(pre_activations, min_size=2, max_size=6))
def test_categorical_cross_entropy_is_exact_and_finite(z: list[float]) -> None:
    pre = np.array([z])
    target = np.zeros((1, len(z)))
    target[0, 0] = 1
    cost = ml.CategoricalCrossEntropy().value_and_error_(pre, target, Workspace())
    with localcontext() as context:
        context.prec = 60
        powers = [(Decimal(one) - Decimal(max(z))).exp() for one in z]
        expected = sum(powers, Decimal(0)).ln() - (Decimal(z[0]) - Decimal(max(z)))
        probabilities = [float(power / sum(powers)) for power in powers]
    assert cost == pytest.approx(float(expected), rel=1e-13, abs=1e-15)
    np.testing.assert_allclose(pre + target, [probabilities], atol=1e-15)


def test_squared_error_is_half_the_sum_of_squares() -> None:
    z = np.array([[1.0, 2.0], [3.0, 5.0]])
    y = np.array([[0.0, 2.0], [1.0, 1.0]])
    pre = z.copy()
    assert ml.SquaredError().value_and_error_(pre, y, Workspace()) == (1 + 0 + 4 + 16) / 2
    np.testing.assert_array_equal(pre, z - y)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("size", [0.0, 1e4, -1e4])
def test_cost_and_gradient_are_finite_for_any_pre_activation(pair: str, size: float) -> None:
    last, loss = PAIRS[pair]
    model = ml.Sequential([ml.Dense(1, 2), last()], seed=0)
    model.parameters[:] = [size, 0, -size, 0]
    for Y in ([[1.0, 0.0]], [[0.0, 1.0]]):
        cost, gradient = ml.Objective(model, [[1.0]], Y, loss())(model.parameters)
        assert np.isfinite(cost)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("pair", PAIRS)
def test_the_output_error_is_prediction_minus_target(pair: str) -> None:
    last, loss = PAIRS[pair]
    z, y = np.random.default_rng(0).standard_normal((3, 4)), np.eye(4)[:3]
    prediction = last().forward(z).copy()
    pre = z.copy()
    loss().value_and_error_(pre, y, Workspace())
    np.testing.assert_allclose(pre, prediction - y, atol=1e-15)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("last", [ml.Sigmoid, ml.Softmax, ml.Identity, ml.Tanh, ml.ReLU, None])
def test_a_loss_on_the_wrong_last_layer_is_refused(
    pair: str, last: type[ml.Activation] | None
) -> None:
    needed, loss = PAIRS[pair]
    model = ml.Sequential([ml.Dense(2, 2), *([last()] if last else [])])
    ends_in_dense = last is None and needed is ml.Identity  # a regression
    if last is needed or ends_in_dense:
        ml.Objective(model, [[1, 2]], [[0, 1]], loss())
        return
    found = repr(last()) if last else "Dense(2, 2)"
    with pytest.raises(
        ValueError, match=rf"loss: {loss.__name__}\(\) needs {needed.__name__} as the last layer"
    ) as caught:
        ml.Objective(model, [[1, 2]], [[0, 1]], loss())
    assert str(caught.value).endswith(f"found {found}")


@pytest.mark.parametrize(
    ("pair", "Y", "message"),
    [
        (
            "sigmoid",
            [[0.0, 1.5]],
            r"Y: BinaryCrossEntropy expects targets in \[0, 1\], found 1.5 in row 0, column 1",
        ),
        (
            "sigmoid",
            [[-1, 1]],
            r"Y: BinaryCrossEntropy expects targets in \[0, 1\], found -1 in row 0, column 0",
        ),
        (
            "sigmoid",
            [[2.5, 1.5]],
            r"Y: BinaryCrossEntropy expects targets in \[0, 1\], found 2.5 in row 0, column 0",
        ),
        (
            "softmax",
            [[0.0, 2.0]],
            r"Y: CategoricalCrossEntropy expects targets in \[0, 1\], found 2.0",
        ),
        (
            "softmax",
            [[0.5, 0.6]],
            "Y: CategoricalCrossEntropy expects rows that sum to 1, found 1.1 in row 0",
        ),
    ],
)
def test_targets_out_of_range_are_refused(pair: str, Y: list[list[float]], message: str) -> None:
    last, loss = PAIRS[pair]
    with pytest.raises(ValueError, match=message):
        ml.Objective(ml.Sequential([ml.Dense(1, 2), last()]), [[1.0]], Y, loss())


def test_softmax_of_one_output_is_refused_with_a_hint() -> None:
    model = ml.Sequential([ml.Dense(1, 1), ml.Softmax()])
    with pytest.raises(
        ValueError, match="found 0 in row 1: with one output, use Sigmoid and BinaryCrossEntropy"
    ):
        ml.Objective(model, [[1.0], [2.0]], [1, 0], ml.CategoricalCrossEntropy())


def test_labels_of_more_classes_than_outputs_are_refused_with_a_hint() -> None:
    model = ml.Sequential([ml.Dense(1, 1), ml.Sigmoid()])
    with pytest.raises(
        ValueError,
        match="found 7 in row 1, column 0: one output separates classes 0 and 1, more classes",
    ):
        ml.Objective(model, [[1.0], [2.0]], [[1], [7]], ml.BinaryCrossEntropy())

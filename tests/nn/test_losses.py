"""Losses against arithmetic of 60 digits, and their output activations."""

from collections.abc import Callable
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import huber
from scipy.stats import poisson

import minilayer as ml
from minilayer.nn.workspace import Workspace
from minilayer.utils.types import Array
from tests.helpers.problems import ACTIVATIONS, PAIRS

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


@given(z=st.lists(st.floats(-700, 700), min_size=1, max_size=7), y=st.sampled_from([0.0, 1.0, 9.0]))
def test_poisson_is_exact(z: list[float], y: float) -> None:
    pre = np.array([z])
    cost = ml.Poisson().value_and_error_(pre, np.full_like(pre, y), Workspace())
    with localcontext() as context:
        context.prec = 60
        expected = sum((Decimal(one).exp() - Decimal(y) * Decimal(one) for one in z), Decimal(0))
        size = sum((Decimal(one).exp() + abs(Decimal(y) * Decimal(one)) for one in z), Decimal(0))
    assert cost == pytest.approx(float(expected), rel=1e-13, abs=1e-14 * float(size))
    np.testing.assert_allclose(pre[0], np.exp(z) - y, rtol=1e-14)


def test_poisson_beyond_the_largest_number_is_infinite_and_rows_of_weight_0_do_not_count() -> None:
    z = np.array([[1e4], [-1e4], [2.0]])
    y = np.full((3, 1), 2.0)
    loss = ml.Poisson()
    with np.errstate(all="ignore"):  # as an Objective does
        assert loss.value_and_error_(z.copy(), y, Workspace()) == np.inf
        weight = np.array([[0.0], [1.0], [1.0]])
        error = z.copy()
        value = loss.value_and_error_(error, y, Workspace(), weight)
    assert value == pytest.approx(2e4 + np.exp(2) - 4)
    np.testing.assert_allclose(error[:, 0], [0, -2, np.exp(2) - 2])


def test_poisson_is_the_log_likelihood_up_to_a_constant() -> None:
    rng = np.random.default_rng(0)
    y = rng.poisson(3.0, (40, 2))
    first, second = rng.standard_normal((2, 40, 2))

    def likelihood(z: Array) -> float:
        return float(poisson.logpmf(y, np.exp(z)).sum())

    loss = ml.Poisson()
    difference = loss.value_and_error_(first.copy(), y, Workspace())
    difference -= loss.value_and_error_(second.copy(), y, Workspace())
    assert difference == pytest.approx(likelihood(second) - likelihood(first))


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e3))
def test_huber_is_that_of_scipy(r: float, delta: float) -> None:
    loss = ml.Huber(delta)
    p = np.array([[r]])
    np.testing.assert_allclose(loss.value(p, np.zeros((1, 1))), huber(delta, p), rtol=1e-12)


@given(
    st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=5),
    st.floats(0.01, 0.99),
    st.floats(1e-3, 10.0),
)
def test_the_pinball_loss_is_smoothed_by_at_most_what_it_says(
    r: list[float], quantile: float, smoothing: float
) -> None:
    p = np.array([r])
    found = ml.PinballLoss(quantile, smoothing).value(p, np.zeros_like(p))
    pinball = np.maximum(p, 0) - quantile * p
    assert (found - pinball >= -1e-12 * np.abs(p)).all()
    assert (found - pinball <= 0.6932 * smoothing + 1e-12 * np.abs(p)).all()
    exact = smoothing * np.logaddexp(0, p / smoothing) - quantile * p
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_the_pinball_loss_finds_the_quantile(quantile: float) -> None:
    y = np.random.default_rng(0).exponential(size=2000)
    model = ml.mlp(1, 1, seed=0)
    loss = ml.PinballLoss(quantile, smoothing=0.01)
    ml.fit(model, np.zeros((2000, 1)), y, loss=loss)
    found = model.predict([[0.0]])[0, 0]
    assert found == pytest.approx(float(np.quantile(y, quantile)), abs=0.03)


def test_huber_resists_outliers() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (100, 1))
    Y = 2 * X + 0.1 * rng.standard_normal((100, 1))
    Y[:10] += 50
    slopes = []
    for loss in (ml.SquaredError(), ml.Huber(0.2)):
        model = ml.mlp(1, 1, seed=0)
        ml.fit(model, X, Y, loss=loss)
        slopes.append(abs(model.parameters[1] - 2) + abs(model.parameters[0]))
    assert slopes[1] < 0.1 < 1 < slopes[0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ml.Huber(0), "delta of Huber: expected a finite number > 0, found 0"),
        (lambda: ml.Huber(-1.0), "delta of Huber: expected a finite number > 0, found -1"),
        (lambda: ml.PinballLoss(1.0, 0.1), "quantile of PinballLoss: expected a number < 1"),
        (lambda: ml.PinballLoss(0.0, 0.1), "quantile of PinballLoss: expected a finite number > 0"),
        (lambda: ml.PinballLoss(0.5, 0), "smoothing of PinballLoss: expected a finite number > 0"),
    ],
)
def test_arguments_out_of_range_are_refused(make: Callable[[], ml.Loss], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_squared_error_is_half_the_sum_of_squares() -> None:
    z = np.array([[1.0, 2.0], [3.0, 5.0]])
    y = np.array([[0.0, 2.0], [1.0, 1.0]])
    pre = z.copy()
    assert ml.SquaredError().value_and_error_(pre, y, Workspace()) == (1 + 0 + 4 + 16) / 2
    np.testing.assert_array_equal(pre, z - y)


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair != "exp"])
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
@pytest.mark.parametrize("last", [*ACTIVATIONS, None])
def test_a_loss_on_the_wrong_last_layer_is_refused(
    pair: str, last: type[ml.Activation] | None
) -> None:
    needed, loss = PAIRS[pair]
    model = ml.Sequential([ml.Dense(2, 2), *([last()] if last else [])])
    if last is needed or loss is ml.SquaredError:
        ml.Objective(model, [[1, 2]], [[0, 1]], loss())
        return
    found = repr(last()) if last else "Dense(2, 2)"
    with pytest.raises(
        ValueError, match=rf"loss: {loss.__name__}\(\) needs {needed.__name__} as the last layer"
    ) as caught:
        ml.Objective(model, [[1, 2]], [[0, 1]], loss())
    assert str(caught.value).endswith(f"found {found}")


def test_a_subclass_of_the_output_activation_is_refused() -> None:
    steep = type("Steep", (ml.Sigmoid,), {})
    model = ml.Sequential([ml.Dense(2, 1), steep()])
    message = (
        r"^loss: BinaryCrossEntropy\(\) needs Sigmoid as the last layer, "
        r"found Steep\(\), a subclass of Sigmoid, which may"
    )
    with pytest.raises(ValueError, match=message):
        ml.Objective(model, [[1, 2]], [[1]], ml.BinaryCrossEntropy())
    ml.Objective(model, [[1, 2]], [[1]], ml.SquaredError())  # which takes what Steep gives


@pytest.mark.parametrize("loss", [ml.SquaredError(), ml.Huber(0.5), ml.PinballLoss(0.3, 0.2)])
@pytest.mark.parametrize("last", [ml.Sigmoid, ml.Softmax, ml.ReLU])
def test_a_loss_of_the_prediction_sees_what_the_model_predicts(
    loss: ml.Loss, last: type[ml.Activation]
) -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((7, 3)), rng.random((7, 2))
    model = ml.mlp(3, 4, 2, output=last, seed=0)
    cost, _ = ml.Objective(model, X, Y, loss, shards=2)(model.parameters)
    assert cost == pytest.approx(loss.value_and_error_(model.predict(X), Y, Workspace()) / 7)


@pytest.mark.parametrize("middle", [ml.Tanh, ml.Sigmoid, ml.SiLU])
@pytest.mark.parametrize("pair", PAIRS)
def test_the_error_does_not_overwrite_what_an_activation_before_the_last_needs(
    pair: str, middle: type[ml.Activation]
) -> None:
    last, loss = PAIRS[pair]
    model = ml.Sequential([ml.Dense(2, 2), middle(), last()], seed=0)
    objective = ml.Objective(model, [[1.0, 2.0], [3.0, -1.0]], [[0, 1], [1, 0]], loss())
    assert ml.check_gradient(objective).worst < 1e-7


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
            "softmax",
            [[0.0, 2.0]],
            r"Y: CategoricalCrossEntropy expects targets in \[0, 1\], found 2.0",
        ),
        (
            "exp",
            [[0.0, -2.0]],
            "Y: Poisson expects targets >= 0, found -2.0 in row 0, column 1",
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

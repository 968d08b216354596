"""NumPy neither warns nor raises, whatever the user has set, and that setting stays."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.floating_point import ignores_floating_point_errors
from minilayer.utils.types import Array

STATES: dict[str, dict[str, Any]] = {
    "default": {},
    "underflows raise": {"under": "raise"},
    "all raise": {"all": "raise"},
    "all call": {"all": "call"},
}
HUGE = 1e300
TINY = 1e-200


@pytest.fixture(params=STATES, autouse=True)
def state(request: pytest.FixtureRequest) -> Iterator[object]:
    """A setting of the user's, which nothing may change."""

    def refuse(kind: str, flag: int) -> None:
        raise AssertionError(f"the user's function was called for {kind}")

    with np.errstate(call=refuse, **STATES[request.param]):
        before = np.geterr()
        yield before
        assert np.geterr() == before


def network(hidden: ml.Activation, last: ml.Activation, scale: float) -> ml.Sequential:
    model = ml.Sequential([ml.Dense(2, 3), hidden, ml.Dense(3, 2), last], seed=0)
    model.parameters[:] = scale * np.array([(-1.0) ** k for k in range(model.parameters.size)])
    return model


PAIRS: dict[str, tuple[Callable[[], ml.Activation], ml.Loss]] = {
    "sigmoid": (ml.Sigmoid, ml.BinaryCrossEntropy()),
    "softmax": (ml.Softmax, ml.CategoricalCrossEntropy()),
    "identity": (ml.Identity, ml.SquaredError()),
}
X = np.array([[1.0, 2.0], [-3.0, 0.5], [TINY, -TINY], [40.0, 2e5]])
Y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])

pairs = pytest.mark.parametrize("pair", PAIRS)
hidden = pytest.mark.parametrize("hidden", [ml.Sigmoid, ml.Tanh, ml.ReLU, ml.Softmax])
scales = pytest.mark.parametrize("scale", [0.0, TINY, 1.0, 1e3, HUGE])


@pairs
@hidden
@scales
def test_passes(pair: str, hidden: Callable[[], ml.Activation], scale: float) -> None:
    """Saturated, tiny and huge: the output is what IEEE arithmetic gives."""
    model = network(hidden(), PAIRS[pair][0](), scale)
    output = model.forward(X)
    np.testing.assert_array_equal(model.predict(X), output)
    if scale <= 1e3 or (pair == "sigmoid" and hidden is not ml.ReLU):
        assert np.isfinite(output).all()
    model.backward(np.full(output.shape, TINY))
    z = model.forward_pre_activation(X)
    assert model.backward_pre_activation(z).shape == model.parameters.shape


@pytest.mark.parametrize("activation", [ml.Sigmoid(), ml.Softmax(), ml.Tanh()])
def test_activations_alone(activation: ml.Activation) -> None:
    saturated = activation.forward(np.array([[-1e4, 1e4], [1e4, -1e4]]))
    np.testing.assert_array_equal(np.abs(saturated - np.round(saturated)), 0)


@pairs
@scales
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_evaluations(pair: str, scale: float, workers: int, dtype: str) -> None:
    output, loss = PAIRS[pair]
    model = network(ml.Sigmoid(), output(), min(scale, 1e30) if dtype == "float32" else scale)
    objective = ml.Objective(
        model,
        X,
        Y,
        loss,
        l2=TINY,
        workers=workers,
        shards=3,
        dtype=dtype,
        sample_weight=[1, 2, 0, 3],
    )
    x = objective.x0
    cost, gradient = objective(x)
    if scale <= 1:
        assert np.isfinite(cost)
        assert np.isfinite(gradient).all()
    objective.minibatch(x, [0, 3])
    for gauss_newton in (False, True):
        objective.hessp(x, x, gauss_newton=gauss_newton)
    objective.validation_rows(X, Y)(x)
    preconditioner = objective.preconditioner()
    preconditioner.refresh(x)
    preconditioner(gradient)


def test_tiny_gradients_are_exact() -> None:
    """A saturated network: each part of the gradient is below what squares can hold."""
    model = ml.Sequential([ml.Dense(1, 1), ml.Sigmoid()])
    model.parameters[:] = -500.0, 0.0
    objective = ml.Objective(model, [[1.0]], [[0.0]], ml.BinaryCrossEntropy())
    cost, gradient = objective(objective.x0)
    np.testing.assert_allclose(gradient, np.exp(-500.0), rtol=1e-14)
    assert cost == pytest.approx(float(np.exp(-500.0)), rel=1e-14)


def test_metrics() -> None:
    scores = np.array([[TINY, HUGE, -HUGE], [0.0, TINY, TINY]])
    assert ml.top_k_accuracy([1, 0], scores) == 0.5
    assert ml.accuracy([1, 0], [1, 1]) == 0.5
    precision, recall = ml.precision_recall([1, 0], [1, 1], 3)
    np.testing.assert_array_equal(precision, [np.nan, 0.5, np.nan])
    np.testing.assert_array_equal(recall, [0, 1, np.nan])
    assert "50.0%" in ml.metrics.confusion_table(ml.confusion_matrix([0, 0], [0, 1], 2))


class Broken(ml.Activation):
    """Sets another state, and raises."""

    def function(self, x: Array, out: Array) -> None:
        np.seterr(all="print")
        raise ArithmeticError

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.copyto(out, dy)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_layer_that_raises_leaves_the_users_state(workers: int, state: object) -> None:
    model = ml.Sequential([ml.Dense(2, 2), Broken(), ml.Dense(2, 2), ml.Identity()])
    objective = ml.Objective(model, X, Y, ml.SquaredError(), workers=workers, shards=4)
    for call in (lambda: objective(objective.x0), lambda: model.predict(X)):
        with pytest.raises(ArithmeticError):
            call()
        assert np.geterr() == state


def test_threads_of_the_users_keep_their_states() -> None:
    model = network(ml.Sigmoid(), ml.Sigmoid(), HUGE)
    objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), workers=2, shards=4)

    def evaluate(setting: Literal["raise", "warn", "print"]) -> bool:
        np.seterr(all=setting)
        objective(objective.x0)
        model.predict(X)
        return set(np.geterr().values()) == {setting}

    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(evaluate, ("raise", "warn", "print")))


def test_the_decorator_keeps_name_result_and_exception() -> None:
    @ignores_floating_point_errors
    def reciprocal(x: float, *, times: float = 1.0) -> float:
        """Docstring."""
        if times == 0:
            raise ValueError("times")
        return float(times / np.float64(x))

    assert reciprocal(0.0, times=2.0) == np.inf
    assert reciprocal.__name__ == "reciprocal"
    assert reciprocal.__doc__ == "Docstring."
    with pytest.raises(ValueError, match="times"):
        reciprocal(1.0, times=0)

"""check_gradient where a model stands on a kink: no derivative there, and no mistake either."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

import minilayer as ml
from minilayer.utils.types import Array


def trained_into_kinks(seed: int) -> ml.Objective:
    """Return a network on raw columns, which ends where many rows of a ReLU are at its kink."""
    data = load_breast_cancer()
    model = ml.mlp(30, 8, 1, hidden=ml.ReLU, output=ml.Sigmoid, seed=seed)
    objective = ml.Objective(model, data.data, data.target, ml.BinaryCrossEntropy(), l2=1.0)
    ml.LBFGS(max_evaluations=1000).minimize(objective)
    return objective


def at_rest(hidden: ml.Activation | None = None) -> ml.Objective:
    """Return a network with rows of zeros: its ReLUs are exactly at their kink."""
    rng = np.random.default_rng(0)
    X = np.vstack([np.zeros((5, 3)), rng.standard_normal((10, 3))])
    layers = [ml.Dense(3, 4), hidden or ml.ReLU(), ml.Dense(4, 1), ml.Sigmoid()]
    model = ml.Sequential(layers, seed=0)
    model.layers[0].parameters["theta"][:, 0] = 0
    return ml.Objective(model, X, rng.integers(0, 2, 15), ml.BinaryCrossEntropy(), l2=1.0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("every_parameter", [False, True])
def test_a_network_that_was_trained_into_kinks_passes(seed: int, every_parameter: bool) -> None:
    objective = trained_into_kinks(seed)
    assert ml.check_gradient(objective, every_parameter=every_parameter).worst < 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_relus_exactly_at_their_kinks_pass(seed: int) -> None:
    assert ml.check_gradient(at_rest(), seed=seed).worst < 1e-6


@pytest.mark.parametrize("hidden", [ml.LeakyReLU(), ml.LeakyReLU(0.5), ml.ELU(), ml.ELU(0.3)])
def test_other_activations_exactly_at_their_kinks_pass(hidden: ml.Activation) -> None:
    assert ml.check_gradient(at_rest(hidden.unbound_copy())).worst < 1e-6


def wrong_by_a_thousandth(monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> None:
    """Make what a layer writes or returns wrong, everywhere."""
    right = getattr(owner, method)

    def wrong(self: ml.Layer, *arguments: Array) -> object:
        result = right(self, *arguments)
        if result is not None:
            return result * 1.001
        for gradient in self.gradients.values():
            gradient *= 1.001
        return None

    monkeypatch.setattr(owner, method, wrong)


@pytest.mark.parametrize("method", ["input_gradient", "parameter_gradient"])
def test_a_mistake_of_a_layer_at_kinks_is_found(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    objectives = [trained_into_kinks(0), at_rest()]
    wrong_by_a_thousandth(monkeypatch, ml.Dense, method)
    for objective in objectives:
        with pytest.raises(ml.GradientError, match=r"layers\[0\] Dense\(\d+, \d\), gradient by"):
            ml.check_gradient(objective)


def test_a_mistake_of_the_penalty_at_kinks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = trained_into_kinks(1)
    right = ml.Objective.__call__

    def wrong(self: ml.Objective, x: Array) -> tuple[float, Array]:
        cost, gradient = right(self, x)
        return cost, gradient + 1e-3 * x

    monkeypatch.setattr(ml.Objective, "__call__", wrong)
    with pytest.raises(ml.GradientError, match="in the whole objective"):
        ml.check_gradient(objective)

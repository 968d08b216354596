"""dtype="float32": the results come close, in half the memory."""

import tracemalloc

import numpy as np
import pytest

import minilayer as ml
from tests.helpers.problems import PAIRS, random_objective, small_model


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("copy", [True, False])
def test_cost_and_gradient_come_close(pair: str, copy: bool) -> None:
    exact, single = (
        random_objective(pair, rows=3000),
        random_objective(pair, rows=3000, dtype="float32", copy=copy),
    )
    x = exact.x0
    (cost, gradient), (found_cost, found) = exact(x), single(x)
    assert found.dtype == np.float64
    assert found_cost == pytest.approx(cost, rel=2e-6)
    assert found_cost != cost
    assert np.linalg.norm(found - gradient) < 5e-6 * np.linalg.norm(gradient)


def test_it_takes_half_the_memory() -> None:
    X, Y = np.ones((100_000, 40)), np.ones((100_000, 2))
    peaks = {}
    for dtype in ("float64", "float32"):
        model = small_model([40, 3, 2], ml.Sigmoid, ml.Sigmoid, 0)
        tracemalloc.start()
        objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), dtype=dtype)
        peaks[dtype] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert objective.dtype == dtype
    assert peaks["float32"] < 0.55 * peaks["float64"]


@pytest.mark.parametrize(
    "trainer", [ml.GradientDescent(0.5, momentum=0.9), ml.ScipyTrainer("L-BFGS-B")]
)
def test_it_reaches_the_same_minimum(trainer: ml.Trainer) -> None:
    costs = []
    for dtype in ("float64", "float32"):
        objective = random_objective(rows=500, dtype=dtype, l2=5.0)
        trainer.minimize(objective)
        costs.append(random_objective(rows=500, l2=5.0)(objective.x0)[0])
    assert costs[1] == pytest.approx(costs[0], rel=1e-4)

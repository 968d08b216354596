"""The preconditioner: the damped inverse of the input Gram matrix of each layer."""

import re

import numpy as np
import pytest

import minilayer as ml
from minilayer.objective.preconditioner import Preconditioner
from minilayer.utils.types import Array
from tests.helpers.layers import SquaredScale
from tests.helpers.problems import random_objective


def damped_inverse(x: Array) -> Array:
    """Return inv(A + d I) of the docstring for the inputs x, with a 1 for the bias."""
    extended = np.c_[np.ones(len(x)), x]
    A = extended.T @ extended / len(x)
    return np.asarray(np.linalg.inv(A + 0.1 * np.trace(A) / len(A) * np.eye(len(A))))


def objective_with_scale(rows: int = 80, dtype: str = "float64") -> ml.Objective:
    """Return an objective whose layer in the middle has parameters and no ``input_gram``."""
    layers = [ml.Dense(6, 4), ml.Tanh(), SquaredScale(4), ml.Dense(4, 2), ml.Sigmoid()]
    model = ml.Sequential(layers, seed=1)
    return random_objective(model=model, rows=rows, l2=0.0, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_block_is_the_damped_inverse_of_an_input_gram(dtype: str) -> None:
    objective = objective_with_scale(dtype=dtype)
    X, _ = objective.head(80)
    preconditioner = objective.preconditioner()
    v = np.random.default_rng(3).standard_normal(objective.x0.size)
    np.testing.assert_array_equal(preconditioner(v), v)  # the identity before the first refresh
    for x in (objective.x0, v):
        preconditioner.refresh(x)
        first, scale, second = np.split(x, [28, 32])
        hidden = np.tanh(np.c_[np.ones(80), X] @ first.reshape(4, 7).T) * scale**2
        expected = [
            (v[:28].reshape(4, 7) @ damped_inverse(X)).ravel(),
            v[28:32],
            (v[32:].reshape(2, 5) @ damped_inverse(hidden)).ravel(),
        ]
        found = preconditioner(v)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, np.concatenate(expected), rtol=2e-5, atol=2e-5)
    assert second.size == 10


def test_it_is_symmetric_and_positive_definite() -> None:
    objective = objective_with_scale()
    preconditioner = objective.preconditioner()
    preconditioner.refresh(objective.x0)
    P = np.array([preconditioner(unit) for unit in np.eye(objective.x0.size)])
    np.testing.assert_allclose(P, P.T, rtol=1e-4, atol=1e-6)
    assert np.linalg.eigvalsh((P + P.T) / 2).min() > 0.01


def test_its_rows_are_spread_over_those_of_positive_weight() -> None:
    X = np.arange(5000.0)[:, None]
    Y = np.zeros((5000, 1))
    model = ml.Sequential([ml.Dense(1, 1), ml.Sigmoid()])
    weights = np.where(np.arange(5000) < 2500, 0.0, 1.0)
    for weight, expected in ((None, np.arange(0, 5000, 5)), (weights, np.arange(2500, 5000, 2))):
        objective = ml.Objective(
            model, X, Y, ml.BinaryCrossEntropy(), sample_weight=weight, shards=7
        )
        rows, _ = objective._shards.spread(Preconditioner.rows_for(model, 5000))
        np.testing.assert_array_equal(rows[:, 0], expected)


@pytest.mark.parametrize(("of_rows", "expected"), [(5000, 1604), (1604, 1604), (1603, 1000)])
def test_the_number_of_rows_follows_from_the_inputs(of_rows: int, expected: int) -> None:
    wide = ml.Sequential([ml.Dense(400, 25), ml.Dense(25, 10)])
    assert Preconditioner.rows_for(wide, of_rows) == expected


@pytest.mark.parametrize(("rows", "is_preconditioned"), [(27, False), (28, True)])
def test_a_layer_of_more_inputs_than_a_quarter_of_the_rows_is_left_out(
    rows: int, is_preconditioned: bool
) -> None:
    objective = objective_with_scale(rows)
    preconditioner = objective.preconditioner()
    preconditioner.refresh(objective.x0)
    v = np.ones(objective.x0.size)
    changed = preconditioner(v) != v
    assert changed[:28].all() == is_preconditioned
    assert changed[32:].all()  # four inputs and the bias


@pytest.mark.parametrize(
    ("shape", "rows", "is_preconditioned"),
    [
        ((25, 401), 5000, True),
        ((100, 785), 60_000, True),
        ((1, 33), 1_000_000, True),
        ((25, 401), 1603, False),
        ((25, 10_001), 50_000, False),
        ((2, 1001), 50_000, False),
        ((2000, 5000), 1_000_000, False),
        ((3, 2, 7), 28, True),
        # Each limit, and one row or one input beyond.
        ((1, 100), 1000, True),
        ((1, 100), 999, False),
        ((1, 4096), 2_000_000, True),
        ((1, 4097), 2_000_000, False),
    ],
)
def test_an_inverse_that_costs_more_than_it_saves_is_left_out(
    shape: tuple[int, ...], rows: int, is_preconditioned: bool
) -> None:
    class Wide(SquaredScale):
        def shapes(self) -> dict[str, tuple[int, ...]]:
            return {"scale": shape}

        def input_gram(self, name: str) -> Array:
            return 15 * np.eye(shape[-1])

    model = ml.Sequential([Wide(1)])
    preconditioner = Preconditioner(model, np.ones((5, 1)), of_rows=rows)
    assert bool(preconditioner._blocks) == is_preconditioned


@pytest.mark.parametrize("size", [0.0, 1e30, 1e200])
def test_inputs_beyond_single_precision_are_left_out(size: float) -> None:
    model = ml.mlp(1, 3, 1, hidden=ml.Sigmoid, output=ml.Identity, seed=0)
    objective = ml.Objective(model, size * np.ones((50, 1)), np.ones(50), ml.SquaredError())
    preconditioner = objective.preconditioner()
    preconditioner.refresh(objective.x0)
    product = preconditioner(np.ones(10))
    assert np.isfinite(product).all()
    assert (product[:6] == 1).all() == (size > 0)
    assert ml.LBFGS(precondition=True, max_evaluations=50).minimize(objective).fun < 1e-6


@pytest.mark.parametrize("shape", [(3, 3), (5, 5), (4, 5), (4,)])
def test_an_input_gram_of_the_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    class Wrong(SquaredScale):
        def input_gram(self, name: str) -> Array:
            return np.ones(shape)

    model = ml.Sequential([ml.Dense(2, 4), Wrong(4), ml.Dense(4, 1), ml.Identity()])
    objective = ml.Objective(model, np.ones((40, 2)), np.ones(40), ml.SquaredError())
    expected = (
        r"input_gram of Wrong\(inputs=4\) for 'scale': "
        rf"expected shape \(4, 4\), found {re.escape(str(shape))}"
    )
    with pytest.raises(ValueError, match=expected):
        ml.LBFGS(precondition=True).minimize(objective)

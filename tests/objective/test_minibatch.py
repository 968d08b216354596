"""Objective.minibatch: cost and gradient estimated from some rows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.nn import Workspace
from minilayer.objective.shards import Minibatch, Shards
from tests.helpers.problems import PAIRS, random_parts

ROWS = 12


@pytest.mark.parametrize(
    "options", [{}, {"shards": 5}, {"copy": False, "shards": 2}, {"dtype": "float32"}], ids=str
)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("pair", PAIRS)
@given(st.permutations(range(ROWS)), st.integers(1, ROWS))
def test_a_minibatch_is_its_rows_and_minibatches_add_up_to_the_whole(
    pair: str, weighted: bool, options: dict[str, Any], order: list[int], size: int
) -> None:
    model, X, Y = random_parts(pair, ROWS)
    loss = PAIRS[pair][1]()
    weights = np.linspace(0.5, 1.5, ROWS) if weighted else np.ones(ROWS)
    sample_weight = weights if weighted else None
    objective = ml.Objective(model, X, Y, loss, sample_weight=sample_weight, **options)
    tolerance = 1e-5 if "dtype" in options else 1e-12
    x = objective.x0
    chosen = order[:size]
    own = ml.Objective(model, X[chosen], Y[chosen], loss, sample_weight=weights[chosen])
    scale = weights[chosen].mean() / weights.mean()
    cost, gradient = objective.minibatch(x, chosen)
    assert cost == pytest.approx(own(x)[0] * scale, rel=tolerance)
    np.testing.assert_allclose(gradient, own(x)[1] * scale, atol=tolerance * 10)
    rest = order[size:]
    if rest:
        pieces = [(len(rows), *objective.minibatch(x, rows)) for rows in (chosen, rest)]
        mean_cost = sum(count * cost for count, cost, _ in pieces) / ROWS
        mean_gradient = sum(count * gradient for count, _, gradient in pieces) / ROWS
        whole_cost, whole_gradient = objective(x)
        assert mean_cost == pytest.approx(whole_cost, rel=tolerance)
        np.testing.assert_allclose(mean_gradient, whole_gradient, atol=tolerance * 10)


def test_a_minibatch_has_the_penalty_of_the_whole() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    with_penalty, without = (
        ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), l2=l2) for l2 in (0.7, 0.0)
    )
    x = model.parameters
    penalty = with_penalty(x)[0] - without(x)[0]
    found = with_penalty.minibatch(x, [3, 4])[0] - without.minibatch(x, [3, 4])[0]
    assert found == pytest.approx(penalty, rel=1e-12)


@pytest.mark.parametrize("rows", [[], [[1]], [0.5], [-1], [ROWS]])
def test_wrong_row_numbers_are_refused(rows: Any) -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy())
    expected = r"rows: expected (a 1-D array of row numbers|numbers from 0 to 11), found"
    with pytest.raises(ValueError, match=expected):
        objective.minibatch(objective.x0, rows)
    hint = r"rows: expected a 1-D array .*: use numpy.flatnonzero\(rows\)$"
    with pytest.raises(ValueError, match=hint):
        objective.minibatch(objective.x0, np.arange(ROWS) < 3)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_the_pieces_of_a_minibatch_are_its_rows_in_order(count: int, weighted: bool) -> None:
    X, Y = np.arange(24.0).reshape(8, 3), 100 + np.arange(8.0)[:, None]
    weights = 200 + Y if weighted else None
    shards = Shards((X, Y, weights), 3, np.dtype("float64"), copy=True)
    minibatch = Minibatch(shards, np.array([6, 1, 4, 2, 7]), count)
    assert len(minibatch) == min(count, 5)
    found = []
    for piece in range(len(minibatch)):
        x, y, weight = minibatch.load(piece, Workspace())
        parts = [x, y] if weight is None else [x, y, weight]
        assert len(parts) == 2 + weighted
        found.append(np.hstack(parts))
    sizes = [len(piece) for piece in found]
    assert max(sizes) - min(sizes) <= 1
    whole = np.hstack([X, Y, weights] if weights is not None else [X, Y])
    np.testing.assert_array_equal(np.vstack(found), whole[[1, 2, 4, 6, 7]])

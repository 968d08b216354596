"""Objective.validation_rows: other rows for the same model and loss."""

import numpy as np
import pytest

import minilayer as ml
from minilayer.objective import objective as objective_file
from tests.helpers.problems import PAIRS, random_parts


@pytest.mark.parametrize("pair", PAIRS)
def test_they_give_the_loss_without_penalty_and_the_predictions(pair: str) -> None:
    model, X, Y = random_parts(pair, 30)
    loss = PAIRS[pair][1]()
    objective = ml.Objective(model, X[:20], Y[:20], loss, l2=0.7, sample_weight=np.arange(20))
    rows = objective.validation_rows(X[20:], Y[20:])
    x = model.parameters + 0.1
    cost, predictions = rows(x)
    assert cost == pytest.approx(ml.Objective(model, X[20:], Y[20:], loss)(x)[0], rel=1e-13)
    np.testing.assert_allclose(predictions, model.replica(x).predict(X[20:]), rtol=1e-13)


@pytest.mark.parametrize("pair", PAIRS)
def test_many_rows_are_predicted_in_shards(pair: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, X, Y = random_parts(pair, 30)
    loss = PAIRS[pair][1]()
    monkeypatch.setattr(objective_file, "default_shards_of", lambda model, rows: rows // 5)
    rows = ml.Objective(model, X[:10], Y[:10], loss, workers=2).validation_rows(X, Y)
    cost, predictions = rows(model.parameters)
    assert cost == pytest.approx(ml.Objective(model, X, Y, loss)(model.parameters)[0], rel=1e-13)
    np.testing.assert_allclose(predictions, model.predict(X), rtol=1e-13)


def test_wrong_rows_are_refused() -> None:
    model, X, Y = random_parts("sigmoid", 12)
    objective = ml.Objective(model, X, Y, ml.BinaryCrossEntropy())
    with pytest.raises(ValueError, match="X: expected 4 columns"):
        objective.validation_rows(X[:, :3], Y)
    with pytest.raises(ValueError, match="expects targets in"):
        objective.validation_rows(X, 2 * np.ones_like(Y))

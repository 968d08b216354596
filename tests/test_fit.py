"""fit is Objective and a trainer, in one call."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.conftest import PAIRS, small_model, targets_for


def parts(pair: str) -> tuple[ml.Sequential, Array, Array]:
    rng = np.random.default_rng(1)
    model = small_model([4, 5, 3], ml.Tanh, PAIRS[pair][0], seed=2)
    return model, rng.standard_normal((20, 4)), targets_for(pair, 20, 3, rng)


@pytest.mark.parametrize("pair", PAIRS)
def test_it_is_the_loss_of_the_last_layer_and_the_recommended_trainer(pair: str) -> None:
    model, X, Y = parts(pair)
    found = ml.fit(model, X, Y, 0.3)
    other, X, Y = parts(pair)
    expected = ml.LBFGS().minimize(ml.Objective(other, X, Y, PAIRS[pair][1](), 0.3))
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(model.parameters, found.x)
    assert (found.fun, found.message) == (expected.fun, expected.message)


LABELS = np.arange(20) % 3
OPTIONS: dict[str, dict[str, Any]] = {
    "trainer": {"trainer": ml.GradientDescent(0.5, max_iterations=30)},
    "l2": {"l2": 2.0},
    "sample_weight": {"sample_weight": np.arange(20)},
    "class_weight": {"class_weight": [1, 2, 3]},
    "dtype": {"dtype": "float32"},
    "validation": {"validation": ml.Validation(np.ones((3, 4)), [0, 1, 2], patience=1)},
}


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_handed_on(option: str) -> None:
    def train(**options: Any) -> Any:
        model, X, _ = parts("softmax")
        return ml.fit(model, X, LABELS, **options)

    given = dict(OPTIONS[option])
    found = train(**given)
    assert not np.array_equal(found.x, train().x)
    model, X, _ = parts("softmax")
    trainer, validation = given.pop("trainer", ml.LBFGS()), given.pop("validation", None)
    objective = ml.Objective(model, X, LABELS, ml.CategoricalCrossEntropy(), **given)
    np.testing.assert_array_equal(found.x, trainer.minimize(objective, validation=validation).x)


def test_callback_progress_and_checkpoint_are_handed_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[ml.Iteration] = []
    model, X, _ = parts("softmax")
    path = tmp_path / "run.h5"
    result = ml.fit(
        model,
        X,
        LABELS,
        trainer=ml.ScipyTrainer(max_iterations=3),
        callback=told.append,
        progress=True,
        checkpoint=path,
    )
    assert [iteration.iteration for iteration in told] == [1, 2, 3]
    assert "L-BFGS-B" in capsys.readouterr().err
    np.testing.assert_array_equal(ml.load(path).parameters, result.x)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": 3}, "model: expected a Sequential, found 3"),
        (
            {"model": ml.Sequential([ml.Dense(4, 3), ml.Tanh()])},
            r"model: expected Sigmoid\(\) as the last layer for yes or no, .* found Tanh\(\)",
        ),
        ({"trainer": "Adam"}, r"trainer: expected a Trainer such as LBFGS\(\), found 'Adam'"),
        (
            {"trainer": ml.Adam()},
            r"trainer: expected a Trainer, found Adam\(.*\): write GradientDescent\(rule=...\)",
        ),
        (
            {"trainer": ml.ScipyTrainer},
            r"trainer: expected a Trainer .*: write ScipyTrainer\(...\)",
        ),
        ({"Y": np.arange(20)}, r"Y: expected labels 0..2 \(the model has 3 outputs\), found 0..19"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], message: str) -> None:
    model, X, _ = parts("softmax")
    with pytest.raises((TypeError, ValueError), match=message):
        ml.fit(**{"model": model, "X": X, "Y": LABELS, **change})


def test_a_model_that_ends_in_dense_is_a_regression() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    Y = X @ rng.standard_normal((3, 2)) + 1.0
    with_identity = ml.Sequential([ml.Dense(3, 2), ml.Identity()], seed=0)
    without = ml.Sequential([ml.Dense(3, 2)], seed=0)
    results = [ml.fit(model, X, Y) for model in (with_identity, without)]
    np.testing.assert_array_equal(results[0].x, results[1].x)
    np.testing.assert_allclose(without.predict(X), Y, atol=1e-4)
    v = rng.standard_normal(results[0].x.size)
    products = [
        ml.Objective(model, X, Y, ml.SquaredError()).hessp(results[0].x, v)
        for model in (with_identity, without)
    ]
    np.testing.assert_array_equal(products[0], products[1])


def test_budgets_loss_and_a_pair_of_validation_rows_are_passed_on() -> None:
    model, X, Y = parts("sigmoid")
    result = ml.fit(model, X, Y, loss=ml.BinaryCrossEntropy(), max_iterations=3, validation=(X, Y))
    assert (result.nit, result.status) == (3, ml.Status.MAX_ITERATIONS)
    assert len(result.history.validation_cost) == 4
    assert result.method == "L-BFGS, plain"
    model, X, Y = parts("sigmoid")
    assert ml.fit(model, X, Y, l2=0.1, max_evaluations=2).method == "L-BFGS, preconditioned"
    with pytest.raises(ValueError, match="expected without a trainer, found beside LBFGS"):
        ml.fit(model, X, Y, trainer=ml.LBFGS(), max_seconds=3)

"""fit: an Objective and a trainer in one call."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from tests.helpers.comparisons import same_in_every_run
from tests.helpers.problems import PAIRS, random_parts

ROWS = 20


@pytest.mark.parametrize("pair", PAIRS)
def test_by_default_it_takes_the_loss_of_the_last_layer_and_lbfgs(pair: str) -> None:
    model, X, Y = random_parts(pair, ROWS)
    found = ml.fit(model, X, Y, 0.3)
    other, X, Y = random_parts(pair, ROWS)
    expected = ml.LBFGS().minimize(ml.Objective(other, X, Y, PAIRS[pair][1](), 0.3))
    np.testing.assert_array_equal(found.x, expected.x)
    np.testing.assert_array_equal(model.parameters, found.x)
    assert (found.fun, found.message) == (expected.fun, expected.message)


LABELS = np.arange(ROWS) % 3
OPTIONS: dict[str, dict[str, Any]] = {
    "trainer": {"trainer": ml.GradientDescent(0.5, max_iterations=30)},
    "l2": {"l2": 2.0},
    "sample_weight": {"sample_weight": np.arange(ROWS)},
    "class_weight": {"class_weight": [1, 2, 3]},
    "dtype": {"dtype": "float32"},
    "validation": {"validation": ml.Validation(np.ones((3, 4)), [0, 1, 2], patience=1)},
}


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_passed_on(option: str) -> None:
    def train(**options: Any) -> Any:
        model, X, _ = random_parts("softmax", ROWS)
        return ml.fit(model, X, LABELS, **options)

    given = dict(OPTIONS[option])
    found = train(**given)
    assert not np.array_equal(found.x, train().x)
    model, X, _ = random_parts("softmax", ROWS)
    trainer = given.pop("trainer", ml.LBFGS())
    validation = given.pop("validation", None)
    objective = ml.Objective(model, X, LABELS, ml.CategoricalCrossEntropy(), **given)
    np.testing.assert_array_equal(found.x, trainer.minimize(objective, validation=validation).x)


def test_callback_progress_and_checkpoint_are_passed_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    iterations: list[ml.Iteration] = []
    model, X, _ = random_parts("softmax", ROWS)
    path = tmp_path / "run.h5"
    result = ml.fit(
        model,
        X,
        LABELS,
        trainer=ml.ScipyTrainer(max_iterations=3),
        callback=iterations.append,
        progress=True,
        checkpoint=path,
    )
    assert [iteration.iteration for iteration in iterations] == [1, 2, 3]
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
def test_wrong_arguments_are_refused(change: dict[str, Any], message: str) -> None:
    model, X, _ = random_parts("softmax", ROWS)
    good = {"model": model, "X": X, "Y": LABELS}
    with pytest.raises((TypeError, ValueError), match=message):
        ml.fit(**{**good, **change})


def test_a_model_that_ends_in_dense_is_a_regression() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    Y = X @ rng.standard_normal((3, 2)) + 1.0
    with_identity = ml.mlp(3, 2, output=ml.Identity, seed=0)
    model = ml.mlp(3, 2, seed=0)
    validation = (X[:5], Y[:5])
    results = [ml.fit(one, X, Y, validation=validation) for one in (with_identity, model)]
    first, second = (same_in_every_run(result) for result in results)
    np.testing.assert_equal(first, second)
    np.testing.assert_allclose(model.predict(X), Y, atol=1e-4)


@pytest.mark.parametrize("trainer", [ml.LBFGS(), ml.ScipyTrainer("Newton-CG")], ids=repr)
def test_a_model_that_ends_in_dense_trains_with_every_kind_of_step(trainer: ml.Trainer) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    models = [ml.mlp(3, 4, 2, output=output, seed=0) for output in (ml.Identity, None)]
    results = [ml.fit(one, X, X[:, :2] ** 2, l2=0.1, trainer=trainer) for one in models]
    first, second = (same_in_every_run(result) for result in results)
    np.testing.assert_equal(first, second)
    assert results[0].fun < results[0].history.cost[0]


def test_budgets_loss_and_a_pair_of_validation_rows_are_passed_on() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    result = ml.fit(model, X, Y, loss=ml.BinaryCrossEntropy(), max_iterations=3, validation=(X, Y))
    assert (result.nit, result.status) == (3, ml.Status.MAX_ITERATIONS)
    assert len(result.history.validation_cost) == 4
    assert result.method == "L-BFGS, plain"
    model, X, Y = random_parts("sigmoid", ROWS)
    assert ml.fit(model, X, Y, l2=0.1, max_evaluations=2).method == "L-BFGS, preconditioned"
    with pytest.raises(ValueError, match="expected without a trainer, found beside LBFGS"):
        ml.fit(model, X, Y, trainer=ml.LBFGS(), max_seconds=3)


def test_a_second_fit_continues_and_says_so() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    first = ml.fit(model, X, Y, 0.1, max_iterations=2)
    assert model.is_trained
    second = ml.fit(model, X, Y, 0.1, max_iterations=2)
    assert second.history.cost[0] == first.fun
    assert "continued" not in first.message
    assert (
        second.message
        == f"{first.message} (continued from an earlier training; seed=0 starts anew)"
    )


@pytest.mark.parametrize("options", [{"seed": 3}, {"seed": 3, "warm_start": False}])
def test_a_seed_starts_anew(options: dict[str, Any]) -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    new = ml.Sequential([layer.unbound_copy() for layer in model], seed=3)
    expected = ml.fit(new, X, Y, 0.1, max_iterations=4)
    for _ in range(2):
        result = ml.fit(model, X, Y, 0.1, max_iterations=4, **options)
        np.testing.assert_array_equal(result.x, expected.x)
        assert result.message == expected.message


def test_without_a_warm_start_each_start_is_another() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    costs = {ml.fit(model, X, Y, warm_start=False, max_iterations=1).history.cost[0] for _ in "ab"}
    assert len(costs) == 2


def test_a_resumed_fit_does_not_call_itself_continued(tmp_path: Path) -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    path = tmp_path / "run.h5"
    ml.fit(model, X, Y, 0.1, max_evaluations=5, checkpoint=path)
    message = ml.fit(model, X, Y, 0.1, max_evaluations=9, checkpoint=path).message
    assert message.endswith("(resumed at evaluation 5)")
    seeded = [
        ml.fit(model, X, Y, 0.1, max_evaluations=5, seed=1, checkpoint=tmp_path / "seeded.h5")
        for _ in range(2)
    ]
    assert seeded[1].message == f"{seeded[0].message} (already finished, at evaluation 5)"


def test_a_refused_fit_leaves_the_model_as_it_was() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    start = model.parameters.copy()
    for wrong in ({"seed": True}, {"seed": -1}, {"warm_start": 1}, {"seed": 0, "l2": -1}):
        with pytest.raises((TypeError, ValueError)):
            ml.fit(model, X, Y, **wrong)
        np.testing.assert_array_equal(model.parameters, start)


def test_copies_know_whether_they_are_trained() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    assert not copy.deepcopy(model).is_trained
    ml.fit(model, X, Y, max_iterations=1)
    assert copy.deepcopy(model).is_trained
    model.initialize(seed=0)
    assert not model.is_trained

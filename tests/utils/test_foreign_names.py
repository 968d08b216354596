"""Names of other libraries: each leads to an argument that exists."""

import inspect
from typing import Any

import pytest

import minilayer as ml
from minilayer.estimators import MLPClassifier
from minilayer.utils.foreign_names import MEANINGS, unknown_argument

FUNCTIONS: dict[str, Any] = {
    "fit": ml.fit,
    "Objective": ml.Objective,
    "minimize": ml.Trainer.minimize,
    "mlp": ml.mlp,
    "Validation": ml.Validation,
    "GradientDescent": ml.GradientDescent,
    "LBFGS": ml.LBFGS,
    "ScipyTrainer": ml.ScipyTrainer,
    "MLPClassifier": MLPClassifier,
}
BUDGET = ["max_evaluations", "max_iterations", "max_seconds", "target_cost"]


@pytest.mark.parametrize("name", MEANINGS)
def test_each_name_means_an_argument_of_some_function(name: str) -> None:
    known = {
        argument
        for function in FUNCTIONS.values()
        for argument in inspect.signature(function).parameters
    }
    for meaning in MEANINGS[name]:
        assert meaning.partition("=")[0] in known | set(BUDGET)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("epochs", "fit() has no argument 'epochs': write max_iterations=..."),
        ("learning_rate", "fit() has no argument 'learning_rate': write trainer=GradientDescent("),
        ("batch_size", "fit() has no argument 'batch_size': write trainer=GradientDescent(batch"),
        ("tol", "fit() has no argument 'tol': write trainer=LBFGS(tolerance=...)"),
        ("validaton", "fit() has no argument 'validaton': did you mean 'validation'?"),
        ("blue", "fit() has no argument 'blue'"),
    ],
)
def test_fit_says_what_it_is_called_here(name: str, message: str) -> None:
    model = ml.mlp(1, 1, seed=0)
    options: dict[str, Any] = {name: 1}
    with pytest.raises(TypeError) as error:
        ml.fit(model, [[0.0], [1.0]], [0.0, 1.0], **options)
    assert str(error.value).startswith(message)


def test_an_argument_of_the_function_comes_before_another_place() -> None:
    assert unknown_argument("GradientDescent", "lr", ["learning_rate"]).endswith(
        "write learning_rate=..."
    )
    assert unknown_argument("fit", "lr", ["trainer"]).endswith(
        "write trainer=GradientDescent(learning_rate)"
    )

"""The estimators compute what scikit-learn's classes of the same names compute."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.metrics import log_loss

from minilayer import estimators
from minilayer.utils.types import Array
from tests.estimators.data import cancer, counts, diabetes, iris, three_labels, two_targets

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

Data = Callable[[], tuple[Array, Array]]

CASES: dict[str, tuple[str, Data, dict[str, object]]] = {
    "two classes": ("MLPClassifier", cancer, {}),
    "three classes": ("MLPClassifier", iris, {"activation": "tanh"}),
    "several labels": ("MLPClassifier", three_labels, {"activation": "logistic"}),
    "no hidden layer": ("MLPClassifier", iris, {"hidden_layer_sizes": ()}),
    "two hidden layers": ("MLPClassifier", iris, {"hidden_layer_sizes": (7, 5)}),
    "one target": ("MLPRegressor", diabetes, {"activation": "identity"}),
    "two targets": ("MLPRegressor", two_targets, {"alpha": 3.0}),
    "counts": ("MLPRegressor", counts, {"loss": "poisson"}),
}
"""Class, data and arguments."""

EPOCHS: dict[str, dict[str, object]] = {
    "adam": {"solver": "adam", "epsilon": 1e-4},
    "adam, early stopping": {"solver": "adam", "early_stopping": True, "n_iter_no_change": 3},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.01},
    "sgd, inverse scaling": {"solver": "sgd", "learning_rate": "invscaling", "momentum": 0.3},
    "sgd, adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 0.05,
        "n_iter_no_change": 1,
        "nesterovs_momentum": False,
        "shuffle": False,
    },
}
"""Arguments that choose how to train."""


def both(name: str, **arguments: Any) -> tuple[Any, Any]:
    """Return minilayer's estimator and scikit-learn's."""
    return getattr(estimators, name)(**arguments), getattr(neural_network, name)(**arguments)


def assert_close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("training", EPOCHS)
@pytest.mark.parametrize("case", CASES)
def test_adam_and_sgd_give_the_same_weights(case: str, training: str) -> None:
    name, data, arguments = CASES[case]
    X, y = data()
    common = {"hidden_layer_sizes": (6,), "batch_size": 64, "max_iter": 12, "random_state": 3}
    ours, theirs = both(name, **{**common, **EPOCHS[training], **arguments})
    for one in (ours, theirs):
        one.fit(X, y)
    for own, other in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        assert_close(own, other)
    assert_close(ours.loss_curve_, theirs.loss_curve_)
    assert_close(ours.loss_, theirs.loss_)
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)
    if theirs.validation_scores_ is None:
        assert ours.validation_scores_ is None
        assert_close(ours.best_loss_, theirs.best_loss_)
    else:
        assert_close(ours.validation_scores_, theirs.validation_scores_)
        assert_close(ours.best_validation_score_, theirs.best_validation_score_)
        assert ours.best_loss_ is None


@pytest.mark.parametrize("case", CASES)
def test_partial_fit_and_weights_give_the_same_too(case: str) -> None:
    name, data, arguments = CASES[case]
    X, y = data()
    weights = np.random.default_rng(0).uniform(0.1, 2, len(X))
    ours, theirs = both(name, solver="adam", random_state=0, batch_size=50, **arguments)
    classes = {} if name == "MLPRegressor" else {"classes": np.unique(y)}
    if case == "several labels":
        classes = {"classes": np.arange(3)}
    for one in (ours, theirs):
        for part in range(3):
            rows = slice(part * 40, part * 40 + 60)
            one.partial_fit(X[rows], y[rows], weights[rows], **classes)
    for own, other in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert_close(own, other)


@pytest.mark.parametrize("case", CASES)
def test_predictions_with_their_weights_are_theirs(case: str) -> None:
    name, data, arguments = CASES[case]
    X, y = data()
    ours, theirs = both(name, solver="lbfgs", random_state=0, max_iter=20, **arguments)
    for one in (ours, theirs):
        one.fit(X, y)
    ours.coefs_, ours.intercepts_ = theirs.coefs_, theirs.intercepts_
    method = "predict_proba" if name == "MLPClassifier" else "predict"
    found, expected = getattr(ours, method)(X), getattr(theirs, method)(X)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert (ours.predict(X) == theirs.predict(X)).all() or name == "MLPRegressor"
    if name == "MLPClassifier":
        logarithms = ours.predict_log_proba(X)  # no warning where they are -inf
        with np.errstate(divide="ignore"):
            np.testing.assert_array_equal(logarithms, np.log(found))


@pytest.mark.parametrize("case", CASES)
def test_cost_at_their_weights_is_theirs(case: str) -> None:
    """An epoch with a learning rate of next to nothing reports the cost at its start."""
    name, data, arguments = CASES[case]
    X, y = data()
    options: dict[str, Any] = {"random_state": 0, "max_iter": 1, "alpha": 2.0, **arguments}
    _, theirs = both(name, solver="sgd", batch_size=len(X), learning_rate_init=1e-300, **options)
    theirs.fit(X, y)
    ours, _ = both(name, **options)
    ours.fit(X, y)  # from the same start: iteration 0 is the cost there
    start = ours.result_.history.cost[0] / ours._outputs_per_cost()
    start += ours._cost_constant(y.reshape(len(y), -1), None)
    np.testing.assert_allclose(start, theirs.loss_, rtol=1e-12)


@pytest.mark.parametrize("name", estimators.__all__)
def test_parameters_and_defaults_are_theirs(name: str) -> None:
    ours, theirs = (
        inspect.signature(getattr(module, name)).parameters
        for module in (estimators, neural_network)
    )
    assert list(ours)[: len(theirs)] == list(theirs)
    for parameter in theirs:
        default = "lbfgs" if parameter == "solver" else theirs[parameter].default
        assert ours[parameter].default == default
        assert ours[parameter].kind is theirs[parameter].kind


def test_lbfgs_reaches_a_lower_cost() -> None:
    X, y = iris()
    ours, theirs = both("MLPClassifier", solver="lbfgs", alpha=1.0, random_state=0, max_iter=2000)
    for one in (ours, theirs):
        one.fit(X, y)
    assert ours.loss_ <= theirs.loss_ + 1e-4
    cost = log_loss(y, ours.predict_proba(X))
    penalty = sum(float(np.sum(coefs**2)) for coefs in ours.coefs_) / (2 * len(X))
    assert_close(ours.loss_, cost + penalty)

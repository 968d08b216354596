"""What the estimators offer beyond scikit-learn's: solvers, layers, losses, curves, stops."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

import minilayer as ml
from minilayer.estimators import MLPClassifier, MLPRegressor
from minilayer.estimators.solvers import SCIPY_METHODS
from tests.estimators.data import cancer, counts, diabetes, iris, three_labels, two_targets

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("solver", SCIPY_METHODS)
def test_each_method_of_scipy_trains(solver: str) -> None:
    network = MLPClassifier((3,), "tanh", solver=solver, alpha=1.0, max_iter=60, random_state=0)
    network.fit(*iris())
    assert network.result_.method == solver
    assert network.score(*iris()) > 0.9


def test_a_trainer_keeps_its_own_budget() -> None:
    trainer = ml.LBFGS(max_iterations=3, precondition=True)
    with pytest.warns(ConvergenceWarning, match=r"^MLPClassifier: not converged after 3 iterat"):
        network = MLPClassifier(solver=trainer).fit(*iris())
    assert network.result_.method == "L-BFGS, preconditioned"
    assert network.n_iter_ == 3


@pytest.mark.parametrize("solver", ["lbfgs", "L-BFGS-B", "adam", "sgd"])
def test_a_budget_that_ends_warns(solver: str) -> None:
    with pytest.warns(ConvergenceWarning, match=r"raise max_iter, .*\(standardize=True\)$"):
        network = MLPRegressor(solver=solver, max_iter=2).fit(*diabetes())
    assert network.n_iter_ == 2
    assert network.result_.status is ml.Status.MAX_ITERATIONS
    assert len(network.loss_curve_) == 2


def test_evaluations_end_a_run_too() -> None:
    with pytest.warns(ConvergenceWarning, match="budget of 4 evaluations is used up"):
        network = MLPRegressor(max_fun=4).fit(*diabetes())
    assert network.result_.nfev == 4


@pytest.mark.parametrize("solver", ["lbfgs", "TNC", "adam", "sgd"])
@pytest.mark.parametrize("make", [MLPClassifier, MLPRegressor])
def test_early_stopping_returns_the_best_iteration(make: Any, solver: str) -> None:
    X, y = cancer() if make is MLPClassifier else diabetes()
    network = make(
        solver=solver, early_stopping=True, validation_fraction=0.3, random_state=0, max_iter=60
    )
    network.fit(X, y)
    scores = network.validation_scores_
    assert len(scores) == len(network.loss_curve_) == network.n_iter_
    assert network.best_loss_ is None
    assert network.best_validation_score_ >= max(scores)


def test_a_callback_sees_each_iteration_and_can_stop() -> None:
    seen: list[ml.Iteration] = []

    def stop_at_four(iteration: ml.Iteration) -> None:
        seen.append(iteration)
        if len(seen) % 4 == 0:
            raise StopIteration

    for solver in ("lbfgs", "adam"):
        network = MLPClassifier(solver=solver, callback=stop_at_four).fit(*iris())
        assert network.n_iter_ == 4
        assert network.result_.status is ml.Status.CALLBACK
    assert [one.iteration for one in seen] == [1, 2, 3, 4] * 2
    assert not seen[-1].x.flags.writeable


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_ctrl_c_keeps_what_has_been_learned(solver: str) -> None:
    def interrupt(iteration: ml.Iteration) -> None:
        if iteration.iteration == 3:
            raise KeyboardInterrupt

    with pytest.warns(ConvergenceWarning, match="interrupted"):
        network = MLPClassifier(solver=solver, callback=interrupt).fit(*iris())
    assert network.result_.status is ml.Status.INTERRUPTED
    assert network.n_iter_ == 3
    assert network.predict(iris()[0]).shape == (150,)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_verbose_prints_a_line_an_iteration(
    solver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(iteration: ml.Iteration) -> None:
        raise StopIteration

    network = MLPRegressor(solver=solver, verbose=True, callback=stop).fit(*two_targets())
    assert capsys.readouterr().out == f"Iteration 1, loss = {network.loss_curve_[0]:.8f}\n"


def network_of(inputs: int, outputs: int) -> ml.Sequential:
    layers = [ml.Dense(inputs, 4), ml.Tanh(), ml.Dense(4, outputs, bias=False), ml.Softmax()]
    return ml.Sequential(layers)


@pytest.mark.parametrize(
    "layers", [network_of, list(network_of(4, 3)), tuple(network_of(4, 3).layers)]
)
def test_layers_of_your_own(layers: Any) -> None:
    network = MLPClassifier(layers=layers, random_state=0, alpha=0.1)
    first = network.fit(*iris()).predict_proba(iris()[0])
    assert repr(network.model_.layers) == repr(network_of(4, 3).layers)
    assert [coefs.shape for coefs in network.coefs_] == [(4, 4), (4, 3)]
    assert [intercepts.shape for intercepts in network.intercepts_] == [(4,), (0,)]
    assert (network.n_layers_, network.out_activation_) == (3, "softmax")
    np.testing.assert_array_equal(network.fit(*iris()).predict_proba(iris()[0]), first)


def test_an_activation_for_each_layer() -> None:
    activation: list[Any] = ["tanh", ml.LeakyReLU(0.2), ml.Softplus]
    network = MLPClassifier((5, 4, 3), activation, alpha=1.0, random_state=0).fit(*iris())
    hidden = network.model_.layers[1:-1:2]
    assert repr(hidden) == "(Tanh(), LeakyReLU(slope=0.2), Softplus())"


def test_losses_of_minilayer() -> None:
    X, y = diabetes()
    outliers = y.copy()
    outliers[:10] += 100
    arguments: dict[str, Any] = {"hidden_layer_sizes": (), "alpha": 1.0, "max_iter": 500}
    robust = MLPRegressor(loss=ml.Huber(0.5), **arguments).fit(X, outliers)
    plain = MLPRegressor(**arguments).fit(X, outliers)
    assert robust.score(X[10:], y[10:]) > 0.4 > plain.score(X[10:], y[10:])
    assert robust.out_activation_ == "identity"
    squares = MLPClassifier(loss=ml.SquaredError(), alpha=0.1).fit(*cancer())
    assert squares.score(*cancer()) > 0.97
    counting = MLPRegressor(loss=ml.Poisson(), hidden_layer_sizes=(), alpha=1.0).fit(*counts())
    assert counting.out_activation_ == "exp"


def test_weights_of_classes_are_those_of_rows() -> None:
    X, y = iris()
    names = np.array(["a", "b", "c"])[y]
    options: dict[str, Any] = {"random_state": 0, "max_iter": 9, "solver": "adam"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_class = MLPClassifier(class_weight={"a": 3.0, "c": 0.5}, **options).fit(X, names)
        by_row = MLPClassifier(**options).fit(X, names, np.array([3.0, 1.0, 0.5])[y])
        balanced = MLPClassifier(class_weight="balanced", **options).fit(X[:110], names[:110])
        counts = np.bincount(y[:110])
        rows = 110 / (3 * counts[y[:110]])
        by_hand = MLPClassifier(**options).fit(X[:110], names[:110], rows)
    np.testing.assert_allclose(by_class.coefs_[0], by_row.coefs_[0], rtol=1e-12)
    np.testing.assert_allclose(balanced.coefs_[0], by_hand.coefs_[0], rtol=1e-12)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_standardize_makes_units_irrelevant(solver: str) -> None:
    X, y = diabetes()
    options: dict[str, Any] = {
        "solver": solver,
        "standardize": True,
        "hidden_layer_sizes": (5,),
        "alpha": 10.0,
        "tol": 1e-3,
        "max_iter": 1000,
        "random_state": 0,
        "epsilon": 1e-15,
    }
    plain = MLPRegressor(**options).fit(X, y)
    other = MLPRegressor(**options).fit(X * 1024 + 8, y * 4096 + 16)
    np.testing.assert_allclose(
        other.predict(X * 1024 + 8), plain.predict(X) * 4096 + 16, rtol=1e-4, atol=4.0
    )
    kinds = [type(layer).__name__ for layer in plain.model_]
    assert kinds == ["Standardize", "Dense", "ReLU", "Dense", "Rescale", "Identity"]
    assert [coefs.shape for coefs in plain.coefs_] == [(10, 5), (5, 1)]


def test_warm_start_goes_on() -> None:
    X, y = iris()
    cold = MLPClassifier(max_iter=8, random_state=0).fit(X, y)
    warm = MLPClassifier(max_iter=8, random_state=0, warm_start=True).fit(X, y)
    assert warm.loss_ == cold.loss_
    assert warm.fit(X, y).loss_ < cold.loss_
    assert len(warm.loss_curve_) == 16
    assert cold.fit(X, y).loss_curve_ == warm.loss_curve_[:8]


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_sparse_rows_are_those_of_the_dense_matrix(solver: str) -> None:
    X, y = cancer()
    network = MLPClassifier(solver=solver, max_iter=5, random_state=0)
    dense = network.fit(X, y).predict_proba(X)
    for kind in (sparse.csr_array, sparse.csc_array):
        found = network.fit(kind(X), y).predict_proba(kind(X))
        np.testing.assert_allclose(found, dense, rtol=1e-12)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_single_precision_stays(solver: str, standardize: bool) -> None:
    X, y = diabetes()
    network = MLPRegressor(solver=solver, max_iter=5, random_state=0, standardize=standardize)
    double = network.fit(X, y).predict(X)
    single = network.fit(X.astype(np.float32), y).predict(X.astype(np.float32))
    assert single.dtype == network.coefs_[0].dtype == np.float32
    np.testing.assert_allclose(single, double, atol=1e-3)


def test_labels_of_every_kind() -> None:
    X, y = iris()
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    table = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    expected = MLPClassifier(random_state=0, max_iter=9).fit(X, names).predict(X)
    for labels in (list(names), pd.Series(names), pd.Series(names, dtype="category")):
        network = MLPClassifier(random_state=0, max_iter=9).fit(table, labels)
        np.testing.assert_array_equal(network.predict(table), expected)
        assert list(network.classes_) == ["setosa", "versicolor", "virginica"]
        assert list(network.feature_names_in_) == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names should match"):
        network.predict(table[["b", "a", "c", "d"]])
    yes_or_no = MLPClassifier(random_state=0).fit(X, y == 1)
    assert yes_or_no.predict(X[:2]).dtype == bool
    labels_of_rows = MLPClassifier(random_state=0, alpha=0.01).fit(*three_labels())
    assert labels_of_rows.score(*three_labels()) > 0.95


def test_the_same_seed_gives_the_same_network() -> None:
    first, second = (
        MLPClassifier(alpha=1.0, random_state=np.random.RandomState(1)).fit(*iris())
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.model_.parameters, second.model_.parameters)

"""The estimators within scikit-learn's tools, and weights that are read and assigned."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minilayer as ml
from minilayer.estimators import MLPClassifier, MLPRegressor
from tests.estimators.data import diabetes, iris

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def network() -> MLPClassifier:
    network = MLPClassifier((3,), "tanh", alpha=1.0, random_state=0)
    network.fit(*iris())
    return network


def by_joblib(network: MLPClassifier, folder: Path) -> Any:
    joblib.dump(network, folder / "network.joblib")
    return joblib.load(folder / "network.joblib", mmap_mode="r")


def by_pickle(network: MLPClassifier, folder: Path) -> Any:
    return pickle.loads(pickle.dumps(network))


def by_deepcopy(network: MLPClassifier, folder: Path) -> Any:
    return copy.deepcopy(network)


@pytest.mark.parametrize("copied", [by_joblib, by_pickle, by_deepcopy])
def test_copies_predict_the_same(
    network: MLPClassifier, copied: Callable[[MLPClassifier, Path], Any], tmp_path: Path
) -> None:
    X, _ = iris()
    network.coefs_[1] = network.coefs_[1] * 2  # not taken in yet
    twin = copied(network, tmp_path)
    np.testing.assert_array_equal(twin.predict_proba(X), network.predict_proba(X))
    np.testing.assert_array_equal(twin.coefs_[1], network.coefs_[1])
    assert np.shares_memory(twin.coefs_[0], twin.model_.parameters)


def test_changes_of_weights_take_effect(network: MLPClassifier) -> None:
    X, _ = iris()
    before = network.predict_proba(X)
    network.coefs_[1][:] = 0
    network.intercepts_[1][:] = 0
    assert (network.predict_proba(X) == 1 / 3).all()
    network.intercepts_ = [network.intercepts_[0], np.array([0.0, 0.0, 50.0])]
    assert (network.predict(X) == 2).all()
    network.coefs_[0] = np.zeros((4, 3))
    assert not network.model_[0].parameters["theta"][:, 1:].any()
    assert not np.allclose(network.predict_proba(X), before)


def test_changes_of_the_model_are_seen(network: MLPClassifier) -> None:
    network.model_.parameters[:] = 2
    assert (network.coefs_[0] == 2).all()


def test_weights_of_other_shapes_are_refused(network: MLPClassifier) -> None:
    network.coefs_ = [np.zeros((4, 3)), np.zeros((2, 3))]
    with pytest.raises(ValueError, match="coefs_") as refused:
        network.predict(iris()[0])
    expected = "coefs_: expected arrays of shapes [(4, 3), (3, 3)], found [(4, 3), (2, 3)]"
    assert str(refused.value) == expected


def test_there_is_no_model_before_fit() -> None:
    assert not hasattr(MLPClassifier(), "model_")
    with pytest.raises(NotFittedError):
        MLPRegressor().predict([[1.0]])


def test_the_model_can_be_saved(network: MLPClassifier, tmp_path: Path) -> None:
    ml.save(network.model_, tmp_path / "network.h5")
    X, _ = iris()
    np.testing.assert_array_equal(
        ml.load(tmp_path / "network.h5").predict(X), network.predict_proba(X)
    )


def test_clone_keeps_layers_and_trainers() -> None:
    layers = [ml.Dense(4, 3), ml.Softmax()]
    original = MLPClassifier(layers=layers, solver=ml.LBFGS(memory=5), loss=ml.SquaredError())
    twin = clone(original.fit(*iris()))
    assert repr(twin) == repr(original)
    assert not hasattr(twin, "coefs_")
    np.testing.assert_array_equal(
        twin.set_params(random_state=0).fit(*iris()).coefs_[0],
        original.set_params(random_state=0).fit(*iris()).coefs_[0],
    )


def test_grid_search_in_two_processes() -> None:
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((3,), "tanh", random_state=0))
    grid = {"mlpclassifier__alpha": [0.3, 3.0], "mlpclassifier__activation": ["tanh", "gelu"]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2).fit(*iris())
    assert search.best_score_ > 0.9
    alone = GridSearchCV(pipeline, grid, cv=3).fit(*iris())
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )


def test_scores_across_folds() -> None:
    X, y = iris()
    assert cross_val_score(MLPClassifier(alpha=1.0, random_state=0), X, y).mean() > 0.93
    several = MultiOutputClassifier(MLPClassifier((2,), alpha=1.0, random_state=0))
    assert several.fit(X, np.column_stack([y, y == 1])).predict(X).shape == (150, 2)


def test_sample_weights_are_routed() -> None:
    X, y = diabetes()
    weights = np.where(y > 0, 1.0, 0.0)
    with sklearn.config_context(enable_metadata_routing=True):
        network = MLPRegressor(hidden_layer_sizes=(2,), alpha=1.0, random_state=0, max_iter=500)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        routed = make_pipeline(scaler, network.set_fit_request(sample_weight=True))
        routed.fit(X, y, sample_weight=weights)
        ignored = make_pipeline(
            StandardScaler(), clone(network).set_fit_request(sample_weight=False)
        )
        ignored.fit(X, y)
    assert routed.predict(X).mean() > ignored.predict(X).mean() + 0.3


def test_notebooks_show_a_diagram(network: MLPClassifier) -> None:
    page: str = network._repr_html_()
    assert "MLPClassifier" in page
    assert "hidden_layer_sizes" in page

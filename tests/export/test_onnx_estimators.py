"""Estimators in ONNX files, alone and in pipelines: the outputs are those of Python."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
import skl2onnx
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import minilayer as ml
from minilayer.estimators import MLPClassifier, MLPRegressor
from minilayer.export import register_skl2onnx, to_onnx
from minilayer.utils.types import Array
from tests.helpers.onnx_runtimes import RUNTIMES, TOLERANCES, assert_close, run_onnxruntime

X, SPECIES = load_iris(return_X_y=True)
X = X.astype(np.float32).astype(np.float64)  # float32 holds them
NAMES = np.array(["setosa", "versicolor", "virginica"])
IS_SETOSA = SPECIES == 0

LABELS: dict[str, Array] = {
    "three integers": SPECIES * 10 - 7,
    "three strings": NAMES[SPECIES],
    "three objects": NAMES[SPECIES].astype(object),
    "three floats": SPECIES.astype(float),
    "two integers": IS_SETOSA + 3,
    "two strings": np.where(IS_SETOSA, "yes", "größer"),
    "booleans": IS_SETOSA,
    "one class": np.full(len(X), 7),
    "one name": np.full(len(X), "only"),
    "several labels": np.column_stack([IS_SETOSA, X[:, 0] > 6, X[:, 2] > 5]).astype(int),
}
OPTIONS: dict[str, Any] = {"alpha": 1.0, "random_state": 0, "standardize": True, "max_fun": 1000}


def classifier(labels: Array, **options: Any) -> MLPClassifier:
    """Return a small fitted classifier."""
    estimator = MLPClassifier((5,), "tanh", **{**OPTIONS, **options})
    estimator.fit(X, labels)
    return estimator


def assert_same_labels(found: Array, labels: Array) -> None:
    """Labels are int64 or strings, and equal those of ``predict``."""
    assert found.dtype == (object if labels.dtype.kind in "UO" else np.int64)
    np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", LABELS)
def test_classifiers_give_label_and_probabilities(
    tmp_path: Path, name: str, dtype: str, runtime: str
) -> None:
    estimator = classifier(LABELS[name])
    path = tmp_path / "iris.onnx"
    to_onnx(estimator, path, dtype)
    assert [output.name for output in onnx.load(path).graph.output] == ["label", "probabilities"]
    for rows in (X, X[:1]):
        label, probabilities = RUNTIMES[runtime](path, rows.astype(dtype))
        assert_same_labels(label, estimator.predict(rows))
        assert_close(probabilities, estimator.predict_proba(rows), 1)
    nothing = RUNTIMES[runtime](path, X[:0].astype(dtype))
    whole = (estimator.predict(X), estimator.predict_proba(X))
    assert [found.shape for found in nothing] == [(0, *expected.shape[1:]) for expected in whole]


REGRESSORS: dict[str, Callable[[], tuple[MLPRegressor, Array]]] = {
    "one output": lambda: (MLPRegressor("squared_error", (5,), "tanh", **OPTIONS), X[:, 3]),
    "two outputs": lambda: (MLPRegressor("squared_error", (5,), "relu", **OPTIONS), X[:, 2:]),
    "counts": lambda: (MLPRegressor("poisson", (5,), "softplus", **OPTIONS), SPECIES),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_give_y(tmp_path: Path, name: str, dtype: str) -> None:
    estimator, targets = REGRESSORS[name]()
    estimator.fit(X, targets)
    path = tmp_path / "iris.onnx"
    to_onnx(estimator, path, dtype)
    assert [output.name for output in onnx.load(path).graph.output] == ["Y"]
    expected = estimator.predict(X).reshape(len(X), -1)
    for run in RUNTIMES.values():
        assert_close(run(path, X.astype(dtype))[0], expected, np.abs(expected))


def test_a_network_of_ones_own_layers_is_exported(tmp_path: Path) -> None:
    layers = [ml.Dense(4, 6), ml.SiLU(), ml.Dense(6, 3), ml.Softmax()]
    estimator = classifier(SPECIES, layers=layers)
    to_onnx(estimator, tmp_path / "iris.onnx")
    label, probabilities = run_onnxruntime(tmp_path / "iris.onnx", X)
    assert_same_labels(label, estimator.predict(X))
    assert_close(probabilities, estimator.predict_proba(X), 1)


def test_the_dtype_is_that_of_the_training_data(tmp_path: Path) -> None:
    estimator = MLPClassifier((5,), "tanh", alpha=1.0, random_state=0)
    estimator.fit(X.astype(np.float32), SPECIES)
    to_onnx(estimator, tmp_path / "iris.onnx")
    _, probabilities = run_onnxruntime(tmp_path / "iris.onnx", X.astype(np.float32))
    assert probabilities.dtype == np.float32


def test_names_of_features_and_classes_are_metadata(tmp_path: Path) -> None:
    path = tmp_path / "iris.onnx"
    table = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    estimator = MLPClassifier((5,), "tanh", alpha=1.0, random_state=0).fit(table, NAMES[SPECIES])

    def names() -> list[list[str]]:
        found = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        return [json.loads(found[key]) for key in ("feature_names", "class_names")]

    to_onnx(estimator, path)
    assert names() == [["a", "b", "c", "d"], list(NAMES)]
    first = path.read_bytes()
    to_onnx(estimator, path, class_names=["x", "y", "z"])
    assert names() == [["a", "b", "c", "d"], ["x", "y", "z"]]
    to_onnx(estimator, path)
    assert path.read_bytes() == first


def test_an_estimator_that_is_not_fitted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        to_onnx(MLPClassifier(), tmp_path / "iris.onnx")
    assert not list(tmp_path.iterdir())


def test_a_pipeline_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    pipeline: Any = make_pipeline(StandardScaler(), MLPClassifier())
    with pytest.raises(TypeError, match=r"use skl2onnx after register_skl2onnx\(\)$"):
        to_onnx(pipeline, tmp_path / "iris.onnx")


# Pipelines, by skl2onnx


def pipeline_of(estimator: MLPClassifier | MLPRegressor) -> Pipeline:
    """Return a pipeline that standardizes first."""
    return make_pipeline(StandardScaler(), estimator)


@pytest.fixture(autouse=True)
def registered() -> None:
    """Register the converters, as each user does; a second time changes nothing."""
    register_skl2onnx()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", LABELS)
def test_a_pipeline_with_a_classifier_is_converted(tmp_path: Path, name: str, dtype: str) -> None:
    pipeline = pipeline_of(MLPClassifier((5,), "tanh", alpha=1.0, random_state=0, max_fun=1000))
    pipeline.fit(X, LABELS[name])
    rows = X.astype(dtype)
    proto = skl2onnx.to_onnx(pipeline, rows[:1], options={"zipmap": False}, target_opset=17)
    path = tmp_path / "pipeline.onnx"
    path.write_bytes(proto.SerializeToString())
    for run in RUNTIMES.values():
        label, probabilities = run(path, rows)
        assert_same_labels(label, pipeline.predict(X))
        assert_close(probabilities, pipeline.predict_proba(X), 1)


def test_options_of_skl2onnx_work(tmp_path: Path) -> None:
    pipeline = pipeline_of(MLPClassifier((5,), "tanh", alpha=1.0, random_state=0))
    pipeline.fit(X, NAMES[SPECIES])
    rows = X[:1].astype(np.float32)
    path = tmp_path / "pipeline.onnx"
    path.write_bytes(skl2onnx.to_onnx(pipeline, rows).SerializeToString())
    _, (by_name,) = run_onnxruntime(path, rows)  # skl2onnx's default: a dictionary for each row
    found: Any = by_name
    expected = dict(zip(NAMES, pipeline.predict_proba(rows)[0], strict=True))
    assert found == pytest.approx(expected, abs=TOLERANCES["float32"])
    columns = skl2onnx.to_onnx(pipeline, rows, options={"zipmap": "columns"})
    assert len(columns.graph.output) == 1 + len(NAMES)


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_pipeline_with_a_regressor_is_converted(tmp_path: Path, name: str) -> None:
    estimator, targets = REGRESSORS[name]()
    pipeline = pipeline_of(estimator).fit(X, targets)
    path = tmp_path / "pipeline.onnx"
    path.write_bytes(skl2onnx.to_onnx(pipeline, X[:1], target_opset=17).SerializeToString())
    expected = pipeline.predict(X).reshape(len(X), -1)
    for run in RUNTIMES.values():
        assert_close(run(path, X)[0], expected, np.abs(expected))


def test_without_skl2onnx_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'minilayer\[skl2onnx\]'$"):
        register_skl2onnx()


def test_integers_are_inputs_too(tmp_path: Path) -> None:
    rows = np.rint(load_diabetes(scaled=False).data[:, :4]).astype(np.int64)
    targets = rows[:, 0] > 50
    estimator = MLPClassifier((5,), "tanh", alpha=1.0, random_state=0, standardize=True)
    estimator.fit(rows, targets)
    path = tmp_path / "integers.onnx"
    proto = skl2onnx.to_onnx(estimator, rows[:1], options={"zipmap": False})
    path.write_bytes(proto.SerializeToString())
    label, probabilities = run_onnxruntime(path, rows)
    assert_same_labels(label, estimator.predict(rows))
    assert_close(probabilities, estimator.predict_proba(rows), 1)


def test_two_networks_in_one_graph_do_not_share_names(tmp_path: Path) -> None:
    members = [(str(seed), MLPClassifier((3,), "tanh", random_state=seed)) for seed in (0, 1)]
    for _, member in members:
        member.set_params(alpha=1.0, standardize=True)
    voting = VotingClassifier(members, voting="soft", flatten_transform=False).fit(X, SPECIES)
    path = tmp_path / "voting.onnx"
    proto = skl2onnx.to_onnx(voting, X[:1].astype(np.float32), options={"zipmap": False})
    path.write_bytes(proto.SerializeToString())
    label, probabilities = run_onnxruntime(path, X.astype(np.float32))
    assert_same_labels(label, voting.predict(X))
    assert_close(probabilities, voting.predict_proba(X), 1)

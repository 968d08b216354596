"""Rows from files: every result has the bits of the same rows in memory, at the same shards."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.equal_bits import assert_equal_objectives, lbfgs_run
from tests.helpers.paths import ROOT
from tests.helpers.problems import PAIRS, random_parts
from tests.helpers.row_sources import STORES, OwnRows

ROWS = 301
"""No multiple of a chunk, a shard or a block."""

each_kind = pytest.mark.parametrize("kind", STORES)


def three_classes(rows: int = ROWS) -> tuple[Array, Array]:
    """Return X (rows, 6) and labels."""
    X = np.random.default_rng(0).standard_normal((rows, 6))
    return X, (X[:, 0] > 0).astype(int) + (X[:, 1] * X[:, 2] > 0)


def classifier() -> ml.Sequential:
    return ml.mlp(6, 7, 3, output=ml.Softmax, seed=0)


@each_kind
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("stored", ["float64", "float32", ">f4", "int16"])
@pytest.mark.parametrize("pair", ["sigmoid", "identity"])
def test_cost_gradient_and_products_have_the_bits_of_memory(
    kind: str, pair: str, stored: str, dtype: str, tmp_path: Path
) -> None:
    model, X, Y = random_parts(pair, ROWS)
    X = (100 * X).astype(stored)
    options: dict[str, Any] = {"shards": 4, "l2": 0.3, "dtype": dtype}
    options["sample_weight"] = np.linspace(0, 2, ROWS)
    loss = PAIRS[pair][1]()
    expected = ml.Objective(model, X, Y, loss, copy=False, **options)
    with STORES[kind](tmp_path, X) as rows, STORES[kind](tmp_path, Y) as targets:
        assert_equal_objectives(ml.Objective(model, rows, targets, loss, **options), expected)


@each_kind
@pytest.mark.parametrize("leading", [False, True])
def test_25_iterations_of_lbfgs_have_the_bits_of_memory(
    kind: str, leading: bool, tmp_path: Path
) -> None:
    def run(X: Any, labels: Any, **options: Any) -> dict[str, Any]:
        model = classifier()
        if leading:
            model.insert(0, ml.Standardize.of(X))
        loss = ml.CategoricalCrossEntropy()
        return lbfgs_run(ml.Objective(model, X, labels, loss, l2=1.0, shards=3, **options))

    X, labels = three_classes()
    with STORES[kind](tmp_path, X) as rows, STORES[kind](tmp_path, labels) as targets:
        np.testing.assert_equal(run(rows, targets), run(X, labels, copy=False))


@pytest.mark.parametrize("kernels", [None, "Haswell"])
def test_the_digits_have_the_bits_of_memory_whatever_the_kernels_of_blas(
    kernels: str | None, tmp_path: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if "CORETYPE" not in name}
    if kernels is not None:
        environment["OPENBLAS_CORETYPE"] = kernels
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.equal_bits", str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(STORES)


@each_kind
def test_copies_of_a_file_are_copies_of_memory(kind: str, tmp_path: Path) -> None:
    X, labels = three_classes()
    model, loss = classifier(), ml.CategoricalCrossEntropy()
    model.insert(0, ml.Standardize.of(X))
    expected = ml.Objective(model, X, labels, loss, shards=3)
    with STORES[kind](tmp_path, X) as rows, STORES[kind](tmp_path, labels) as targets:
        found = ml.Objective(model, rows, targets, loss, shards=3, copy=True)
        assert_equal_objectives(found, expected)
        assert found.fingerprint() == expected.fingerprint()
        assert found.identity() == expected.identity()
    found(found.x0)  # the file is closed


def test_rows_are_copied_by_default_if_all_are_in_memory() -> None:
    X, labels = three_classes()
    loss = ml.CategoricalCrossEntropy()
    cases = [
        (X, labels, "True"),
        (X.tolist(), labels.tolist(), "True"),
        (OwnRows(X), labels, "False"),
        (X, OwnRows(labels), "False"),
    ]
    for inputs, targets, expected in cases:
        objective = ml.Objective(classifier(), inputs, targets, loss)
        assert objective.identity()["copy"] == expected


@each_kind
@pytest.mark.parametrize("form", ["labels", "one-hot", "column", "numbers"])
def test_targets_may_be_in_a_file_of_their_own_while_rows_are_in_memory(
    kind: str, form: str, tmp_path: Path
) -> None:
    X, labels = three_classes()
    Y: Array = {
        "labels": labels.astype(np.uint8),
        "one-hot": ml.one_hot(labels, 3),
        "column": X[:, :1] ** 2,
        "numbers": X[:, 0].astype(np.float32),
    }[form]
    is_regression = form in ("column", "numbers")
    model = ml.mlp(6, 7, 1, seed=0) if is_regression else classifier()
    loss = ml.SquaredError() if is_regression else ml.CategoricalCrossEntropy()
    expected = ml.Objective(model, X, Y, loss, shards=3, copy=False)
    with STORES[kind](tmp_path, Y) as targets, STORES[kind](tmp_path, X) as rows:
        for inputs in (X, rows):
            found = ml.Objective(model, inputs, targets, loss, shards=3)
            assert_equal_objectives(found, expected)
        assert_equal_objectives(ml.Objective(model, rows, Y, loss, shards=3), expected)


def test_one_hot_targets_of_labels_in_memory_are_made_shard_by_shard() -> None:
    X, labels = three_classes()
    own = OwnRows(X)
    objective = ml.Objective(classifier(), own, labels, ml.CategoricalCrossEntropy(), shards=5)
    x = objective.x0
    labels[:] = 2  # the objective holds no other array of targets
    changed = ml.Objective(classifier(), own, labels, ml.CategoricalCrossEntropy(), shards=5)
    np.testing.assert_equal(objective(x), changed(x))


@each_kind
@pytest.mark.parametrize("class_weight", ["balanced", {0: 2.0, 2: 0.5}])
def test_weights_of_rows_and_classes_are_those_of_memory(
    kind: str, class_weight: Any, tmp_path: Path
) -> None:
    X, labels = three_classes()
    weights = np.linspace(0.5, 2, ROWS)
    loss = ml.CategoricalCrossEntropy()
    options = {"class_weight": class_weight, "shards": 2}
    expected = ml.Objective(
        classifier(), X, labels, loss, copy=False, sample_weight=weights, **options
    )
    with (
        STORES[kind](tmp_path, X) as rows,
        STORES[kind](tmp_path, labels) as targets,
        STORES[kind](tmp_path, weights) as own,
    ):
        found = ml.Objective(classifier(), rows, targets, loss, sample_weight=own, **options)
        assert_equal_objectives(found, expected)


@each_kind
@pytest.mark.parametrize("in_file", ["X", "Y", "both", "training too"])
@pytest.mark.parametrize("leading", [False, True])
def test_validation_rows_may_be_in_files(
    kind: str, in_file: str, leading: bool, tmp_path: Path
) -> None:
    X, labels = three_classes()
    other, other_labels = three_classes(57)
    model = classifier()
    if leading:
        model.insert(0, ml.Standardize(X.mean(axis=0), X.std(axis=0)))
    loss = ml.CategoricalCrossEntropy()
    expected = ml.Objective(model, X, labels, loss).validation_rows(other, other_labels)
    with (
        STORES[kind](tmp_path, X) as rows,
        STORES[kind](tmp_path, other) as other_rows,
        STORES[kind](tmp_path, other_labels) as targets,
    ):
        objective = ml.Objective(model, rows if in_file == "training too" else X, labels, loss)
        found = objective.validation_rows(
            other if in_file == "Y" else other_rows,
            other_labels if in_file == "X" else targets,
        )
        for x in (objective.x0, 2 * objective.x0):
            cost, predictions = found(x)
            expected_cost, expected_predictions = expected(x)
            assert cost == pytest.approx(expected_cost, rel=1e-13)
            np.testing.assert_allclose(predictions, expected_predictions, atol=1e-13)
        result = ml.LBFGS(max_iterations=5).minimize(
            objective, validation=ml.Validation(other_rows, targets, metric="accuracy")
        )
        predicted = model.predict_class(other)
        assert result.best_iteration is not None
        assert result.history.metric[result.best_iteration] == (predicted == other_labels).mean()


@each_kind
def test_fit_standardizes_by_the_file(kind: str, tmp_path: Path) -> None:
    X, _ = three_classes()
    X = X * [1, 10, 100, 1e-3, 1, 1] + [0, 5, 0, 0, 1e6, 0]
    Y = 1000 + 50 * np.sin(X[:, :1])
    in_memory = ml.mlp(6, 4, 1, seed=0)
    options: dict[str, Any] = {"standardize": True, "l2": 0.1, "max_iterations": 5, "shards": 2}
    expected = ml.fit(in_memory, X, Y, copy=False, **options)
    model = ml.mlp(6, 4, 1, seed=0)
    with STORES[kind](tmp_path, X) as rows, STORES[kind](tmp_path, Y) as targets:
        found = ml.fit(model, rows, targets, **options)
    np.testing.assert_array_equal(found.x, expected.x)
    for place in (0, -1):
        for name, value in in_memory.layers[place].config().items():
            np.testing.assert_array_equal(model.layers[place].config()[name], value)


def test_statistics_of_several_blocks_have_the_bits_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("minilayer.utils.row_source.BYTES_PER_BLOCK", 2000)
    monkeypatch.setattr("minilayer.nn.standardize.BYTES_PER_BLOCK", 500)
    X, _ = three_classes()
    own = OwnRows(X)
    for layer in (ml.Standardize, ml.Rescale):
        np.testing.assert_equal(layer.of(own).config(), layer.of(X).config())
    np.testing.assert_equal(
        ml.Rescale.of(OwnRows(X[:, 1])).config(), ml.Rescale.of(X[:, 1]).config()
    )
    assert len(own.reads) > 10
    assert all(stop - start < ROWS / 5 for start, stop in own.reads)


def test_the_progress_bar_shows_rows_a_second_of_files_alone() -> None:
    X, labels = three_classes()
    in_memory = ml.Objective(classifier(), X, labels, ml.CategoricalCrossEntropy())
    read = ml.Objective(classifier(), OwnRows(X), labels, ml.CategoricalCrossEntropy())
    assert read.progress_note() == ""
    for objective in (in_memory, read):
        objective(objective.x0)
    assert in_memory.progress_note() == ""
    assert re.fullmatch(r"[0-9.]+[kMG]? rows/s", read.progress_note())


def test_rows_picked_for_a_preconditioner_do_not_stay_in_memory() -> None:
    X, labels = three_classes()
    rows = OwnRows(X)
    objective = ml.Objective(classifier(), rows, labels, ml.CategoricalCrossEntropy(), l2=1.0)
    reads = []
    for _ in range(2):
        before = len(rows.reads)
        objective.preconditioner()
        reads.append(rows.reads[before:])
    assert reads[0] == reads[1] != []

"""Y as one row of labels or numbers instead of a matrix."""

from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.comparisons import assert_same_objective
from tests.helpers.problems import PAIRS, random_parts, small_model

ROWS = 12
LABELS = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 0, 0])


@pytest.mark.parametrize("pair", ["sigmoid", "softmax"])
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, list])
def test_labels_stand_for_one_hot_targets(pair: str, dtype: Any) -> None:
    model, X, _ = random_parts(pair, ROWS)
    loss = PAIRS[pair][1]()
    labels = LABELS.tolist() if dtype is list else LABELS.astype(dtype)
    one_hot = ml.Objective(model, X, ml.one_hot(LABELS, 3), loss)
    assert_same_objective(ml.Objective(model, X, labels, loss), one_hot, 0)


@pytest.mark.parametrize(
    "values", [np.linspace(0, 1, ROWS), LABELS > 0], ids=["numbers", "booleans"]
)
def test_one_row_of_numbers_is_the_column_of_one_output(values: Array) -> None:
    model = small_model([4, 1], ml.Tanh, ml.Identity, 0)
    X = random_parts("identity", ROWS)[1]
    loss = ml.SquaredError()
    column = ml.Objective(model, X, values[:, None], loss)
    assert_same_objective(ml.Objective(model, X, values, loss), column, 0)


def test_booleans_are_labels_of_two_classes() -> None:
    model = small_model([4, 2], ml.Tanh, ml.Softmax, 0)
    X = random_parts("softmax", ROWS)[1]
    loss = ml.CategoricalCrossEntropy()
    integers = ml.Objective(model, X, (LABELS > 0).astype(int), loss)
    assert_same_objective(ml.Objective(model, X, LABELS > 0, loss), integers, 0)


def test_one_row_of_numbers_for_several_outputs_is_refused() -> None:
    model, X, _ = random_parts("identity", ROWS)
    expected = r"Y: expected 3 columns \(outputs of the model\), found shape \(12,\)"
    with pytest.raises(ValueError, match=expected):
        ml.Objective(model, X, np.ones(ROWS), ml.SquaredError())


@pytest.mark.parametrize(
    ("pair", "dtype", "has_hint"),
    [
        ("softmax", np.int64, True),
        ("softmax", np.uint8, True),
        ("softmax", np.float64, False),
        ("identity", np.int64, False),
        ("identity", np.float64, False),
    ],
)
def test_only_a_column_of_labels_is_told_to_become_one_row(
    pair: str, dtype: Any, has_hint: bool
) -> None:
    model, X, _ = random_parts(pair, ROWS)
    loss = PAIRS[pair][1]()
    with pytest.raises(ValueError, match=r"^Y: expected 3 columns .*, found 1") as caught:
        ml.Objective(model, X, LABELS[:, None].astype(dtype), loss)
    assert ("use Y.ravel() for labels" in str(caught.value)) == has_hint

"""sample_weight and class_weight: rows that count more than once, classes that count alike."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

import minilayer as ml
from tests.helpers.comparisons import assert_same_objective
from tests.helpers.problems import PAIRS, random_parts, small_model

ROWS = 12
LABELS = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 0, 0])


@pytest.mark.parametrize(
    "options", [{}, {"shards": 5, "workers": 2}, {"copy": False, "shards": 2}], ids=str
)
@pytest.mark.parametrize("pair", PAIRS)
@given(st.lists(st.integers(0, 3), min_size=ROWS, max_size=ROWS).filter(any))
def test_a_weight_is_the_number_of_copies_of_the_row(
    pair: str, options: dict[str, Any], counts: list[int]
) -> None:
    model, X, Y = random_parts(pair, ROWS)
    loss = PAIRS[pair][1]()
    weighted = ml.Objective(model, X, Y, loss, l2=0.7, sample_weight=counts, **options)
    rows = np.repeat(np.arange(ROWS), counts)
    assert_same_objective(weighted, ml.Objective(model, X[rows], Y[rows], loss, l2=0.7))


@pytest.mark.parametrize("pair", PAIRS)
def test_weights_of_one_change_nothing(pair: str) -> None:
    model, X, Y = random_parts(pair, ROWS)
    loss = PAIRS[pair][1]()
    weighted = ml.Objective(model, X, Y, loss, l2=0.7, sample_weight=np.ones(ROWS))
    assert_same_objective(weighted, ml.Objective(model, X, Y, loss, l2=0.7))


@pytest.mark.parametrize("pair", PAIRS)
def test_weighted_gradients_are_differences(pair: str) -> None:
    model, X, Y = random_parts(pair, ROWS)
    weights = np.random.default_rng(3).random(ROWS)
    objective = ml.Objective(model, X, Y, PAIRS[pair][1](), l2=0.7, sample_weight=weights)
    assert ml.check_gradient(objective).worst < 1e-7


def test_weights_work_in_single_precision() -> None:
    model, X, Y = random_parts("sigmoid", ROWS)
    weights = np.random.default_rng(3).random(ROWS)
    double, single = (
        ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), sample_weight=weights, dtype=dtype)
        for dtype in ("float64", "float32")
    )
    assert_same_objective(single, double, 1e-5)


def balanced_weights(labels: Any) -> dict[int, float]:
    """Return scikit-learn's balanced weights of three classes."""
    weights = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    return dict(enumerate(weights))


@pytest.mark.parametrize("pair", ["sigmoid", "softmax"])
@pytest.mark.parametrize(
    ("class_weight", "expected"),
    [
        ("balanced", balanced_weights(LABELS)),
        ([1.0, 2.0, 0.5], {0: 1.0, 1: 2.0, 2: 0.5}),
        ({1: 4}, {0: 1.0, 1: 4.0, 2: 1.0}),
    ],
)
def test_a_class_weight_is_the_weight_of_its_rows(
    pair: str, class_weight: Any, expected: dict[int, float]
) -> None:
    model, X, _ = random_parts(pair, ROWS)
    loss = PAIRS[pair][1]()
    rows = [expected[label] for label in LABELS]
    by_class = ml.Objective(model, X, LABELS, loss, l2=0.7, class_weight=class_weight)
    by_row = ml.Objective(model, X, LABELS, loss, l2=0.7, sample_weight=rows)
    assert_same_objective(by_class, by_row)
    own = np.arange(1.0, ROWS + 1)
    both = ml.Objective(
        model, X, LABELS, loss, l2=0.7, class_weight=class_weight, sample_weight=own
    )
    if class_weight == "balanced":  # of rows that count so often
        expected = balanced_weights(np.repeat(LABELS, own.astype(int)))
        rows = [expected[label] for label in LABELS]
    product = ml.Objective(model, X, LABELS, loss, l2=0.7, sample_weight=own * rows)
    assert_same_objective(both, product)


def test_balanced_weights_count_a_row_as_often_as_its_sample_weight() -> None:
    model, X, _ = random_parts("softmax", ROWS)
    counts = np.arange(ROWS) % 3 + 1
    loss = ml.CategoricalCrossEntropy()
    weighted = ml.Objective(
        model, X, LABELS, loss, l2=0.7, sample_weight=counts, class_weight="balanced"
    )
    rows = np.repeat(np.arange(ROWS), counts)
    repeated = ml.Objective(model, X[rows], LABELS[rows], loss, l2=0.7, class_weight="balanced")
    assert_same_objective(weighted, repeated)


def test_balanced_weights_ignore_a_class_without_rows() -> None:
    model, X, _ = random_parts("softmax", ROWS)
    labels = np.where(LABELS == 2, 1, LABELS)
    rows = compute_class_weight("balanced", classes=np.arange(2), y=labels)[labels]
    loss = ml.CategoricalCrossEntropy()
    balanced = ml.Objective(model, X, labels, loss, class_weight="balanced")
    assert_same_objective(balanced, ml.Objective(model, X, labels, loss, sample_weight=rows))


def test_one_output_has_two_classes() -> None:
    model = small_model([4, 1], ml.Tanh, ml.Sigmoid, 0)
    _, X, _ = random_parts("sigmoid", ROWS)
    labels = (LABELS > 0).astype(int)
    loss = ml.BinaryCrossEntropy()
    by_class = ml.Objective(model, X, labels, loss, class_weight=[1, 3])
    by_row = ml.Objective(model, X, labels[:, None], loss, sample_weight=1 + 2 * labels)
    assert_same_objective(by_class, by_row)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_weight": np.ones(5)}, r"sample_weight: expected shape \(12,\), found \(5,\)"),
        (
            {"sample_weight": -np.arange(12)},
            "sample_weight: expected numbers >= 0, found -11 in row 11",
        ),
        (
            {"sample_weight": np.full(12, np.nan)},
            "sample_weight: expected finite numbers, found nan in row 0",
        ),
        ({"sample_weight": ["a"] * 12}, "sample_weight: expected numbers, found dtype <U1"),
        (
            {"sample_weight": np.zeros(12)},
            "sample_weight and class_weight: expected at least one row of positive weight, found 0",
        ),
        (
            {"class_weight": "equal"},
            "class_weight: expected 'balanced' or a weight for each class, found 'equal'",
        ),
        (
            {"class_weight": [1, 2]},
            r"class_weight: expected 3 weights, one a class, found \[1, 2\]",
        ),
        ({"class_weight": 3.0}, "class_weight: expected 3 weights, one a class, found 3.0"),
        ({"class_weight": {3: 1.0}}, "class_weight: expected classes 0..2, found 3"),
        ({"class_weight": {1.0: 2}}, "class_weight: expected classes 0..2, found 1.0"),
        ({"Y": [[1, 0, 0]] * 11 + [[1]]}, "Y: expected a rectangular array of numbers"),
        (
            {"class_weight": {1: -1.0}},
            "class_weight of class 1: expected a finite number >= 0, found -1.0",
        ),
        ({"class_weight": [1, 2, "x"]}, "class_weight of class 2: expected a number, found 'x'"),
        (
            {"class_weight": "balanced", "Y": np.ones((12, 3))},
            "class_weight: expected one class a row, found targets that sum to 3 in row 0",
        ),
    ],
)
def test_wrong_weights_are_refused(arguments: dict[str, Any], message: str) -> None:
    model, X, _ = random_parts("sigmoid", ROWS)
    good = {"model": model, "X": X, "Y": LABELS, "loss": ml.BinaryCrossEntropy()}
    with pytest.raises((ValueError, TypeError), match=message):
        ml.Objective(**{**good, **arguments})


def test_class_weights_of_a_regression_are_refused() -> None:
    model, X, Y = random_parts("identity", ROWS)
    expected = r"class_weight: expected a loss for classes, .* found SquaredError\(\)"
    with pytest.raises(ValueError, match=expected):
        ml.Objective(model, X, Y, ml.SquaredError(), class_weight="balanced")

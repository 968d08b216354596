"""Metrics against their definitions, and against scikit-learn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

import minilayer as ml

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=50)


@given(pairs)
def test_the_confusion_matrix_counts(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = zip(*pairs, strict=True)
    matrix = ml.confusion_matrix(labels, predicted, 5)
    assert all(matrix[t, p] == pairs.count((t, p)) for t in range(5) for p in range(5))
    assert ml.accuracy(labels, predicted) == pytest.approx(np.trace(matrix) / len(pairs))
    table = ml.confusion_table(matrix).splitlines()
    assert len(table) == 6
    assert len({len(line) for line in table}) == 1


@given(pairs)
def test_counts_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = zip(*pairs, strict=True)
    every = list(range(5))
    assert ml.accuracy(labels, predicted) == pytest.approx(
        reference.accuracy_score(labels, predicted)
    )
    matrix = ml.confusion_matrix(labels, predicted, 5)
    np.testing.assert_array_equal(
        matrix, reference.confusion_matrix(labels, predicted, labels=every)
    )
    expected = reference.precision_recall_fscore_support(
        labels, predicted, labels=every, zero_division=np.nan
    )
    for ours, theirs in zip(ml.precision_recall(labels, predicted, 5), expected, strict=False):
        np.testing.assert_allclose(ours, theirs, rtol=1e-15)


@given(pairs)
def test_errors_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    targets, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    for ours, theirs in (
        (ml.mean_squared_error, reference.mean_squared_error),
        (ml.mean_absolute_error, reference.mean_absolute_error),
    ):
        assert ours(targets, predicted) == pytest.approx(theirs(targets, predicted))
        columns = (targets[:, None] * [1, 2], predicted[:, None] * [1, 3])
        assert ours(*columns) == pytest.approx(theirs(*columns))


@pytest.mark.parametrize(
    ("targets", "predicted", "message"),
    [
        (
            [1, 2],
            [[1], [2]],
            r"predicted: expected .* \(2,\), found \(2, 1\): use predicted\[:, 0\]",
        ),
        ([1, 2], [1, 2, 3], r"predicted: expected the shape of targets, \(2,\), found \(3,\)"),
        ([1.0, np.nan], [1, 2], "targets: expected finite numbers, found nan in row 1"),
        ([1, 2], ["a", "b"], "predicted: expected numbers, found dtype <U1"),
        ([], [], r"predicted: expected the shape of targets, \(0,\), found \(0,\)"),
    ],
)
def test_wrong_arguments_of_errors_are_refused(targets: Any, predicted: Any, message: str) -> None:
    for error in (ml.mean_squared_error, ml.mean_absolute_error):
        with pytest.raises((ValueError, TypeError), match=message):
            error(targets, predicted)


@pytest.mark.parametrize(
    ("labels", "predicted", "expected"),
    [
        ([0, 1, 1], [0.2, 0.5, 0.7], 2 / 3),
        ([0, 1, 1], [[0.2], [0.5], [0.7]], 2 / 3),
        ([0, 1], [0.0, 1.0], 1.0),
        ([0, 2], [[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]], 1.0),
        ([[1, 0], [0, 1]], [[0.5, 0.5], [0.9, 0.1]], 0.5),
        ([[1.0, 0.0], [0.0, 1.0]], [0, 1], 1.0),
    ],
)
def test_accuracy_takes_scores_and_one_hot_rows(
    labels: Any, predicted: Any, expected: float
) -> None:
    assert ml.accuracy(labels, predicted) == expected


@pytest.mark.parametrize(
    ("labels", "predicted", "message"),
    [
        ([0, 1, 2], [0.0, 1.0, 2.0], r"labels: expected 0..1 for scores of 2 classes, found 2"),
        ([0, 1], [0.0, 2.0], "predicted: expected probabilities from 0 to 1 in one column"),
        ([0, 3], [[0.1, 0.9], [0.1, 0.9]], "labels: expected 0..1 for scores of 2 classes"),
        (
            [[1, 1], [0, 1]],
            [[0.1, 0.9], [0.1, 0.9]],
            "labels: expected class numbers .* or one-hot",
        ),
        ([0, 1], [0.0, np.nan], "predicted: expected finite numbers, found nan in row 1"),
        ([0, 1], [0], "predicted: expected as many as labels, 2, found 1"),
        ([0.5, 1], [0, 1], "labels: expected integers, found dtype float64"),
    ],
)
def test_wrong_arguments_of_accuracy_are_refused(labels: Any, predicted: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.accuracy(labels, predicted)


scored = st.lists(
    st.tuples(st.integers(0, 3), st.tuples(*[st.integers(-2, 2)] * 4)), min_size=1, max_size=30
)
"""Rows of a label and four scores. There are five scores, so many are equal."""


@given(scored, st.integers(1, 3))
def test_top_k_is_scikit_learns(rows: list[tuple[int, tuple[int, ...]]], k: int) -> None:
    """scikit-learn breaks ties for the higher class, so it gets the classes in reverse."""
    labels, scores = (np.array(column) for column in zip(*rows, strict=True))
    expected = reference.top_k_accuracy_score(3 - labels, scores[:, ::-1], k=k, labels=range(4))
    assert ml.top_k_accuracy(labels, scores, k) == pytest.approx(expected)
    assert ml.top_k_accuracy(labels, scores, 4) == 1


@given(scored)
def test_top_1_is_the_accuracy(rows: list[tuple[int, tuple[int, ...]]]) -> None:
    labels, scores = zip(*rows, strict=True)
    assert ml.top_k_accuracy(labels, scores) == ml.accuracy(labels, np.argmax(scores, axis=1))


def test_precision_and_recall_of_a_class_without_rows_are_nan() -> None:
    precision, recall = ml.precision_recall([0, 0, 1], [0, 2, 2], 4)
    np.testing.assert_array_equal(precision, [1, np.nan, 0, np.nan])
    np.testing.assert_array_equal(recall, [0.5, 0, np.nan, np.nan])


@pytest.mark.parametrize(
    ("labels", "scores", "k", "message"),
    [
        ([0, 1], [[1, 2]], 1, "scores: expected a row for each label, 2, found 1"),
        ([0, 1], [[1], [2]], 1, "scores: expected a column for each class, found 1: use accuracy"),
        ([0, 2], [[1, 2], [1, 2]], 1, "labels: expected 0..1 for 2 columns of scores, found 2"),
        ([0], [[1, 2]], 3, "k: expected at most the number of classes, 2, found 3"),
        ([0], [[1, 2]], 0, "k: expected at least 1, found 0"),
        ([0], [[1, 2]], 1.0, "k: expected an integer, found 1.0"),
        ([0], [[1, np.nan]], 1, "scores: expected finite numbers, found nan in row 0, column 1"),
        ([0], [1, 2], 1, "scores: expected 2 dimensions"),
        ([0.5], [[1, 2]], 1, "labels: expected integers, found dtype float64"),
    ],
)
def test_wrong_arguments_of_top_k_are_refused(
    labels: Any, scores: Any, k: Any, message: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.top_k_accuracy(labels, scores, k)


@pytest.mark.parametrize(
    ("labels", "predicted", "classes", "message"),
    [
        ([0, 1], [0], 2, "predicted: expected as many as labels, 2, found 1"),
        ([0, 1], [0, 2], 2, "classes: expected more than the highest class number, 2, found 2"),
        ([0, 1], [0.5, 1], 2, "predicted: expected integers, found dtype float64"),
        (
            [0, 1],
            [[0.5], [1]],
            2,
            r"predicted: .* found shape \(2, 1\): of scores use \[:, 0\] > 0.5",
        ),
        (
            [0, 1],
            [[0.5, 1], [1, 0]],
            2,
            r"predicted: .* found shape \(2, 2\): of scores use .argmax\(axis=1\)",
        ),
        ([[0], [1]], [0, 1], 2, r"labels: .* found shape \(2, 1\): use .ravel\(\)"),
    ],
)
def test_wrong_arguments_are_refused(
    labels: Any, predicted: Any, classes: int, message: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.confusion_matrix(labels, predicted, classes)
    with pytest.raises((ValueError, TypeError), match=message):
        ml.precision_recall(labels, predicted, classes)


def test_a_confusion_table_has_class_names() -> None:
    matrix = ml.confusion_matrix([0, 1, 1, 2], [0, 0, 1, 2], 3)
    names = np.array(["setosa", "versicolor", "virginica"])
    head, *rows = ml.confusion_table(matrix, class_names=names).splitlines()
    assert head.split() == ["true\\predicted", *names, "right"]
    assert [row.split()[0] for row in rows] == list(names)
    assert rows[1].split()[1:] == ["1", "1", ".", "50.0%"]
    assert len({len(row) for row in (head, *rows)}) == 1
    plain = ml.confusion_table(matrix)
    assert plain == ml.confusion_table(matrix, class_names=["0", "1", "2"])
    assert plain.splitlines()[1] == "             0    1    .    .  100.0%"


def test_large_counts_are_separated() -> None:
    row = ml.confusion_table([[123456, 234567], [1, 2]]).splitlines()[1]
    assert row.split() == ["0", "123456", "234567", "34.5%"]


@pytest.mark.parametrize(
    ("matrix", "class_names", "message"),
    [
        ([[1, 0], [0, 1]], ["a"], "class_names: expected 2, one a class, found 1"),
        ([[1, 0], [0, 1]], "ab", "class_names: expected a list of strings, such as "),
        ([[1, 0], [0, 1]], 2, "class_names: expected a list of strings, such as "),
        ([[1, 0], [0, 1]], ["a", None], "class_names: expected strings, found None"),
        ([[1, 0]], None, "matrix: expected as many columns as rows, 1, found 2"),
    ],
)
def test_wrong_arguments_of_confusion_table_are_refused(
    matrix: Any, class_names: Any, message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        ml.confusion_table(matrix, class_names=class_names)

"""Accuracy, the confusion matrix and its table."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("labels", "predicted", "classes", "message"),
    [
        ([0, 1], [0], 2, "predicted: expected as many as labels, 2, found 1"),
        ([0, 1], [0, 2], 2, "classes: expected more than the highest class number, 2, found 2"),
        ([0, 1], [0.5, 1], 2, "predicted: expected integers, found dtype float64"),
    ],
)
def test_wrong_arguments_are_named(labels: Any, predicted: Any, classes: int, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.confusion_matrix(labels, predicted, classes)

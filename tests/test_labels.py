"""one_hot, stratified_split, and labels of any kind as class numbers."""

import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilayer as ml
from minilayer.utils.types import Array


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 3], 3, "labels: expected 0..2 for 3 classes, found 3"),
        ([-1, 0], 3, "labels: expected class numbers from 0 up, found -1"),
        ([0.0, 1.0], 3, "labels: expected integers, found dtype float64"),
        ([[0], [1]], 3, r"labels: expected a 1-D array of class numbers, found shape \(2, 1\)"),
        ([], 3, "labels: expected a 1-D array of class numbers"),
        (["a"], 3, "labels: expected numbers, found dtype <U1"),
        ([0], 0, "classes: expected at least 1, found 0"),
    ],
)
def test_one_hot_refuses(labels: Any, classes: int, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        ml.one_hot(labels, classes)


@pytest.mark.parametrize("seed", range(5))
def test_split_is_stratified_disjoint_and_complete(digits: tuple[Array, Array], seed: int) -> None:
    labels = digits[1]
    train, held = ml.stratified_split(labels, 0.2, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, held])), np.arange(5000))
    assert np.bincount(labels[held]).tolist() == [100] * 10
    again = ml.stratified_split(labels, 0.2, seed)
    np.testing.assert_array_equal(held, again[1])


@pytest.mark.parametrize("test_size", [0, 1, -0.1, 1.5, float("nan")])
def test_split_refuses_other_shares(test_size: float) -> None:
    with pytest.raises(ValueError, match="test_size: expected a share between 0 and 1, found"):
        ml.stratified_split([0, 1], test_size)


def test_split_shows_what_was_given_as_a_share() -> None:
    with pytest.raises(
        TypeError, match=r"^test_size: expected a number, found an array of shape \(3,\)$"
    ):
        ml.stratified_split([0, 1], np.ones(3))  # type: ignore[arg-type]


def test_split_that_holds_nothing_out_is_refused() -> None:
    with pytest.raises(
        ValueError, match="test_size: expected a share of at least one row of a class"
    ):
        ml.stratified_split([0, 1], 0.1)


# encode_labels and decode_labels

ENCODED: dict[str, tuple[Any, list[int], list[Any]]] = {
    "strings": (["b", "a", "b"], [1, 0, 1], ["a", "b"]),
    "an array of strings": (np.array(["b", "a"]), [1, 0], ["a", "b"]),
    "objects": (np.array(["b", "a"], object), [1, 0], ["a", "b"]),
    "integers": ([7, 3, 7], [1, 0, 1], [3, 7]),
    "numbers": ([1.5, -1], [1, 0], [-1.0, 1.5]),
    "booleans": ([True, False], [1, 0], [False, True]),
    "a Series": (pd.Series(["b", "a"], index=[5, 9]), [1, 0], ["a", "b"]),
    "nullable integers": (pd.Series([7, 3], dtype="Int64"), [1, 0], [3, 7]),
    "an Index": (pd.Index(["b", "a"]), [1, 0], ["a", "b"]),
    "categories in their order": (
        pd.Series(["low", "high"], dtype=pd.CategoricalDtype(["low", "mid", "high"])),
        [0, 2],
        ["low", "mid", "high"],
    ),
    "a Categorical": (pd.Categorical(["b", "a"]), [1, 0], ["a", "b"]),
    "categories that are numbers": (pd.Series([7, 3], dtype="category"), [1, 0], [3, 7]),
    "polars": (pl.Series(["b", "a"]), [1, 0], ["a", "b"]),
    "polars integers": (pl.Series([7, 3]), [1, 0], [3, 7]),
    "a polars Categorical": (pl.Series(["b", "a"], dtype=pl.Categorical), [1, 0], ["a", "b"]),
    "a polars Enum": (
        pl.Series(["low", "high"], dtype=pl.Enum(["low", "mid", "high"])),
        [0, 2],
        ["low", "mid", "high"],
    ),
}


@pytest.mark.parametrize("kind", ENCODED)
def test_labels_of_any_kind_become_class_numbers_and_back(kind: str) -> None:
    labels, expected, names = ENCODED[kind]
    codes, classes = ml.encode_labels(labels)
    assert codes.dtype == np.int64
    assert codes.tolist() == expected
    assert classes.tolist() == names
    assert ml.decode_labels(codes, classes).tolist() == [names[code] for code in expected]


@given(labels=st.lists(st.text(max_size=3) | st.text(max_size=3), min_size=1, max_size=9))
def test_classes_are_those_of_numpy(labels: list[str]) -> None:
    labels = [label.rstrip("\0") for label in labels]  # NumPy ends its strings there
    codes, classes = ml.encode_labels(labels)
    expected, inverse = np.unique(labels, return_inverse=True)
    np.testing.assert_array_equal(classes, expected)
    np.testing.assert_array_equal(codes, inverse)


MISSING = "labels: expected a label in each row, found none in row 1: drop the row"
NO_LABELS: dict[str, tuple[Any, type[Exception], str]] = {
    "None": (["a", None], ValueError, MISSING),
    "NaN": ([1.0, np.nan], ValueError, MISSING),
    "NaN among strings": (np.array(["a", np.nan], object), ValueError, MISSING),
    "NaT": (np.array(["2024-01-01", "NaT"], "M8[D]"), ValueError, MISSING),
    "NA": (pd.Series([1, None], dtype="Int64"), ValueError, MISSING),
    "a missing string": (pd.Series(["a", None]), ValueError, MISSING),
    "a missing category": (pd.Series(["a", None], dtype="category"), ValueError, MISSING),
    "null": (pl.Series(["a", None]), ValueError, MISSING),
    "a null number": (pl.Series([1, None]), ValueError, MISSING),
    "a null of an Enum": (pl.Series(["a", None], dtype=pl.Enum(["a"])), ValueError, MISSING),
    "several kinds": (
        [1, "a"],
        TypeError,
        "labels: expected labels of one kind, found 1 in row 0 and 'a' in row 1",
    ),
    "no order": (
        [{}, {}],
        TypeError,
        "labels: expected labels that have an order, found {}",
    ),
    "a column": (
        np.array([["a"], ["b"]]),
        ValueError,
        "labels: expected a 1-D array of labels, found shape (2, 1): use labels.ravel()",
    ),
    "a table": (
        pd.DataFrame({"kind": ["a"], "size": [1]}),
        ValueError,
        "labels: expected one column, found a DataFrame of 2: use labels['kind']",
    ),
    "nothing": ([], ValueError, "labels: expected a 1-D array of labels, found shape (0,)"),
    "one string": ("ab", ValueError, "labels: expected a 1-D array of labels, found shape ()"),
}


@pytest.mark.parametrize("kind", NO_LABELS)
def test_what_are_no_labels_is_refused(kind: str) -> None:
    labels, error, message = NO_LABELS[kind]
    with pytest.raises(error, match=re.escape(message)):
        ml.encode_labels(labels)


def test_codes_that_are_no_classes_are_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("codes: expected 0..1 for 2 classes, found 2")):
        ml.decode_labels([0, 2], ["no", "yes"])
    with pytest.raises(
        ValueError, match=re.escape("classes: expected a 1-D array, found shape ()")
    ):
        ml.decode_labels([0], "no")


def test_classes_name_confusion_tables() -> None:
    codes, classes = ml.encode_labels(pd.Series([7, 3, 7]))
    table = ml.confusion_table(ml.confusion_matrix(codes, [1, 0, 0], 2), class_names=classes)
    assert table.split("\n")[0].split() == ["true\\predicted", "3", "7", "right"]

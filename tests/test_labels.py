"""one_hot and stratified_split."""

from typing import Any

import numpy as np
import pytest

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

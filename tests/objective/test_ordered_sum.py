"""Sums in groups: the same bits, whoever adds the groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilayer.objective.ordered_sum import MAX_TERMS, OrderedSum, groups


@given(count=st.integers(1, 3000))
def test_groups_hold_each_term_once_and_in_order(count: int) -> None:
    found = groups(count)
    assert [term for group in found for term in group] == list(range(count))
    sizes = [len(group) for group in found]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) == 1 if count <= MAX_TERMS else len(found) ** 2 < 2 * count + 2 * len(found)


@pytest.mark.parametrize("count", [1, 2, 64, 65, 70, 1000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_groups_that_are_added_elsewhere_give_the_same_bits(count: int, dtype: str) -> None:
    rng = np.random.default_rng(count)
    vectors = rng.standard_normal((count, 7)).astype(dtype)
    losses = rng.standard_normal(count)
    total = rng.standard_normal(7)
    expected = total.copy()
    expected_loss = 0.0
    for group in groups(count):  # as workers and client of a cluster do
        of_group = vectors[group[0]].astype(np.float64)
        of_losses = losses[group[0]]
        for term in group[1:]:
            of_group = of_group + vectors[term]
            of_losses = of_losses + losses[term]
        expected += of_group
        expected_loss += of_losses
    sums = OrderedSum(count, total)
    for loss, vector in zip(losses, vectors, strict=True):
        sums.add(loss, vector)
    np.testing.assert_array_equal(total, expected)
    assert sums.loss == expected_loss

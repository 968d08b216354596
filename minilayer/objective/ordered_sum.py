"""Sums of vectors whose bits depend on the number of terms alone, in one process or in many."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from ..utils.types import Array
from .shards import equal_edges

MAX_TERMS = 64
"""That are added one after the other. More are added in groups, which a cluster's workers do."""


def groups(count: int) -> list[range]:
    """Return which terms are added first: up to 64 each by itself, else about sqrt(count) groups.

    Parameters
    ----------
    count : int
        Number of terms.

    Returns
    -------
    list of range
        The groups in order.

    Examples
    --------
    >>> groups(2), len(groups(64)), [len(group) for group in groups(70)]
    ([range(0, 1), range(1, 2)], 64, [7, 8, 8, 8, 7, 8, 8, 8, 8])
    """
    number = count if count <= MAX_TERMS else math.isqrt(count - 1) + 1
    return [range(start, stop) for start, stop in pairwise(equal_edges(count, number))]


class OrderedSum:
    """Adds losses and vectors in their order.

    Parameters
    ----------
    count : int
        How many terms there will be.
    total : ndarray
        What the vectors are added to, in place.

    Attributes
    ----------
    loss : float
        The sum of the losses of all whole groups.
    """

    def __init__(self, count: int, total: Array) -> None:
        self.loss = 0.0
        self._total = total
        self._sizes = [len(group) for group in reversed(groups(count))]
        self._left = 0  # terms of the open group that are still to come
        self._group_loss = 0.0
        self._group = total  # replaced by a sum of its own if a group has several terms

    def add(self, loss: float, vector: Array) -> None:
        """Add the next term."""
        if self._left == 0:
            self._left = self._sizes.pop()
            self._group_loss = loss
            self._group = vector if self._left == 1 else vector.astype(np.float64)
        else:
            self._group_loss += loss
            np.add(self._group, vector, out=self._group)
        self._left -= 1
        if self._left == 0:
            self.loss += self._group_loss
            np.add(self._total, self._group, out=self._total)

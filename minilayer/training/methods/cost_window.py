"""CostWindow: whether the last iterations of a run still lower the cost."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

ITERATIONS = 10
"""Iterations that must lower the cost together."""
ACCELERATING = 4
"""Last iterations that show whether the falls of the cost grow."""


@dataclass(frozen=True)
class CostWindow:
    """The last costs since a restart, and the cost at the restart.

    A restart is where the method's memory was empty.
    """

    restart_cost: float
    costs: tuple[float, ...]

    @classmethod
    def at(cls, cost: float) -> Self:
        """Return the window at a restart."""
        return cls(cost, (cost,))

    def after(self, cost: float) -> Self:
        """Return the window after one more iteration."""
        return type(self)(self.restart_cost, (*self.costs[-ITERATIONS:], cost))

    def is_stalled(self, tolerance: float) -> bool:
        """Return whether the last iterations lowered the cost by no more than that share of it.

        Falls that grow are no stall: along a flat valley they double with each iteration.
        """
        first, last = self.costs[0], self.costs[-1]
        if len(self.costs) <= ITERATIONS or first - last > tolerance * abs(last):
            return False
        falls = [before - after for before, after in pairwise(self.costs[-ACCELERATING - 1 :])]
        return not all(later > earlier for earlier, later in pairwise(falls))

    def has_gained(self, tolerance: float) -> bool:
        """Return whether the cost fell by more than that share since the restart."""
        last = self.costs[-1]
        return self.restart_cost - last > tolerance * abs(last)

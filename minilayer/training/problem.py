"""What an objective may answer: minilayer's own keeps to it, one of the user's might not."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..utils.checks import check_numeric, check_vector, shown
from ..utils.types import Array


class Preconditioner(Protocol):
    """A product v -> P v, P symmetric positive definite and fixed until it is refreshed."""

    def refresh(self, x: Array, /) -> None:
        """Make P fit the objective at x."""

    def __call__(self, v: Array, /) -> Array:
        """P v, a new array."""


def check_answer(answer: object, size: int) -> tuple[float, Array]:
    """(cost, gradient (size,) float64) of what an objective returned, be it of lists or of other numbers.

    Raises TypeError or ValueError for anything else. A NaN or an infinity is an answer.
    """
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        raise TypeError(f"objective: expected a function that returns (cost, gradient), it returned {shown(answer)}")
    cost = check_numeric("objective's cost", answer[0])
    if cost.size != 1:
        raise ValueError(f"objective's cost: expected one number, found {shown(cost)}")
    return float(cost.item()), check_vector("objective's gradient", answer[1], size).astype(np.float64, copy=False)

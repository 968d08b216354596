"""InverseHessian: what L-BFGS knows of the Hessian from its last steps."""

from __future__ import annotations

import sys
from collections import deque
from typing import NamedTuple, final

import numpy as np

from ...utils.types import Array, State
from ..problem import PreconditionerLike
from ..resume.state_check import Entries, Floats

MIN_COSINE = 1e-10
"""Between step and change of the gradient; pairs with less say nothing of curvature."""


class SecantPair(NamedTuple):
    """A step s, the change y of the gradient along it, and 1 / s'y."""

    step: Array
    change: Array
    inverse_product: float


@final
class InverseHessian:
    """The last ``memory`` secant pairs, and products H v with them.

    H is BFGS's inverse of the Hessian after these pairs. It begins with the preconditioner P times
    s'y / y'Py of the last pair (Nocedal, Updating quasi-Newton matrices with limited storage,
    1980). P may differ between products.
    """

    def __init__(self, memory: int) -> None:
        self._pairs: deque[SecantPair] = deque(maxlen=memory)

    def __len__(self) -> int:
        return len(self._pairs)

    @property
    def pairs(self) -> tuple[SecantPair, ...]:
        """The pairs, the oldest first."""
        return tuple(self._pairs)

    def clear(self) -> None:
        """Forget all pairs."""
        self._pairs.clear()

    def add(self, step: Array, change: Array) -> None:
        """Remember a pair, in place of the oldest if full; not one of no curvature, s'y <= 0."""
        product = float(step @ change)
        least = MIN_COSINE * np.sqrt(float(step @ step) * float(change @ change))
        if product > max(least, sys.float_info.min):  # so that 1 / product is finite
            self._pairs.append(SecantPair(step, change, 1 / product))

    def dot(self, v: Array, precondition: PreconditionerLike | None) -> Array:
        """Return H v, by the two loops of Nocedal's recursion; a new array."""
        from scipy.linalg.blas import daxpy  # at the first use, as importing SciPy takes a while

        product = v.copy()
        factors = []
        for pair in reversed(self._pairs):
            factors.append(pair.inverse_product * float(pair.step @ product))
            product = daxpy(pair.change, product, a=-factors[-1])
        if precondition is not None:
            product = precondition(product)
        if self._pairs:
            last = self._pairs[-1]
            image = last.change if precondition is None else precondition(last.change)
            curvature = last.inverse_product * float(last.change @ image)
            if curvature != 0:  # it is 0 if y'Py is too small for a float
                product *= 1 / curvature
        for pair, factor in zip(self._pairs, reversed(factors), strict=True):
            share = pair.inverse_product * float(pair.change @ product)
            product = daxpy(pair.step, product, a=factor - share)
        return product

    def restore(self, state: State) -> None:
        """Take the pairs of ``pairs_state``."""
        self._pairs.clear()
        if state:
            columns = (state["steps"], state["changes"], state["inverse_products"])
            for step, change, inverse_product in zip(*columns, strict=True):
                self._pairs.append(SecantPair(step, change, float(inverse_product)))


def expected_pairs(size: int) -> Entries:
    """Return what ``restore`` needs, for so many parameters."""
    rows = Floats((None, size))
    columns = {"steps": rows, "changes": rows, "inverse_products": Floats((None,))}
    return Entries(columns, may_be_empty=True, have_equal_lengths=True)


def pairs_state(pairs: tuple[SecantPair, ...]) -> State:
    """Return pairs as arrays by name."""
    if not pairs:
        return {}
    return {
        "steps": np.stack([pair.step for pair in pairs]),
        "changes": np.stack([pair.change for pair in pairs]),
        "inverse_products": np.array([pair.inverse_product for pair in pairs]),
    }

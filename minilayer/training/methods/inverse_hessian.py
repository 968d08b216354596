"""Secants: what L-BFGS remembers of the curvature along its last steps."""

from __future__ import annotations

from typing import final

import numpy as np
from scipy.linalg.blas import daxpy

from ...utils.types import Array
from ..problem import Preconditioner

NEGLIGIBLE = 1e-10


@final
class Secants:
    """The last ``memory`` pairs of a step s and the change y of the gradient along it, and products H v with them.

    H is the inverse of the Hessian as BFGS's formula has it after these pairs, begun with the preconditioner P times
    s'y / y'Py of the last pair (Nocedal, Updating quasi-Newton matrices with limited storage, 1980). P may be another
    at each product.
    """

    def __init__(self, memory: int, size: int) -> None:
        self._steps, self._changes = np.empty((2, memory, size))
        self._inverse_products = [0.0] * memory
        self._order: list[int] = []

    def __len__(self) -> int:
        return len(self._order)

    def clear(self) -> None:
        """Forget all pairs."""
        self._order.clear()

    def add(self, step: Array, change: Array) -> None:
        """Remember a pair, in place of the oldest where there is no room; not one without curvature (s'y <= 0)."""
        product = float(step @ change)
        if not product > NEGLIGIBLE * np.sqrt(float(step @ step) * float(change @ change)):
            return
        full = len(self._order) == len(self._inverse_products)
        place = self._order.pop(0) if full else len(self._order)
        self._steps[place], self._changes[place] = step, change
        self._inverse_products[place] = 1 / product
        self._order.append(place)

    def apply(self, v: Array, precondition: Preconditioner | None) -> Array:
        """H v, by the two loops of Nocedal's recursion; a new array."""
        product, factors = v.copy(), dict[int, float]()
        for place in reversed(self._order):
            factors[place] = self._inverse_products[place] * float(self._steps[place] @ product)
            product = daxpy(self._changes[place], product, a=-factors[place])
        if precondition is not None:
            product = precondition(product)
        if self._order:
            last, inverse_product = self._changes[self._order[-1]], self._inverse_products[self._order[-1]]
            product *= 1 / (inverse_product * float(last @ (last if precondition is None else precondition(last))))
        for place in self._order:
            share = self._inverse_products[place] * float(self._changes[place] @ product)
            product = daxpy(self._steps[place], product, a=factors[place] - share)
        return product

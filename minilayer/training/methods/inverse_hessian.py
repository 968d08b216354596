"""InverseHessian: what L-BFGS knows of the Hessian from its last steps."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from ...utils.types import Array, State
from ..problem import PreconditionerLike
from ..resume.state_check import Entries, Expected, Floats

MIN_COSINE = 1e-10
"""Between step and change of the gradient; pairs with less say nothing of curvature."""


@final
class InverseHessian:
    """The last ``memory`` secant pairs, and products H v with them.

    A pair is a step s and the change y of the gradient along it, both divided by the root of s'y.
    H is BFGS's inverse of the Hessian after these pairs. It begins with the preconditioner P times
    1 / y'Py of the last pair (Nocedal, 1980). P may differ between products.

    Products are in the compact representation: with the pairs as columns of S and Y, and R the
    upper triangle of S'Y, whose diagonal is 1,

        q = inv(R) S'v,    r = P (v - Y q) / y'Py,    H v = r + S inv(R)' (q - Y'r)

    Parameters
    ----------
    memory : int
        Number of pairs.
    size : int
        Number of parameters.

    References
    ----------
    Byrd, Nocedal and Schnabel, Representations of quasi-Newton matrices and their use in limited
    memory methods, 1994. Nocedal, Updating quasi-Newton matrices with limited storage, 1980.
    """

    def __init__(self, memory: int, size: int) -> None:
        self._memory = memory
        self._size = size
        self._start()

    def __len__(self) -> int:
        return len(self._slots)

    def clear(self) -> None:
        """Forget all pairs."""
        self._start()

    def _start(self) -> None:
        # One slot is spare: snapshots see the pairs from before the last ``add``.
        self._steps = np.zeros((self._memory + 1, self._size))
        self._changes = np.zeros((self._memory + 1, self._size))
        self._added = 0  # pairs since the memory was empty
        self._slots = np.empty(0, dtype=np.intp)  # of the pairs, the oldest first
        self._inverse_triangle = np.empty((0, 0))  # inv(R)

    def add(self, step: Array, change: Array) -> None:
        """Remember a pair, in place of the oldest if full; not one of no curvature, s'y <= 0."""
        product = float(step @ change)
        least = MIN_COSINE * math.sqrt(float(step @ step)) * math.sqrt(float(change @ change))
        if not product > max(least, sys.float_info.min):  # nor if it is NaN
            return
        slot = self._added % len(self._steps)
        scale = 1 / math.sqrt(product)
        np.multiply(step, scale, out=self._steps[slot])
        np.multiply(change, scale, out=self._changes[slot])
        kept = self._slots[len(self._slots) == self._memory :]
        self._added += 1
        steps, _ = self._used()
        column = (steps @ self._changes[slot])[kept]  # of R, above its diagonal
        self._inverse_triangle = _with_column(self._inverse_triangle, column)
        self._slots = np.append(kept, slot)

    def dot(self, v: Array, precondition: PreconditionerLike | None) -> Array:
        """Return H v, a new array."""
        if not len(self):
            return v.copy() if precondition is None else precondition(v)
        steps, changes = self._used()
        q = self._inverse_triangle @ (steps @ v)[self._slots]
        weights = np.zeros(len(steps))
        weights[self._slots] = q
        r = v - weights @ changes
        if precondition is not None:
            r = precondition(r)
        r *= self._scale(precondition)
        weights[self._slots] = (q - (changes @ r)[self._slots]) @ self._inverse_triangle
        r += weights @ steps
        return r

    def _scale(self, precondition: PreconditionerLike | None) -> float:
        """Return 1 / y'Py of the last pair; 1 if it is too small for a float."""
        last = self._changes[self._slots[-1]]
        image = last if precondition is None else precondition(last)
        curvature = float(last @ image)
        return 1 / curvature if curvature > sys.float_info.min else 1.0

    def _used(self) -> tuple[Array, Array]:
        """Return steps and changes of all slots that have been used."""
        used = slice(self._added)
        return self._steps[used], self._changes[used]

    def snapshot(self) -> Callable[[], State]:
        """Return a function that gives the pairs of now until a second pair is added."""
        steps, changes = self._steps, self._changes
        slots, inverse_triangle = self._slots, self._inverse_triangle
        numbers = np.arange(self._added - len(slots), self._added)

        def state() -> State:
            if not len(slots):
                return {}
            return {
                "steps": steps[slots],
                "changes": changes[slots],
                "inverse_triangle": inverse_triangle,
                "numbers": numbers.astype(np.float64),
            }

        return state

    def restore(self, state: State) -> None:
        """Take the pairs of ``snapshot``. Those of earlier checkpoints are not scaled."""
        self.clear()
        if not state:
            return
        if "numbers" not in state:
            for step, change in zip(state["steps"], state["changes"], strict=True):
                self.add(step, change)
            return
        numbers = state["numbers"].astype(np.intp)
        self._added = int(numbers[-1]) + 1
        self._slots = numbers % len(self._steps)
        self._steps[self._slots] = state["steps"]
        self._changes[self._slots] = state["changes"]
        self._inverse_triangle = state["inverse_triangle"]


def _with_column(inverse: Array, column: Array) -> Array:
    """Return the inverse of an upper triangle that gets a column, with 1 on the diagonal.

    Rows and columns of ``inverse`` before the last ``len(column)`` are left out.
    """
    size = len(column)
    kept = inverse[len(inverse) - size :, len(inverse) - size :]
    longer = np.zeros((size + 1, size + 1))
    longer[:size, :size] = kept
    longer[:size, size] = -(kept @ column)
    longer[size, size] = 1
    return longer


@final
@dataclass(frozen=True)
class ExpectedPairs:
    """What ``restore`` needs, for so many parameters."""

    size: int

    def checked(self, value: object, place: str) -> State:
        rows = Floats((None, self.size))
        columns: dict[str, Expected] = {"steps": rows, "changes": rows}
        if isinstance(value, dict) and "inverse_products" in value:  # of earlier checkpoints
            columns["inverse_products"] = Floats((None,))
        else:
            columns["inverse_triangle"] = Floats((None, None), is_square=True)
            columns["numbers"] = Floats((None,), is_count=True)
        pairs = Entries(columns, may_be_empty=True, have_equal_lengths=True)
        return pairs.checked(value, place)

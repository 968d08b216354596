"""Work arrays that are allocated once and used again at every pass."""

from __future__ import annotations

import math

import numpy as np

from ..utils.types import Array


class Workspace:
    """Named arrays, kept from one call to the next: asking for the same size again allocates nothing.

    Arrays are Fortran-ordered: one unit's values for all rows lie side by side. That is what BLAS and the elementwise
    loops are fastest at when rows are many and units few, and ``x @ weight.T`` reads the same in either order.

    >>> work = Workspace()
    >>> first = work.array("z", (4, 3), np.dtype("float64"))
    >>> bool(np.shares_memory(first, work.array("z", (2, 3), np.dtype("float64"))))
    True
    """

    def __init__(self) -> None:
        self._buffers: dict[str, Array] = {}
        self._given: dict[str, Array] = {}  # the last of each name: mostly the one that is asked for again

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """An array of that shape with undefined values; what it held under this name before is overwritten."""
        given = self._given.get(name)
        if given is not None and given.shape == shape and given.dtype == dtype:
            return given
        size = math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size or buffer.dtype != dtype:
            buffer = self._buffers[name] = np.empty(size, dtype)
        given = self._given[name] = buffer[:size].reshape(shape, order="F")
        return given

"""Workspace: arrays that are allocated once and reused in every pass."""

from __future__ import annotations

import math

import numpy as np

from ..utils.types import Array


class Workspace:
    """Named arrays, kept from call to call: asking for the same size again allocates nothing.

    Arrays are Fortran-ordered: one unit's values for all rows lie side by side. BLAS and
    elementwise loops are fastest at that layout when rows are many and units few.

    Examples
    --------
    >>> work = Workspace()
    >>> first = work.array("z", (4, 3), np.dtype("float64"))
    >>> bool(np.shares_memory(first, work.array("z", (2, 3), np.dtype("float64"))))
    True
    """

    def __init__(self) -> None:
        self._buffers: dict[str, Array] = {}
        self._last: dict[str, Array] = {}  # usually the shape that is asked for again

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """Return an array with undefined values; it shares memory with earlier ones of its name.

        Parameters
        ----------
        name : str
            Which array; arrays of different names never overlap.
        shape : tuple of int
            The shape.
        dtype : numpy.dtype
            The precision.

        Returns
        -------
        ndarray
            A Fortran-ordered array. The next call with this name overwrites it.
        """
        last = self._last.get(name)
        if last is not None and last.shape == shape and last.dtype == dtype:
            return last
        size = math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size or buffer.dtype != dtype:
            buffer = self._buffers[name] = np.empty(size, dtype)
        array = self._last[name] = buffer[:size].reshape(shape, order="F")
        return array

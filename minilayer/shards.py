"""Shards: the rows of X and Y cut into pieces that are evaluated one by one."""

from __future__ import annotations

from itertools import pairwise
from typing import final

import numpy as np

from .checks import Array, check_finite
from .workspace import Workspace


@final
class Shards:
    """Consecutive rows of X and Y, as equal in number as can be, in the precision that they are computed in.

    With ``copy`` each shard is copied once, Fortran-ordered (a feature's values side by side), which is what OpenBLAS
    is fastest at. Without it shards are views, converted at each use where their dtype is another.
    """

    def __init__(self, X: Array, Y: Array, count: int, dtype: np.dtype, copy: bool) -> None:
        edges = [len(X) * shard // count for shard in range(count + 1)]
        self.dtype = dtype
        self._parts = [
            (self._prepare("X", X[start:stop], copy), self._prepare("Y", Y[start:stop], copy))
            for start, stop in pairwise(edges)
        ]

    def __len__(self) -> int:
        return len(self._parts)

    def load(self, shard: int, work: Workspace) -> tuple[Array, Array]:
        """x and y of a shard, not to be written to; converted ones are good until the next ``load`` with ``work``."""
        x, y = self._parts[shard]
        return self._convert("x", x, work), self._convert("y", y, work)

    def _prepare(self, name: str, part: Array, copy: bool) -> Array:
        if not copy:
            return part
        with np.errstate(over="ignore"):  # told of below
            prepared = np.array(part, dtype=self.dtype, order="F")
        if prepared.dtype.itemsize < part.dtype.itemsize:
            check_finite(f"{name} as {self.dtype}", prepared)
        return prepared

    def _convert(self, name: str, part: Array, work: Workspace) -> Array:
        if part.dtype == self.dtype:
            return part
        converted = work.array(name, part.shape, self.dtype)
        np.copyto(converted, part, casting="same_kind")
        return converted

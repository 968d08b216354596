"""Shards: the rows of X and Y cut into pieces that are evaluated one by one."""

from __future__ import annotations

from itertools import pairwise
from typing import final

import numpy as np

from .checks import Array, check_finite
from .workspace import Workspace

SHARD_ROWS, SHARDS_OF_SOME, SHARD_WORK, EXPONENTIAL = 8000, 4, 25_000_000, 60


def default_shards(rows: int, parameters: int, units: int) -> int:
    """The sharding that Objective chooses: it depends on the sizes alone, so that results do not depend on the machine.

    Large shards, as threads pay for each hand-over: of about 8000 rows. Up to four for the CPUs to share, as long as
    each has some four milliseconds of work (25 million products; an activation counts for 60). Measured on two cores
    with tests/benchmarks: four shards instead of two took the exercise's network 1.1 times the time in float64 and 1.2
    times in float32; at 10,000 rows of 32-16-1 four shards took 1.1 and 1.9 times the time of a single one.
    """
    work = rows * (parameters + EXPONENTIAL * units)
    return max(1, min(SHARDS_OF_SOME, work // SHARD_WORK), round(rows / SHARD_ROWS))


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

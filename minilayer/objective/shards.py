"""Shards: the rows of a problem cut into pieces that are evaluated one by one."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import final

import numpy as np

from ..nn.workspace import Workspace
from ..utils.checks import check_finite
from ..utils.types import Array

SHARD_ROWS, SHARD_NUMBERS = 16_000, 1_000_000
SHARDS_OF_SOME, SHARD_WORK, EXPONENTIAL = 4, 25_000_000, 60

Rows = tuple[Array, Array, Array | None]
"""Inputs (m, inputs), targets (m, outputs), and weights (m, 1) or None."""


def default_shards(rows: int, parameters: int, units: int) -> int:
    """The sharding that Objective chooses: it depends on the sizes alone, so that results do not depend on the machine.

    Large shards, as threads pay for each hand-over: about 16,000 rows or a million activations (each worker has a few
    arrays of these), in fours, which two and four CPUs share alike. Fewer rows are cut for the CPUs too, in up to four
    shards, as long as each has some four milliseconds of work (25 million products; an activation counts for 60).
    Measured on two cores with tests/benchmarks: four shards instead of two took the exercise's network 1.1 times the
    time in float64 and 1.2 times in float32; at 10,000 rows of 32-16-1 four shards took 1.1 and 1.9 times the time of a
    single one; a million rows in shards of 8000 took 1.0 and 1.2 times the time of those in shards of 15,000.
    """
    work = rows * (parameters + EXPONENTIAL * units)
    large = max(rows / SHARD_ROWS, rows * units / SHARD_NUMBERS)
    even = round(large) if large < SHARDS_OF_SOME / 2 else SHARDS_OF_SOME * max(1, round(large / SHARDS_OF_SOME))
    return max(1, min(SHARDS_OF_SOME, work // SHARD_WORK), even)


@final
class Shards:
    """Consecutive rows, pieces as equal as can be, in the precision that they are computed in.

    With ``copy`` each shard is copied once, Fortran-ordered (a feature's values side by side), which is what OpenBLAS
    is fastest at. Without it shards are views, converted at each use where their dtype is another.
    """

    def __init__(self, rows: Rows, count: int, dtype: np.dtype, copy: bool) -> None:
        self.dtype, self.edges = dtype, _edges(len(rows[0]), count)
        self.parts: list[Rows] = []
        self._row_by_row: list[Rows] | None = None
        inputs, targets, weights = rows
        for start, stop in pairwise(self.edges):
            x, y = (self._prepare(name, part[start:stop], copy) for name, part in (("X", inputs), ("Y", targets)))
            weight = None if weights is None else self._prepare("sample_weight", weights[start:stop], True)
            self.parts.append((x, y, weight))
        if not copy:
            self._row_by_row = self.parts

    def __len__(self) -> int:
        return len(self.parts)

    def load(self, shard: int, work: Workspace) -> Rows:
        """A shard's rows, not to be written to; converted ones are good until the next ``load`` with ``work``."""
        x, y, weight = self.parts[shard]
        return self._convert("x", x, work), self._convert("y", y, work), weight

    def spread(self, count: int) -> Array:
        """Inputs of about ``count`` rows, as far apart as can be, of those that count; a new array."""
        step = max(1, self.edges[-1] // count)
        chosen = []
        for start, (x, _, weight) in zip(self.edges, self.parts, strict=False):
            rows = slice(-start % step, None, step)
            some = x[rows].astype(self.dtype)
            chosen.append(some if weight is None else some[weight[rows, 0] > 0])
        return np.concatenate(chosen)

    @property
    def row_by_row(self) -> list[Rows]:
        """The parts with each row's numbers side by side, for taking rows out: from columns that takes far longer.

        Made of copied shards at the first use, which doubles their memory.
        """
        if self._row_by_row is None:
            self._row_by_row = [
                (np.ascontiguousarray(x), np.ascontiguousarray(y), weight) for x, y, weight in self.parts
            ]
        return self._row_by_row

    def digest(self) -> str:
        """A text that is another for other rows, another precision or other cuts."""
        digest = hashlib.sha256(f"{self.dtype}|{self.edges}".encode())
        for shard in range(len(self)):
            for part in self.load(shard, Workspace()):
                if part is not None:
                    digest.update(np.ascontiguousarray(part).data)
        return digest.hexdigest()

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


@final
class Batch:
    """Some rows of Shards, in their order there, cut into ``count`` pieces that are gathered as they are loaded."""

    def __init__(self, shards: Shards, rows: Array, count: int) -> None:
        self._parts, self._starts, self._dtype = shards.row_by_row, shards.edges, shards.dtype
        self._rows = np.sort(rows)
        self._edges = _edges(len(rows), min(count, len(rows)))

    def __len__(self) -> int:
        return len(self._edges) - 1

    def load(self, piece: int, work: Workspace) -> Rows:
        """A piece's rows, good until the next ``load`` with ``work``."""
        rows = self._rows[self._edges[piece] : self._edges[piece + 1]]
        places = np.searchsorted(rows, self._starts)
        gathered: list[Array | None] = []
        for name, first in zip(("x", "y", "weight"), self._parts[0], strict=True):
            whole = None if first is None else work.array(name, (len(rows), first.shape[1]), self._dtype)
            gathered.append(whole)
        for shard, (start, stop) in enumerate(pairwise(places)):
            own = rows[start:stop] - self._starts[shard]
            for whole, part in zip(gathered, self._parts[shard], strict=True):
                if whole is not None and part is not None and len(own):
                    whole[start:stop] = part[own]
        x, y, weight = gathered
        assert x is not None
        assert y is not None
        return x, y, weight


def _edges(rows: int, count: int) -> list[int]:
    return [rows * piece // count for piece in range(count + 1)]

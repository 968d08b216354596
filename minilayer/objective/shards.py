"""Shards: the rows of a problem, cut into pieces that threads evaluate side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import final

import numpy as np

from ..nn import Layer, Sequential, Workspace
from ..utils.checks import check_finite
from ..utils.row_source import AnyRows, RowSource
from ..utils.types import Array

ROWS_PER_SHARD = 16_000
ACTIVATIONS_PER_SHARD = 1_000_000
SHARD_GROUP = 4
"""Large problems are cut into multiples of this, which two and four CPUs share evenly."""
MULTIPLY_ADDS_PER_SHARD = 25_000_000
"""The least work worth a shard: some four milliseconds."""
MULTIPLY_ADDS_PER_EXP = 60
"""The work of one activation."""
ROWS_PER_PASS = 2048
"""Through leading layers, so that their memory does not grow with the data."""

Rows = tuple[Array, Array, Array | None]
"""Inputs (m, inputs), targets (m, outputs), and weights (m, 1) or None."""

GivenRows = tuple[AnyRows, AnyRows, Array | None]
"""The same; inputs and targets in memory, or to be read."""


def default_shards(rows: int, parameters: int, units: int) -> int:
    """Return the number of shards that Objective chooses, a function of the sizes alone.

    Results so do not depend on the machine. Each shard has about 16,000 rows or a million
    activations: handing work to threads costs time, and each worker has a few arrays of that size.
    Smaller problems are cut into up to four shards as long as each has enough work.

    Measured on two cores (``tests/benchmarks``): four shards instead of two took the exercise's
    network 1.1 times the time in float64 and 1.2 times in float32. At 10,000 rows of 32-16-1, four
    shards took 1.1 and 1.9 times the time of one. A million rows in shards of 8000 took 1.0 and 1.2
    times the time of shards of 15,000.
    """
    work = rows * (parameters + MULTIPLY_ADDS_PER_EXP * units)
    by_size = max(rows / ROWS_PER_SHARD, rows * units / ACTIVATIONS_PER_SHARD)
    if by_size < SHARD_GROUP / 2:
        large = round(by_size)
    else:
        large = SHARD_GROUP * max(1, round(by_size / SHARD_GROUP))
    small = min(SHARD_GROUP, work // MULTIPLY_ADDS_PER_SHARD)
    return max(1, small, large)


def default_shards_of(model: Sequential, rows: int) -> int:
    """Return the number of shards for so many rows of a model."""
    units = sum(layer.units or 0 for layer in model.layers)
    return default_shards(rows, model.parameters.size, units)


def equal_edges(count: int, pieces: int) -> list[int]:
    """Return where pieces of nearly equal size begin and end; none of them is empty."""
    number = min(count, pieces)
    return [count * piece // number for piece in range(number + 1)]


@final
class Shards:
    """Consecutive rows in pieces of nearly equal size, in the precision of the computation.

    With ``copy`` each shard is copied once, Fortran-ordered (one feature's values side by side),
    which OpenBLAS is fastest at. Without it shards are views, or read from a file at each use, and
    converted at each use if their dtype differs.

    Parameters
    ----------
    rows : tuple of ndarray or RowSource
        Inputs, targets and weights of all rows. Weights are in memory.
    count : int
        Number of pieces.
    dtype : numpy.dtype
        The precision of the computation.
    copy : bool
        Whether shards are copies.
    leading : tuple of Layer
        Layers that the copies have passed already, in float64: without ``copy`` none.
    input_dtype : numpy.dtype, optional
        The precision of the inputs, if it is another than ``dtype``.
    """

    def __init__(
        self,
        rows: GivenRows,
        count: int,
        dtype: np.dtype,
        *,
        copy: bool,
        leading: tuple[Layer, ...] = (),
        input_dtype: np.dtype | None = None,
    ) -> None:
        inputs, targets, weights = rows
        self.dtype = dtype
        self.input_dtype = dtype if input_dtype is None else input_dtype
        self.edges = equal_edges(len(inputs), count)
        self._is_copied = copy  # decides the memory order, and with it the last digits
        self._row_ordered: GivenRows | None = None
        self._sources: list[RowSource] = []
        self._copies: list[Rows] = []
        if not copy:
            if weights is not None:
                weights = _prepared("sample_weight", weights, dtype)
            self._row_ordered = inputs, targets, weights
            self._sources = [part for part in rows if isinstance(part, RowSource)]
            return
        for start, stop in pairwise(self.edges):
            if leading:
                x = through(leading, inputs[start:stop], self.input_dtype)
            else:
                x = _prepared("X", inputs[start:stop], self.input_dtype)
            y = _prepared("Y", targets[start:stop], dtype)
            weight = None
            if weights is not None:
                weight = _prepared("sample_weight", weights[start:stop], dtype)
            self._copies.append((x, y, weight))

    def __len__(self) -> int:
        return len(self.edges) - 1

    def load(self, shard: int, work: Workspace) -> Rows:
        """Return a shard's rows, not to be written to; ``work``'s next load overwrites them.

        DataError for rows that cannot be read.
        """
        if self._is_copied:
            return self._copies[shard]
        inputs, targets, weights = self.row_ordered
        start, stop = self.edges[shard], self.edges[shard + 1]
        x = self._convert("x", _read("x", inputs, start, stop, work), work, self.input_dtype)
        y = self._convert("y", _read("y", targets, start, stop, work), work, self.dtype)
        return x, y, None if weights is None else weights[start:stop]

    def check_unchanged(self) -> None:
        """Raise DataError if a file is known to have changed."""
        for source in self._sources:
            source.check_unchanged()

    def shuffled_rows(self, rng: np.random.Generator) -> Iterator[Array]:
        """Yield all row numbers once, in random order, some at a time, as files are best read."""
        if self._sources:
            yield from self._sources[0].shuffled_rows(rng)
        else:
            yield rng.permutation(self.edges[-1])

    @property
    def rows_read_together(self) -> int:
        """Rows whose order in minibatches is not independent: 1 in memory."""
        return self._sources[0].unit if self._sources else 1

    def spread(self, count: int) -> tuple[Array, Array]:
        """Return inputs and targets of about ``count`` rows of positive weight, evenly spread."""
        candidates = self._rows_of_positive_weight()
        chosen = candidates[:: max(1, len(candidates) // count)]
        if not self._is_copied:
            x, y, _ = self.row_ordered
            picked = x[chosen].astype(self.input_dtype), y[chosen].astype(self.dtype)
            for source in self._sources:  # their units are not picked from again
                source.forget_units()
            return picked
        inputs = []
        targets = []
        for (x, y, _), (start, stop) in zip(self._copies, pairwise(self.edges), strict=True):
            own = chosen[np.searchsorted(chosen, start) : np.searchsorted(chosen, stop)] - start
            inputs.append(x[own])
            targets.append(y[own])
        return np.concatenate(inputs), np.concatenate(targets)

    def _rows_of_positive_weight(self) -> Array:
        if self._is_copied:
            weights = [weight for _, _, weight in self._copies if weight is not None]
        else:
            own = self.row_ordered[2]
            weights = [] if own is None else [own]
        if not weights:
            return np.arange(self.edges[-1])
        return np.flatnonzero(np.concatenate(weights)[:, 0] > 0)

    @property
    def row_ordered(self) -> GivenRows:
        """All rows with each row's numbers side by side, from which a minibatch is gathered.

        If shards are copies, made at the first use, which doubles their memory: gathering rows from
        Fortran-ordered arrays takes far longer.
        """
        if self._row_ordered is None:
            inputs, targets, weights = zip(*self._copies, strict=True)
            has_weights = weights[0] is not None
            self._row_ordered = (
                _joined(inputs),
                _joined(targets),
                _joined(weights) if has_weights else None,
            )
        return self._row_ordered

    @property
    def is_read(self) -> bool:
        """Whether any rows are read from a file at each use."""
        return bool(self._sources)

    @property
    def is_copied(self) -> bool:
        """Whether the shards are copies."""
        return self._is_copied

    def digest(self) -> str:
        """Return a checksum of rows, precision and sharding."""
        digest = hashlib.sha256(f"{self.dtype}|{self.edges}|{self._is_copied}".encode())
        if self._sources:  # they decide the order of minibatches
            digest.update(f"|{self.rows_read_together}".encode())
        work = Workspace()
        for shard in range(len(self)):
            for part in self.load(shard, work):
                if part is not None:
                    digest.update(np.ascontiguousarray(part).data)
        return digest.hexdigest()

    @staticmethod
    def _convert(name: str, part: Array, work: Workspace, dtype: np.dtype) -> Array:
        if part.dtype == dtype:
            return part
        converted = work.array(name, part.shape, dtype)
        with np.errstate(all="ignore"):
            np.copyto(converted, part, casting="same_kind")
        return converted


@final
class Minibatch:
    """Some rows of Shards, in order, in ``count`` pieces that are gathered when they are loaded."""

    def __init__(self, shards: Shards, rows: Array, count: int) -> None:
        self._inputs, self._targets, self._weights = shards.row_ordered
        self._shards = shards
        self._dtype = shards.dtype
        self._input_dtype = shards.input_dtype
        self._rows = np.sort(rows)
        self._edges = equal_edges(len(rows), count)

    def __len__(self) -> int:
        return len(self._edges) - 1

    def check_unchanged(self) -> None:
        """Raise DataError if a file is known to have changed."""
        self._shards.check_unchanged()

    def load(self, piece: int, work: Workspace) -> Rows:
        """Return a piece's rows, which last until ``work`` loads another."""
        rows = self._rows[self._edges[piece] : self._edges[piece + 1]]
        x = self._gather("x", _picked(self._inputs, rows), work, self._input_dtype)
        y = self._gather("y", _picked(self._targets, rows), work, self._dtype)
        if self._weights is None:
            return x, y, None
        return x, y, self._gather("weight", self._weights[rows], work, self._dtype)

    def _gather(self, name: str, chosen: Array, work: Workspace, dtype: np.dtype) -> Array:
        gathered = work.array(name, chosen.shape, dtype)
        gathered[...] = chosen
        return gathered


def through(layers: tuple[Layer, ...], x: Array, dtype: np.dtype) -> Array:
    """Return what layers make of rows, in float64, as a new Fortran-ordered array of ``dtype``.

    ValueError if it is not finite.
    """
    passed: Array | None = None
    for start in range(0, len(x), ROWS_PER_PASS):
        rows = slice(start, start + ROWS_PER_PASS)
        y = x[rows].astype(np.float64, copy=False)
        with np.errstate(all="ignore"):
            for layer in layers:
                y = layer.forward(y)
            if passed is None:
                passed = np.empty((len(x), y.shape[1]), dtype, order="F")
            passed[rows] = y
    assert passed is not None  # a shard has rows
    check_finite(f"X after {layers[-1]!r}, as {dtype}", passed)
    return passed


def _read(name: str, rows: AnyRows, start: int, stop: int, work: Workspace) -> Array:
    """Return consecutive rows: a view, or read into an array of ``work`` where that is faster."""
    if not isinstance(rows, RowSource):
        return rows[start:stop]
    buffer = work.array(f"{name} of a file", (rows.shape[1], stop - start), rows.dtype)
    return rows.read(start, stop, buffer.T)


def _picked(source: AnyRows, rows: Array) -> Array:
    """Return the rows of sorted row numbers; of a file, what lies beside them is kept."""
    return source.pick(rows, keep=True) if isinstance(source, RowSource) else source[rows]


def _prepared(name: str, part: Array, dtype: np.dtype) -> Array:
    """Return a Fortran-ordered copy; ValueError for numbers beyond its precision."""
    with np.errstate(all="ignore"):  # an overflow is refused below
        prepared = np.array(part, dtype=dtype, order="F")
    if prepared.dtype.itemsize < part.dtype.itemsize:
        check_finite(f"{name} as {dtype}", prepared)
    return prepared


def _joined(parts: tuple[Array, ...]) -> Array:
    """Return the parts as one C-ordered array."""
    joined = np.empty((sum(map(len, parts)), parts[0].shape[1]), parts[0].dtype)
    np.concatenate(parts, out=joined)
    return joined

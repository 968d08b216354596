"""RowSource: rows that are read when they are needed, from files or from an object of your own."""

from __future__ import annotations

import math
import mmap
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Protocol, TypeAlias, final

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from .checks import check_matrix, check_matrix_shape, short_repr
from .types import Array
from .watched_file import WatchedFile

BYTES_PER_READ = 1 << 18
"""Of single rows that are picked: as fast as one after the other, on today's disks."""
BYTES_PER_BLOCK = 1 << 23
"""Of a pass over all rows, and of the rows that a minibatch is drawn from."""
BYTES_MAPPED_AROUND = 1 << 16
"""Pages that Linux maps beside the one that is read. Giving pages back too early does no harm."""
MIN_UNITS_TOGETHER = 4
"""Units whose rows are shuffled together, however large the chunks of a file are."""


class Sliceable(Protocol):
    """What an object of your own offers, so that its rows are read when they are needed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and columns."""

    @property
    def dtype(self) -> Any:
        """A NumPy dtype of numbers."""

    def __getitem__(self, rows: slice, /) -> Any:
        """Return the rows start to stop - 1 as an array of that dtype."""


RowsLike: TypeAlias = npt.ArrayLike | Sliceable
"""What users give as X or Y."""


class RowSource(ABC):
    """Rows that are not in memory. Shape, dtype, ``len`` and slices are those of an array.

    Attributes
    ----------
    name : str
        The argument that messages name.
    shape : tuple of int
        Rows, and columns if there are two dimensions.
    dtype : numpy.dtype
        Of every block.
    unit : int
        Rows that are read together when single rows are picked.
    """

    def __init__(self, name: str, shape: tuple[int, ...], dtype: np.dtype, unit: int) -> None:
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self.unit = unit
        self._start_cache()

    @abstractmethod
    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        """Return rows start to stop - 1: a view of ``out`` if that is faster, not to be written to.

        ``out`` is a C-ordered array of the block's shape and dtype. DataError for rows that cannot
        be read.
        """

    def check_unchanged(self) -> None:
        """Raise DataError if the rows are known to be others than at the start."""

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | Array) -> Array:
        """Return the rows of a slice, or those of sorted row numbers, as a new array."""
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            return self.read(start, max(start, stop))
        return self.pick(rows)

    def pick(self, rows: Array, *, keep: bool = False) -> Array:
        """Return the rows of sorted row numbers as a new array.

        With ``keep`` the units that they are part of stay in memory, until others need the place.
        """
        picked = np.empty((len(rows), *self.shape[1:]), self.dtype)
        edges = np.flatnonzero(np.diff(rows // self.unit)) + 1
        for part in np.split(np.arange(len(rows)), edges):
            first, last = int(rows[part[0]]), int(rows[part[-1]])
            if keep:
                first = first // self.unit * self.unit
                block = self._read_unit(first)
            else:
                block = self.read(first, last + 1)
            picked[part] = block[rows[part] - first]
        return picked

    def blocks(self, multiple: int = 1) -> Iterator[tuple[int, Array]]:
        """Yield start and rows of consecutive blocks; the next overwrites them.

        Each block but the last has a multiple of ``multiple`` rows.
        """
        rows = multiple * max(1, BYTES_PER_BLOCK // (multiple * self.row_bytes))
        rows = min(rows, len(self))
        buffer = np.empty((rows, *self.shape[1:]), self.dtype)
        for start in range(0, len(self), rows):
            stop = min(start + rows, len(self))
            yield start, self.read(start, stop, buffer[: stop - start])

    def shuffled_rows(self, rng: np.random.Generator) -> Iterator[Array]:
        """Yield all row numbers once, in random order, some at a time.

        The file's units are shuffled, then the rows of some units together. So each unit is read
        once, if minibatches take the rows in this order.
        """
        units = rng.permutation(-(-len(self) // self.unit))
        for start in range(0, len(units), self._units_together):
            chosen = units[start : start + self._units_together, None]
            rows = (chosen * self.unit + np.arange(self.unit)).ravel()
            yield rng.permutation(rows[rows < len(self)])

    def forget_units(self) -> None:
        """Give back the memory of the units that single rows were picked from."""
        self._read_unit.cache_clear()

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return row_bytes(self.shape, self.dtype)

    @property
    def _units_together(self) -> int:
        return max(MIN_UNITS_TOGETHER, BYTES_PER_BLOCK // (self.unit * self.row_bytes))

    def _start_cache(self) -> None:
        """Keep the units that minibatches take rows from: of two shuffles, at their border."""

        def read_unit(start: int) -> Array:
            return np.array(self.read(start, min(start + self.unit, len(self))))

        self._read_unit = lru_cache(maxsize=2 * self._units_together)(read_unit)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_read_unit"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start_cache()


AnyRows: TypeAlias = Array | RowSource
"""Rows in memory, or to be read."""


@final
class FileRows(RowSource):
    """The rows of a memory map, an h5py dataset, a zarr array or an object of the user's own."""

    def __init__(self, name: str, source: Any) -> None:
        shape, dtype = _shape_and_dtype(name, source)
        self._source = source
        self._file = WatchedFile.of(source)
        # HDF5 reads into an array at hand, which saves the pages of a new one.
        self._reads_into = hasattr(source, "read_direct") and len(shape) > 0
        super().__init__(name, shape, dtype, _unit(source, shape, dtype))

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        try:
            block = self._slice(start, stop, out)
        except Exception as error:
            raise DataError(
                f"{self.name}: expected to read rows {start} to {stop - 1}, "
                f"found {type(error).__name__}: {error}"
            ) from error
        place = f"{self.name}[{start}:{stop}]"
        shape = (stop - start, *self.shape[1:])
        if block.dtype != self.dtype:
            raise DataError(
                f"{place}: expected dtype {self.dtype}, that of {self.name}, found {block.dtype}"
            )
        if block.shape != shape:
            raise DataError(f"{place}: expected shape {shape}, found {block.shape}")
        if out is None or block is out or isinstance(self._source, np.memmap):
            return block
        np.copyto(out, block)  # so that a worker never holds its last shard beside the next
        return out

    def _slice(self, start: int, stop: int, out: Array | None) -> Array:
        if self._reads_into and stop > start:
            shape = (stop - start, *self.shape[1:])
            block = np.empty(shape, self.dtype) if out is None else out
            self._source.read_direct(block, slice(start, stop))
            return block
        part = self._source[start:stop]
        if isinstance(part, np.memmap):
            return _released_view(part)
        return np.ascontiguousarray(part)

    def check_unchanged(self) -> None:
        if self._file is not None:
            self._file.check(self.name)


def as_rows(name: str, value: Any) -> RowSource | None:
    """Return rows that are to be read; None for an array in memory, and for all that is no rows.

    Rows to be read are memory maps, and what has shape, dtype and slices without being a kind of
    array in memory.
    """
    if isinstance(value, RowSource):
        return value
    if isinstance(value, np.memmap):
        return FileRows(name, value)
    if isinstance(value, (np.ndarray, np.generic, list, tuple, dict, type)):
        return None
    if isinstance(value, Mapping):  # a file or a group in it
        raise TypeError(
            f"{name}: expected rows, found {short_repr(value)}: take one of its arrays, "
            f'such as file["{name}"]'
        )
    in_memory = ("__array_interface__", "__dlpack__", "to_numpy", "toarray", "iloc")
    if any(hasattr(type(value), attribute) for attribute in in_memory):
        return None
    try:
        missing = [part for part in ("shape", "dtype") if not hasattr(value, part)]
    except Exception as error:  # of a dataset whose file is closed
        raise _unreadable(name, error) from error
    if not hasattr(type(value), "__getitem__"):
        missing.append("__getitem__")
    if not missing:
        return FileRows(name, value)
    if len(missing) < 3 and "shape" not in missing and not hasattr(value, "__array__"):
        raise TypeError(
            f"{name}: expected an array, or an object with shape, dtype and {name}[start:stop], "
            f"found {type(value).__name__} without {' and '.join(missing)}"
        )
    return None


def check_row_matrix(
    name: str, value: object, columns: int | None = None, meaning: str = "columns"
) -> AnyRows:
    """Return a non-empty matrix of numbers with so many columns, in memory or to be read."""
    source = as_rows(name, value)
    if source is None:
        return check_matrix(name, value, columns, meaning)
    check_matrix_shape(name, source.shape, columns, meaning)
    return source


def in_memory(name: str, value: Any) -> Any:
    """Return rows that are to be read as an array, and anything else as it is."""
    source = as_rows(name, value)
    return value if source is None else np.array(source[:])


def read_blocks(rows: AnyRows, multiple: int = 1) -> Iterator[tuple[int, Array]]:
    """Yield start and rows of consecutive blocks; an array in memory is one block."""
    if isinstance(rows, RowSource):
        yield from rows.blocks(multiple)
    else:
        yield 0, rows


def row_bytes(shape: tuple[int, ...], dtype: np.dtype) -> int:
    """Return the bytes of a row; at least one."""
    return max(1, math.prod(shape[1:]) * dtype.itemsize)


def _shape_and_dtype(name: str, source: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and dtype of a source; TypeError for what is no numbers."""
    try:
        given_shape, given_dtype = source.shape, source.dtype
    except Exception as error:
        raise _unreadable(name, error) from error
    try:
        shape = tuple(int(size) for size in given_shape)
        dtype = np.dtype(given_dtype)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name}: expected a shape of integers and a NumPy dtype, "
            f"found shape {short_repr(given_shape)} and dtype {short_repr(given_dtype)}"
        ) from None
    if dtype.kind not in "buif":
        is_text = dtype.kind in "USOT"
        hint = ": store class numbers from 0 up, or numbers" if is_text else ""
        raise TypeError(f"{name}: expected numbers, found dtype {dtype}{hint}")
    return shape, dtype


def _unreadable(name: str, error: Exception) -> DataError:
    return DataError(
        f"{name}: expected rows that can be read, found {type(error).__name__}: {error}: "
        "keep the file open"
    )


def _unit(source: Any, shape: tuple[int, ...], dtype: np.dtype) -> int:
    """Return how many rows to read together: whole chunks, of which a part costs as much."""
    rows = max(1, BYTES_PER_READ // row_bytes(shape, dtype))
    chunks = getattr(source, "chunks", None)
    if isinstance(chunks, tuple) and chunks and isinstance(chunks[0], int) and chunks[0] > 0:
        return chunks[0] * max(1, rows // chunks[0])
    return rows


def _released_view(part: Array) -> Array:
    """Return rows of a memory map; once nobody needs them, the process gives their pages back.

    The system's cache keeps the pages. Without this the process would seem to grow with the file.
    """
    view = part.view(np.ndarray)
    whole: Any = part
    while isinstance(whole, np.ndarray):
        whole = whole.base
    is_private = getattr(part, "mode", "c") == "c"  # pages that exist nowhere else
    if is_private or not isinstance(whole, mmap.mmap) or not hasattr(whole, "madvise"):
        return view
    if view.flags.c_contiguous and view.nbytes:
        start = view.ctypes.data - np.frombuffer(whole, np.uint8).ctypes.data
        first = max(0, start - BYTES_MAPPED_AROUND) // mmap.PAGESIZE * mmap.PAGESIZE
        last = min(len(whole), start + view.nbytes + BYTES_MAPPED_AROUND)
        advice = (mmap.MADV_DONTNEED, first, last - first)
        weakref.finalize(view, _advise, whole, *advice).atexit = False
    return view


def _advise(mapping: mmap.mmap, *advice: int) -> None:
    if not mapping.closed:
        mapping.madvise(*advice)

"""The same rows in memory, and in every kind of file that an Objective reads rows from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import zarr

from minilayer.utils.types import Array


class OwnRows:
    """Rows of the user's own: shape, dtype and slices, and nothing else."""

    def __init__(self, rows: Array) -> None:
        self.shape = rows.shape
        self.dtype = rows.dtype
        self.reads: list[tuple[int, int]] = []
        self._rows = rows

    def __getitem__(self, rows: slice) -> Array:
        assert isinstance(rows, slice)
        assert rows.step is None
        assert 0 <= rows.start <= rows.stop <= len(self._rows)
        self.reads.append((rows.start, rows.stop))
        return self._rows[rows].copy()


Stored = Iterator[Any]
Store = Callable[[Path, Array], Any]
"""A context manager that writes rows to a file and gives what reads them."""


def _chunk(rows: Array) -> int:
    """Return the rows of a chunk: some twenty chunks, the last of which is not full."""
    return len(rows) // 20 + 1


def _hdf5(is_chunked: bool = True, compression: str | None = None) -> Store:
    @contextmanager
    def store(folder: Path, rows: Array) -> Stored:
        path = folder / f"rows{len(list(folder.iterdir()))}.h5"
        chunks = (_chunk(rows), *rows.shape[1:]) if is_chunked else None
        with h5py.File(path, "w") as file:
            file.create_dataset("rows", data=rows, chunks=chunks, compression=compression)
        with h5py.File(path, "r") as file:
            yield file["rows"]

    return store


@contextmanager
def _memory_map(folder: Path, rows: Array) -> Stored:
    path = folder / f"rows{len(list(folder.iterdir()))}.npy"
    np.save(path, rows)
    yield np.load(path, mmap_mode="r")


@contextmanager
def _zarr(folder: Path, rows: Array) -> Stored:
    path = folder / f"rows{len(list(folder.iterdir()))}.zarr"
    chunks = (_chunk(rows), *rows.shape[1:])
    zarr.create_array(path, shape=rows.shape, chunks=chunks, dtype=rows.dtype)[:] = rows
    yield zarr.open_array(path, mode="r")


@contextmanager
def _own(folder: Path, rows: Array) -> Stored:
    yield OwnRows(rows)


STORES: dict[str, Store] = {
    "contiguous": _hdf5(is_chunked=False),
    "chunked": _hdf5(),
    "gzip": _hdf5(compression="gzip"),
    "memmap": _memory_map,
    "zarr": _zarr,
    "own": _own,
}
"""Every kind of file; "own" is an object of the user's."""

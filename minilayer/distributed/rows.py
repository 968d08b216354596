"""What a DaskObjective is given as rows: dask arrays, or a source; both checked before any work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..nn import Loss
from ..objective.inputs import row_weights
from ..utils.checks import check_count, check_function, short_repr
from ..utils.extras import require
from ..utils.types import Array
from .parts import Source, Span

dask_array: Any = require("dask.array", "dask")


def is_dask_array(value: object) -> bool:
    """Return whether a value is a dask array."""
    return isinstance(value, dask_array.Array)


def check_arrays(X: Any, Y: Any, columns: int, meaning: str) -> tuple[Any, Any]:
    """Return X and Y if they are dask arrays of as many rows, and X has the model's columns."""
    for name, array in (("X", X), ("Y", Y)):
        if not is_dask_array(array):
            raise TypeError(
                f"{name}: expected a dask array, found {short_repr(array)}: "
                f"use dask.array.from_array({name}, chunks=(10_000, -1)), or Objective for arrays "
                "in memory"
            )
        if any(math.isnan(size) for size in array.shape):
            raise ValueError(
                f"{name}: expected known numbers of rows, found unknown chunk sizes: "
                f"use {name}.compute_chunk_sizes()"
            )
        if array.ndim == 2 and len(array.chunks[1]) > 1:
            raise ValueError(
                f"{name}: expected all columns in one chunk, found {len(array.chunks[1])}: "
                f"use {name}.rechunk({{1: -1}})"
            )
    if X.ndim != 2:
        raise ValueError(f"X: expected 2 dimensions (rows are examples), found shape {X.shape}")
    if X.shape[0] == 0:
        raise ValueError(f"X: expected at least one row, found shape {X.shape}")
    if X.shape[1] != columns:
        raise ValueError(f"X: expected {columns} {meaning}, found {X.shape[1]}")
    if len(X) != len(Y):
        raise ValueError(f"Y: expected as many rows as X, {len(X)}, found {len(Y)}")
    return X, Y


def check_source(source: Source | None, rows: int | None) -> int:
    """Return the number of rows of a source."""
    check_function("source", source, "a function that returns (X, Y)", "start", "stop")
    if rows is None:
        raise TypeError("rows: expected the number of rows beside a source, found None")
    return check_count("rows", rows)


def spans(edges: Sequence[int]) -> list[Span]:
    """Return a span for each pair of neighbouring edges."""
    return [
        Span(part=part, start=start, stop=stop)
        for part, (start, stop) in enumerate(pairwise(edges))
    ]


def chunk_edges(X: Any) -> list[int]:
    """Return the edges of the chunks of rows; empty chunks have none."""
    sizes = [size for size in X.chunks[0] if size > 0]
    return [0, *(int(edge) for edge in np.cumsum(sizes))]


def check_weight(weight: Any, rows: int, loss: Loss) -> Array | None:
    """Return the rows' weights (m,) in memory."""
    if is_dask_array(weight):
        raise TypeError(
            "sample_weight: expected an array in memory, which takes 8 bytes a row, found a dask "
            "array: use sample_weight.compute()"
        )
    checked = row_weights(loss, np.empty((rows, 0)), weight, None)
    return None if checked is None else checked[:, 0]

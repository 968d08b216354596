"""Class numbers for labels of any kind: strings, numbers, dates, categories of DataFrames."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from .tables import is_series, is_table
from .types import Array


def encode(name: str, labels: Any) -> tuple[Array, Array]:
    """Return class numbers (m,), int64, and the classes that they stand for."""
    if is_table(labels):
        raise ValueError(
            f"{name}: expected one column, found a DataFrame of {labels.shape[1]}: "
            f"use {name}[{str(labels.columns[0])!r}]"
        )
    if is_series(labels):
        encoded = _categories(name, labels)
        if encoded is not None:
            return encoded
    values = _one_kind(name, _as_objects(labels))
    try:
        classes, codes = np.unique(values, return_inverse=True)
    except TypeError:
        raise TypeError(
            f"{name}: expected labels that have an order, found {values[0]!r}"
        ) from None
    return codes.astype(np.int64), classes


def _as_objects(labels: Any) -> Array:
    """Return labels as an array in which none has become another: 1 and "a" stay as they are."""
    if is_series(labels):
        return np.asarray(labels.to_numpy() if hasattr(labels, "to_numpy") else labels)
    return labels if isinstance(labels, np.ndarray) else np.asarray(labels, dtype=object)


def _categories(name: str, labels: Any) -> tuple[Array, Array] | None:
    """Return codes and categories of pandas, or of an Enum of polars; None for other labels."""
    dtype = labels.dtype
    if hasattr(dtype, "ordered"):
        accessor = getattr(labels, "cat", labels)
        codes, categories = np.asarray(accessor.codes), list(dtype.categories)
    elif type(dtype).__name__ == "Enum":
        codes = np.asarray(labels.to_physical().fill_null(-1).cast(int))
        categories = list(dtype.categories)
    else:
        return None
    if (codes < 0).any():
        _refuse_missing(name, int((codes < 0).argmax()))
    _check_shape(name, codes)
    return codes.astype(np.int64), _one_kind("categories", np.asarray(categories, dtype=object))


def _one_kind(name: str, values: Array) -> Array:
    """Return labels as an array of one kind; TypeError or ValueError names the row of another."""
    _check_shape(name, values)
    if values.dtype.kind in "fMmc":
        missing = values != values
        if missing.any():
            _refuse_missing(name, int(missing.argmax()))
    if values.dtype.kind != "O":
        return values
    kinds = [_kind(value) for value in values]
    if "" in kinds:
        _refuse_missing(name, kinds.index(""))
    others = [row for row, kind in enumerate(kinds) if kind != kinds[0]]
    if others:
        raise TypeError(
            f"{name}: expected labels of one kind, found {values[0]!r} in row 0 and "
            f"{values[others[0]]!r} in row {others[0]}"
        )
    return np.asarray(values.tolist())


def _kind(value: Any) -> str:
    """Return the name of a label's kind, "" for a missing one."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, Real | np.bool_):
        return "number" if value == value else ""
    return "str" if isinstance(value, str) else type(value).__name__


def _check_shape(name: str, values: Array) -> None:
    if values.ndim != 1 or not values.size:
        hint = f": use {name}.ravel()" if values.ndim == 2 and 1 in values.shape else ""
        raise ValueError(
            f"{name}: expected a 1-D array of labels, found shape {values.shape}{hint}"
        )


def _refuse_missing(name: str, row: int) -> None:
    raise ValueError(f"{name}: expected a label in each row, found none in row {row}: drop the row")

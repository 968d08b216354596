"""DataFrames and Series of pandas and polars: their numbers as arrays, and their column names.

A value of a library can only exist where the library is imported, so nothing imports it here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from .types import Array

MAX_SHOWN = 5
"""Columns that an error message names."""


def is_table(value: object) -> bool:
    """Return whether a value is a DataFrame of pandas or polars."""
    return _is_kind(value, "DataFrame")


def is_series(value: object) -> bool:
    """Return whether a value is one column of pandas or polars, with or without an index."""
    return _is_kind(value, "Series") or _is_kind(value, "Index") or _is_kind(value, "Categorical")


def _is_kind(value: object, name: str) -> bool:
    for library in ("pandas", "polars"):
        kind = getattr(sys.modules.get(library), name, None)
        if isinstance(kind, type) and isinstance(value, kind):
            return True
    return False


def column_names(value: Any) -> tuple[str, ...] | None:
    """Return the names of a DataFrame's columns; None for other values and other names."""
    if not is_table(value):
        return None
    names = list(value.columns)
    are_names = bool(names) and all(isinstance(name, str) for name in names)
    return tuple(map(str, names)) if are_names else None


def check_column_names(
    expected: tuple[str, ...] | None,
    found: tuple[str, ...] | None,
    hint: str = ": use X[list(model.feature_names)]",
) -> None:
    """Raise ValueError for columns that are not those of the training, if both are known."""
    if expected is None or found is None or found == expected:
        return
    missing = [name for name in expected if name not in found]
    if missing:
        raise ValueError(
            f"X: expected the columns of the training, {short_names(expected)}, "
            f"found none named {short_names(missing)}"
        )
    place = next((k for k, name in enumerate(expected) if name != found[k]), len(expected))
    if place == len(expected):
        raise ValueError(f"X: expected {place} columns, found {len(found)}{hint}")
    raise ValueError(
        f"X: expected {expected[place]!r} in column {place}, as the model was trained, "
        f"found {found[place]!r}{hint}"
    )


def short_names(names: Sequence[str]) -> str:
    """Return names as an error message shows them."""
    shown = ", ".join(repr(name) for name in names[:MAX_SHOWN])
    return shown if len(names) <= MAX_SHOWN else f"{shown} and {len(names) - MAX_SHOWN} more"


def to_numbers(name: str, value: Any) -> Any:
    """Return the numbers of a DataFrame or Series as an array, and anything else as it is.

    TypeError for columns that are no numbers; ValueError for missing values. Both name the column.
    """
    if is_series(value):
        if not _is_numeric(value):
            raise TypeError(
                f"{name}: expected numbers, found dtype {value.dtype}: "
                f"minilayer.encode_labels({name}) gives class numbers and their names"
            )
        return _numbers(name, value, "")
    return _matrix(name, value) if is_table(value) else value


def _matrix(name: str, table: Any) -> Array:
    columns = [
        (label, table.iloc[:, index] if hasattr(table, "iloc") else table[label])
        for index, label in enumerate(table.columns)
    ]
    others = [(label, column) for label, column in columns if not _is_numeric(column)]
    if others:
        found = ", ".join(f"{label!r} ({column.dtype})" for label, column in others[:MAX_SHOWN])
        more = f" and {len(others) - MAX_SHOWN} more" if len(others) > MAX_SHOWN else ""
        raise TypeError(
            f"{name}: expected columns of numbers, found {found}{more}{_hint(name, others)}"
        )
    arrays = [_numbers(name, column, f", column {label!r}") for label, column in columns]
    if not arrays:
        return np.zeros((len(table), 0))
    matrix = np.empty((len(table), len(arrays)), np.result_type(*arrays), order="F")
    for index, numbers in enumerate(arrays):
        matrix[:, index] = numbers
    return matrix


def _is_numeric(column: Any) -> bool:
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return dtype.kind in "buif"
    if type(column).__module__.startswith("polars"):
        return bool(dtype.is_numeric()) or str(dtype) == "Boolean"
    return bool(sys.modules["pandas"].api.types.is_numeric_dtype(dtype))


def _numbers(name: str, column: Any, place: str) -> Array:
    """Return a numeric column as an array; ValueError for a value that is missing or infinite."""
    is_polars = type(column).__module__.startswith("polars")
    missing = np.asarray(column.is_null() if is_polars else column.isna())
    dtype = getattr(column.dtype, "numpy_dtype", None) or getattr(column.dtype, "subtype", None)
    if missing.any():
        _refuse(name, "a missing value", int(missing.argmax()), place)
    numbers = np.asarray(column.to_numpy() if dtype is None else column.to_numpy(dtype=dtype))
    if numbers.dtype.kind not in "buif":  # decimals
        numbers = numbers.astype(np.float64)
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        row = int(np.isfinite(numbers).argmin())
        _refuse(name, str(numbers[row]), row, place)
    return numbers


def _refuse(name: str, found: str, row: int, place: str) -> None:
    raise ValueError(
        f"{name}: expected finite numbers, found {found} in row {row}{place}: "
        "fill it or drop the row"
    )


def _hint(name: str, others: list[tuple[Any, Any]]) -> str:
    """Return how to make numbers of columns: of dates their parts, of texts one column each."""
    label, column = others[0]
    kinds = str(column.dtype)
    if all("date" in str(own.dtype).lower() for _, own in others):
        part = "dt.ordinal_day()" if "Date" in kinds else "dt.dayofyear"
        return f": make numbers of dates, such as {name}[{label!r}].{part}"
    labels = [label for label, own in others if "date" not in str(own.dtype).lower()][:MAX_SHOWN]
    if type(column).__module__.startswith("polars"):
        return f": {name}.to_dummies({labels}) makes columns of 0 and 1"
    if all(_holds_numbers(own) for _, own in others):
        return f": these objects are numbers, {name}.astype(float) makes them so"
    return f": pandas.get_dummies({name}, columns={labels}) makes columns of 0 and 1"


def _holds_numbers(column: Any) -> bool:
    kind = sys.modules["pandas"].api.types.infer_dtype(column)
    return kind in ("integer", "floating", "mixed-integer-float", "boolean", "decimal")

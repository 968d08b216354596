"""Checks of arguments: every refusal names the argument, what was expected and what was found."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Iterable
from numbers import Integral, Real
from pathlib import Path

import numpy as np

from .tables import to_numbers
from .types import Array

BYTES_PER_BLOCK = 1 << 24
"""Of a large matrix that is checked at a time, so that checking needs no copy of it."""
MAX_REPR = 200
"""Characters of a value in an error message."""


def short_repr(value: object) -> str:
    """Return a value as an error message shows it: of an array the shape, of others 200 letters."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, tuple):
        return f"({', '.join(map(short_repr, value))}{',' * (len(value) == 1)})"
    if isinstance(value, list) and any(isinstance(one, np.ndarray) for one in value):
        return f"[{', '.join(map(short_repr, value))}]"
    text = repr(value)
    return text if len(text) <= MAX_REPR else f"{text[: MAX_REPR - 3]}..."


def check_instance(name: str, value: object, kind: type, expected: str) -> None:
    """Raise TypeError for a value that is not of that kind; hint if it is the class itself."""
    if not isinstance(value, kind):
        hint = ""
        if isinstance(value, type) and issubclass(value, kind):
            hint = f": write {value.__name__}(...)"
        raise TypeError(f"{name}: expected {expected}, found {short_repr(value)}{hint}")


def check_count(name: str, value: object, minimum: int = 1) -> int:
    """Return an integer of at least ``minimum``; NumPy's integers pass, booleans do not."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"{name}: expected an integer, found {short_repr(value)}")
    if value < minimum:
        raise ValueError(f"{name}: expected at least {minimum}, found {value}")
    return int(value)


def check_number(name: str, value: object, minimum: float = 0.0, *, above: bool = False) -> float:
    """Return a finite real number of at least ``minimum``, or ``above`` it."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, found {short_repr(value)}")
    number = float(value)
    if not math.isfinite(number) or number < minimum or (above and number == minimum):
        bound = f"{'>' if above else '>='} {minimum:g}"
        raise ValueError(f"{name}: expected a finite number {bound}, found {value}")
    return number


def check_flag(name: str, value: object) -> bool:
    """Return True or False; 1 and "yes" are refused."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected True or False, found {short_repr(value)}")
    return value


def check_function(name: str, value: object, expected: str, *arguments: str) -> None:
    """Raise TypeError for what cannot be called with as many arguments."""
    if not callable(value):
        raise TypeError(f"{name}: expected {expected}, found {short_repr(value)}")
    try:
        found = inspect.signature(value)
    except ValueError:  # a function in C without a signature
        return
    try:
        found.bind(*arguments)
    except TypeError:
        raise TypeError(
            f"{name}: expected {expected}, called as {name}({', '.join(arguments)}), "
            f"found a function of {found}"
        ) from None


def check_path(name: str, value: object) -> Path:
    """Return a string or path as a Path."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name}: expected a file's path, found {short_repr(value)}")
    return Path(value)


def check_numeric(name: str, value: object) -> Array:
    """Return an array of booleans, integers or floats; not a copy if ``value`` is one already."""
    value = to_numbers(name, value)
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name}: expected an array without a mask, found a masked array: "
            "fill or drop what it masks"
        )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{name}: expected a rectangular array of numbers: {error}") from None
    if array.dtype.kind not in "buif":
        if hasattr(value, "toarray"):
            raise TypeError(f"{name}: expected an array, found a sparse one: use {name}.toarray()")
        is_array = isinstance(value, (list, tuple, np.ndarray)) or hasattr(value, "__array__")
        if array.ndim == 0 or not is_array:
            raise TypeError(f"{name}: expected numbers, found {short_repr(value)}")
        is_mixed = array.dtype.kind == "O"
        hint = f", values of several kinds: try {name}.astype(float)" if is_mixed else ""
        if array.dtype.kind in "US":
            hint = f": minilayer.encode_labels({name}) gives class numbers and their names"
            if array.ndim > 1:
                hint = f": try numpy.asarray({name}, dtype=float)"
        raise TypeError(f"{name}: expected numbers, found dtype {array.dtype}{hint}")
    return array


def check_matrix(
    name: str, value: object, columns: int | None = None, meaning: str = "columns"
) -> Array:
    """Return a non-empty 2-D array of numbers, one row an example, with this many ``columns``."""
    array = check_numeric(name, value)
    if array.ndim == 1:
        is_row = columns == array.size and columns != 1
        reshape = "(1, -1) for one example" if is_row else "(-1, 1) for one column"
        raise ValueError(
            f"{name}: expected 2 dimensions (rows are examples), found 1 of length {array.size}: "
            f"use {name}.reshape{reshape}"
        )
    check_matrix_shape(name, array.shape, columns, meaning)
    return array


def check_matrix_shape(
    name: str, shape: tuple[int, ...], columns: int | None = None, meaning: str = "columns"
) -> None:
    """Raise ValueError for a shape that is not that of a non-empty matrix of so many columns."""
    if len(shape) != 2:
        raise ValueError(f"{name}: expected 2 dimensions (rows are examples), found shape {shape}")
    if 0 in shape:
        raise ValueError(f"{name}: expected at least one row and one column, found shape {shape}")
    if columns is not None and shape[1] != columns:
        raise ValueError(f"{name}: expected {columns} {meaning}, found {shape[1]}")


def check_finite(name: str, matrix: Array, first_row: int = 0) -> None:
    """Raise ValueError for NaN or infinity; rows are counted from ``first_row``."""
    if matrix.dtype.kind != "f":
        return
    rows = max(1, BYTES_PER_BLOCK // max(1, matrix[:1].nbytes))
    for start in range(0, len(matrix), rows):
        finite = np.isfinite(matrix[start : start + rows])
        if not finite.all():
            row, column = (int(k) for k in np.argwhere(~finite)[0])
            found = matrix[start + row, column]
            raise ValueError(
                f"{name}: expected finite numbers, "
                f"found {found} in row {first_row + start + row}, column {column}"
            )


def check_names(
    name: str, names: object, count: int, what: str, *, numbers: bool = False
) -> tuple[str, ...]:
    """Return ``count`` names as strings, one for each of ``what``; numbers only if allowed."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(
            f"{name}: expected a list of strings, such as ['no', 'yes'], found {short_repr(names)}"
        )
    found = list(names)
    kinds = (str, Real, np.bool_) if numbers else (str,)
    for one in found:
        if not isinstance(one, kinds):
            raise TypeError(f"{name}: expected strings, found {short_repr(one)}")
    if len(found) != count:
        raise ValueError(f"{name}: expected {count}, one a {what}, found {len(found)}")
    return tuple(map(str, found))


def check_vector(name: str, value: object, size: int) -> Array:
    """Return a 1-D array of ``size`` numbers."""
    array = check_numeric(name, value)
    if array.shape != (size,):
        raise ValueError(f"{name}: expected shape ({size},), found {array.shape}")
    return array


def check_seed(seed: object) -> np.random.Generator:
    """Return the Generator of a seed, or the Generator itself; booleans are refused."""
    try:
        if isinstance(seed, (bool, np.bool_)):
            raise TypeError
        return np.random.default_rng(seed)  # type: ignore[arg-type]  # it raises for other kinds
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"seed: expected an integer from 0 up or a Generator, found {short_repr(seed)}"
        ) from None

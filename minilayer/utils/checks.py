"""Checks of arguments: every refusal names the argument, what was expected and what was found."""

from __future__ import annotations

import math
import os
from numbers import Integral, Real
from pathlib import Path

import numpy as np

from .types import Array

BLOCK_BYTES = 1 << 24
"""How much of a large matrix is looked at in one go, so that checking needs no copy of it."""
LONGEST = 200
"""Characters of a value in an error message."""


def shown(value: object) -> str:
    """A value as an error message shows it: whole where it is short, the shape of an array."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, tuple):
        return f"({', '.join(map(shown, value))})"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def check_instance(name: str, value: object, kind: type, expected: str) -> None:
    """TypeError for what is not of that kind; the class itself, where one of it was meant, is told of."""
    if not isinstance(value, kind):
        hint = f": write {value.__name__}(...)" if isinstance(value, type) and issubclass(value, kind) else ""
        raise TypeError(f"{name}: expected {expected}, found {shown(value)}{hint}")


def check_count(name: str, value: object, minimum: int = 1) -> int:
    """An integer of at least ``minimum``; NumPy's integers pass, booleans and floats do not."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"{name}: expected an integer, found {shown(value)}")
    if value < minimum:
        raise ValueError(f"{name}: expected at least {minimum}, found {value}")
    return int(value)


def check_number(name: str, value: object, minimum: float = 0.0, *, above: bool = False) -> float:
    """A finite real number of at least ``minimum`` (or greater than it, with ``above``)."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, found {shown(value)}")
    number = float(value)
    if not math.isfinite(number) or number < minimum or (above and number == minimum):
        raise ValueError(f"{name}: expected a finite number {'>' if above else '>='} {minimum:g}, found {value}")
    return number


def check_flag(name: str, value: object) -> bool:
    """True or False: not 1, nor "yes"."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected True or False, found {shown(value)}")
    return value


def check_path(name: str, value: object) -> Path:
    """A file's name, as a text or a path."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name}: expected a file's path, found {shown(value)}")
    return Path(value)


def check_numeric(name: str, value: object) -> Array:
    """``value`` as an array of booleans, integers or floats, not copied where it is one already."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected an array without a mask, found a masked array: fill or drop what it masks")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{name}: expected a rectangular array of numbers: {error}") from None
    if array.dtype.kind not in "buif":
        if hasattr(value, "toarray"):
            raise TypeError(f"{name}: expected an array, found a sparse one: use {name}.toarray()")
        if array.ndim == 0:
            raise TypeError(f"{name}: expected numbers, found {shown(value)}")
        mixed = ", values of several kinds or of none that NumPy knows" if array.dtype.kind == "O" else ""
        raise TypeError(f"{name}: expected numbers, found dtype {array.dtype}{mixed}")
    return array


def check_matrix(name: str, value: object, columns: int | None = None, meaning: str = "columns") -> Array:
    """A non-empty 2-D array of numbers with one row an example and, if given, this many ``columns``."""
    array = check_numeric(name, value)
    if array.ndim == 1:
        reshape = "(1, -1) for one example" if columns == array.size and columns != 1 else "(-1, 1) for one column"
        raise ValueError(
            f"{name}: expected 2 dimensions (rows are examples), found 1 of length {array.size}: "
            f"use {name}.reshape{reshape}"
        )
    if array.ndim != 2:
        raise ValueError(f"{name}: expected 2 dimensions (rows are examples), found shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name}: expected at least one row and one column, found shape {array.shape}")
    if columns is not None and array.shape[1] != columns:
        raise ValueError(f"{name}: expected {columns} {meaning}, found {array.shape[1]}")
    return array


def check_finite(name: str, matrix: Array) -> None:
    """No NaN and no infinity; looked at block by block, so that a memory-mapped matrix may exceed the memory."""
    if matrix.dtype.kind != "f":
        return
    rows = max(1, BLOCK_BYTES // max(1, matrix[:1].nbytes))
    for start in range(0, len(matrix), rows):
        finite = np.isfinite(matrix[start : start + rows])
        if not finite.all():
            row, column = (int(k) for k in np.argwhere(~finite)[0])
            found = matrix[start + row, column]
            raise ValueError(f"{name}: expected finite numbers, found {found} in row {start + row}, column {column}")


def check_vector(name: str, value: object, size: int) -> Array:
    """A 1-D array of ``size`` numbers."""
    array = check_numeric(name, value)
    if array.shape != (size,):
        raise ValueError(f"{name}: expected shape ({size},), found {array.shape}")
    return array

"""Builds MATLAB 5 files by hand, in both byte orders: valid ones, and ones that nobody writes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np

from minilayer.utils.matlab5 import CLASS_DTYPES, COMPRESSED, INT32, MATRIX, STORED_DTYPES, UINT32
from minilayer.utils.types import Array

INT8 = 1
DOUBLE = 6
"""The class of a double matrix."""
DATA_TYPES = {dtype: kind for kind, dtype in STORED_DTYPES.items()}
CLASSES = {dtype: kind for kind, dtype in CLASS_DTYPES.items()}


def element(kind: int, data: bytes, order: str = "<", *, small: bool | None = None) -> bytes:
    """A tag and its data; up to 4 bytes of data are in the tag, unless ``small`` is False."""
    if small is None:
        small = 0 < len(data) <= 4
    if small:
        return struct.pack(f"{order}I", kind | len(data) << 16) + data.ljust(4, b"\0")
    padding = b"" if kind == COMPRESSED else bytes(-len(data) % 8)
    return struct.pack(f"{order}II", kind, len(data)) + data + padding


def matrix(
    name: str,
    values: Array,
    order: str = "<",
    *,
    stored: str | None = None,
    array_class: int | None = None,
    flags: int = 0,
    shape: Sequence[int] | None = None,
    small: bool | None = None,
) -> bytes:
    """A variable; ``stored`` is the dtype of the numbers in the file if it is another."""
    dtype = values.dtype.str[1:]
    code = CLASSES[dtype] if array_class is None else array_class
    dtype = dtype if stored is None else stored
    lengths = values.shape if shape is None else shape
    numbers = values.astype(order + dtype).tobytes(order="F")
    return element(
        MATRIX,
        element(UINT32, struct.pack(f"{order}II", code | flags, 0), order)
        + element(INT32, struct.pack(f"{order}{len(lengths)}i", *lengths), order, small=small)
        + element(INT8, name.encode("latin1"), order, small=small)
        + element(DATA_TYPES[dtype], numbers, order, small=small),
        order,
    )


def compressed(variable: bytes, order: str = "<") -> bytes:
    return element(COMPRESSED, zlib.compress(variable), order)


def matlab_file(*elements: bytes, order: str = "<", version: int = 0x0100) -> bytes:
    mark = b"IM" if order == "<" else b"MI"
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}H", version) + mark
    return head + b"".join(elements)


def zeros(rows: int, columns: int) -> bytes:
    """A compressed variable X of zeros, which takes a thousandth of their size."""
    return compressed(matrix("X", np.zeros((rows, columns))))

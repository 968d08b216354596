"""A reader for matrices in MATLAB 5 files, safe on any bytes.

SciPy's reader is C code that trusts what a file says: one changed byte can end the interpreter, and
184 bytes can take four gigabytes. This one reads full real matrices of numbers, compressed or not
and in both byte orders, as MATLAB (``-v6``, ``-v7``), Octave and SciPy write them. It decodes the
wanted variables alone. Its memory is at most the file's size and twice what a file of that size may
hold: ``FREE_BYTES + NUMBERS_PER_BYTE * size``, and ``MAX_NUMBERS_BYTES`` at most.

References
----------
MathWorks, MAT-File Format: the level 5 format.
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .types import Array

HEADER_BYTES = 128
VERSION = 0x0100
VERSION_7_3 = 0x0200
MAX_FILE_BYTES = 1 << 30
MAX_VARIABLES = 10_000
MAX_DIMENSIONS = 32
MAX_NAME_BYTES = 255
NUMBERS_PER_BYTE = 100
"""Bytes of numbers for each byte of a file; the digits of exercise 4 have four when compressed."""
FREE_BYTES = 1 << 25
"""Bytes of numbers that the smallest file may hold."""
MAX_NUMBERS_BYTES = 1 << 32
"""Bytes of numbers that the largest file may hold."""
HEAD_BYTES = 1024
"""Of a compressed variable, to learn its name."""

INT32 = 5
UINT32 = 6
MATRIX = 14
COMPRESSED = 15
STORED_DTYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
STORED_DTYPES |= {12: "i8", 13: "u8"}
"""By data type: how numbers are stored, which may be smaller than what their class says."""
CLASS_DTYPES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4"}
CLASS_DTYPES |= {14: "i8", 15: "u8"}
"""By class of an array: what its numbers are."""
OTHER_CLASSES = {
    1: "a cell array",
    2: "a structure",
    3: "an object",
    4: "characters",
    5: "a sparse matrix: save full(...) of it",
}
CLASS_MASK = 0xFF
COMPLEX_FLAG = 0x800

OTHER_FILES = {
    b"\x89HDF": "an HDF5 file",
    b"# Created by Octave": "Octave's text format",
    b"Octave-1": "Octave's binary format",
}
"""By first bytes."""


class _MalformedError(ValueError):
    """Says what was expected and found, and in which variable; the caller adds the file."""

    def __init__(self, message: str, variable: str = "") -> None:
        super().__init__(message)
        self.variable = variable


class _Head(NamedTuple):
    """What comes before a variable's numbers."""

    name: str
    flags: int
    shape: tuple[int, ...]
    end: int


def read_matrices(path: Path, wanted: str) -> dict[str, Array]:
    """Return the matrices of a MATLAB 5 file.

    Parameters
    ----------
    path : Path
        The file.
    wanted : str
        A regular expression for the names of variables; the others are passed over.

    Returns
    -------
    dict of str to ndarray, shape (rows, columns)
        New arrays by name, of the dtype that corresponds to the variable's class.

    Raises
    ------
    ValueError
        For other files, damaged ones, and wanted variables that are not matrices of real numbers.
        The message names the file, what was expected and what was found.
    """
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ValueError(f"{path}: expected at most {MAX_FILE_BYTES} bytes, found {size}")
    content = path.read_bytes()
    try:
        return _Reader(content).matrices(wanted)
    except _MalformedError as error:
        place = f"{error.variable} in {path}" if error.variable else f"{path}"
        raise ValueError(f"{place}: {error}") from None


class _Reader:
    """A file's content, and how many bytes of numbers may still come out of it."""

    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)
        self._order = _byte_order(content)
        self._limit = min(FREE_BYTES + NUMBERS_PER_BYTE * len(content), MAX_NUMBERS_BYTES)
        self._left = self._limit

    def matrices(self, wanted: str) -> dict[str, Array]:
        """Return the matrices whose names match."""
        found: dict[str, Array] = {}
        start = HEADER_BYTES
        for _ in range(MAX_VARIABLES):
            if start >= len(self._content):
                return found
            kind, data, end = self._element(self._content, start)
            is_compressed = kind == COMPRESSED
            variable = _inflate(data, HEAD_BYTES) if is_compressed else self._content[start:end]
            head = self._head(variable)
            if re.fullmatch(wanted, head.name):
                if head.name in found:
                    raise _MalformedError(f"expected one variable {head.name}, found two")
                if is_compressed:
                    variable = self._inflate_all(data)
                found[head.name] = self._numbers(variable, head)
            start = end
        raise _MalformedError(f"expected at most {MAX_VARIABLES} variables, found more")

    def _tag(self, content: memoryview, position: int) -> tuple[int, int, int]:
        """Return an element's data type, and where its data begin and end."""
        if position + 8 > len(content):
            raise _MalformedError(f"expected whole elements, found {len(content)} bytes: cut off")
        kind, size = struct.unpack_from(f"{self._order}II", content, position)
        if kind >> 16:  # a small element: size, type and up to 4 bytes of data in 8 bytes
            return kind & 0xFFFF, position + 4, position + 4 + min(kind >> 16, 4)
        return kind, position + 8, position + 8 + size

    def _element(self, content: memoryview, position: int) -> tuple[int, memoryview, int]:
        """Return an element's data type, its data, and where the next one begins."""
        kind, start, end = self._tag(content, position)
        if end > len(content):
            found = len(content) - start
            raise _MalformedError(f"expected {end - start} bytes of data, found {found}: cut off")
        is_small = start == position + 4
        padding = 0 if kind == COMPRESSED else (start - end) % (4 if is_small else 8)
        return kind, content[start:end], end + padding

    def _head(self, variable: memoryview) -> _Head:
        """Return name and shape of a variable; no name for kinds that have no shape."""
        kind, position, end = self._tag(variable, 0)
        if kind != MATRIX:
            raise _MalformedError(f"expected variables, found data type {kind}")
        if end == position:
            return _Head("", 0, (), end)
        kind, flags, position = self._element(variable, position)
        if kind != UINT32 or len(flags) != 8:
            raise _MalformedError(f"expected array flags, found data type {kind}")
        word = struct.unpack_from(f"{self._order}I", flags)[0]
        if word & CLASS_MASK not in CLASS_DTYPES.keys() | OTHER_CLASSES.keys():
            return _Head("", word, (), position)
        kind, lengths, position = self._element(variable, position)
        if kind not in (INT32, UINT32) or len(lengths) % 4:  # some packages write the latter
            raise _MalformedError(f"expected dimensions, found data type {kind}")
        rank = len(lengths) // 4
        _, name, position = self._element(variable, position)
        if rank > MAX_DIMENSIONS or len(name) > MAX_NAME_BYTES:
            raise _MalformedError(
                f"expected at most {MAX_DIMENSIONS} dimensions and {MAX_NAME_BYTES} letters of a "
                f"name, found {rank} and {len(name)}"
            )
        shape = struct.unpack(f"{self._order}{rank}i", lengths)
        return _Head(bytes(name).decode("latin1"), word, shape, position)

    def _numbers(self, variable: memoryview, head: _Head) -> Array:
        """Return the numbers of a variable."""
        kind = head.flags & CLASS_MASK
        found = OTHER_CLASSES.get(kind)
        if head.flags & COMPLEX_FLAG:
            found = "complex numbers"
        elif len(head.shape) != 2 or min(head.shape) < 0:
            found = f"shape {head.shape}"
        if found:
            raise _MalformedError(f"expected a matrix of real numbers, found {found}", head.name)
        dtype = np.dtype(CLASS_DTYPES[kind])
        data_type, data, _ = self._element(variable, head.end)
        stored = np.dtype(self._order + STORED_DTYPES.get(data_type, "V1"))
        is_packed = dtype.kind == "f" and stored.kind in "iu"
        if not is_packed and not np.can_cast(stored, dtype):
            message = f"expected numbers of type {dtype}, found data type {data_type}"
            raise _MalformedError(message, head.name)
        count = math.prod(head.shape)
        if len(data) != count * stored.itemsize:
            message = f"expected {count * stored.itemsize} bytes of numbers, found {len(data)}"
            raise _MalformedError(message, head.name)
        self._take(count * dtype.itemsize)
        values = np.ndarray(head.shape, stored, data, order="F")
        with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
            return values.astype(dtype)

    def _inflate_all(self, compressed: memoryview) -> memoryview:
        """Return what a compressed element holds, within what may still come out of the file."""
        content = _inflate(compressed, self._left + 1, is_whole=True)
        self._take(len(content))
        return content

    def _take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise _MalformedError(
                f"expected at most {self._limit} bytes of numbers in a file of its size, "
                "found more: save it with '-v6'"
            )


def _inflate(compressed: memoryview, limit: int, *, is_whole: bool = False) -> memoryview:
    """Return what zlib gives, at most ``limit`` bytes of it."""
    engine = zlib.decompressobj()
    try:
        content = engine.decompress(compressed, limit)
    except zlib.error as error:
        raise _MalformedError(f"expected data of zlib, found others: {error}") from None
    if is_whole and len(content) < limit and not engine.eof:
        raise _MalformedError("expected whole data of zlib, found them cut off")
    return memoryview(content)


def _byte_order(content: bytes) -> str:
    """Return the sign that NumPy and struct have for a file's byte order."""
    for start, found in OTHER_FILES.items():
        if content.startswith(start):
            raise _MalformedError(f"expected a MATLAB 5 file, found {found}: save it with '-v7'")
    order = {b"IM": "<", b"MI": ">"}.get(content[126:HEADER_BYTES])
    if order is None:
        found = "version 4: save it with '-v7'" if _is_version_4(content) else "other bytes"
        raise _MalformedError(f"expected a MATLAB 5 file, found {found}")
    version = struct.unpack_from(f"{order}H", content, 124)[0]
    if version == VERSION_7_3:
        raise _MalformedError("expected a MATLAB 5 file, found version 7.3: save it with '-v7'")
    if version != VERSION:
        raise _MalformedError(f"expected a MATLAB 5 file, found version 0x{version:04x}")
    return order


def _is_version_4(content: bytes) -> bool:
    """Whether the first 20 bytes are the header of a version 4 matrix."""
    if len(content) < 20:
        return False
    for order in "<>":
        kind, rows, columns, has_imaginary, name_bytes = struct.unpack_from(f"{order}5i", content)
        is_kind = 0 <= kind < 5000 and kind % 10 <= 2 and kind // 100 % 10 == 0
        if is_kind and min(rows, columns) >= 0 and has_imaginary in (0, 1) and name_bytes > 0:
            return True
    return False

"""MATLAB 5 files that are wrong somewhere, compressed after that."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from unittest.mock import patch

import numpy as np

import minilayer as ml
from minilayer.utils import matlab5
from minilayer.utils.matlab5 import COMPRESSED, MATRIX, read_matrices
from minilayer.utils.types import Array
from tests.fuzz.engine import Target
from tests.fuzz.source import Source
from tests.utils.plain_matlab5 import CLASSES, compressed, element, matlab_file, matrix

NAMES = ("X", "y", "Theta1", "Theta2", "Theta10", "Z", "", "a_longer_name", "\xff" * 300)
WORDS = [*range(10), 12, 13, 14, 15, 16, 17, 99, 400, 401, 2**16, 2**24, 2**31 - 1, 2**31]
WORDS += [2**32 - 8, 2**32 - 1, 0x00040005, 0x00010002, 0x00050001]
"""Data types, classes, sizes, and tags of small elements."""


def generate(source: Source) -> bytes:
    """Return a file of up to three variables, right or with a few mistakes."""
    order = source.choice("<>")
    variables = [_variable(source, order) for _ in range(source.integer(0, 3))]
    content = matlab_file(*variables, order=order)
    if source.chance(20):
        content = _with_another_word(source, content, order)
    if source.chance(40):
        content = content[: source.integer(0, len(content))] + source.data(source.integer(0, 9))
    return content


def _variable(source: Source, order: str) -> bytes:
    if source.chance(20):
        variable = element(source.choice((0, 1, 5, MATRIX, 99)), source.data(8), order)
    else:
        variable = _matrix(source, order)
    while source.chance(3):
        variable = _with_another_word(source, variable, order)
    if source.integer(0, 1):
        return variable
    packed = compressed(variable, order)
    if source.chance(20):
        packed = _with_another_word(source, packed, order)
    if source.chance(20):
        packed = element(COMPRESSED, packed[8 : source.integer(8, len(packed))], order)
    return compressed(packed, order) if source.chance(30) else packed


def _matrix(source: Source, order: str) -> bytes:
    name = source.choice(NAMES)
    dtype = source.choice(("f8", *CLASSES))
    stored = dtype
    values = _numbers(source, name).astype(dtype)
    if source.chance(3):
        stored = source.choice(list(CLASSES))
        values = values % 100
    array_class = source.choice((1, 2, 3, 4, 5, 16, 17, 255)) if source.chance(20) else None
    flags = source.choice((0x100, 0x200, 0x400, 0x800)) if source.chance(10) else 0
    shapes = ((-1, 3), (3,), (), (2, 2, 2), (1,) * 33, (2**31 - 1,) * 2, (0, 2**31 - 1))
    return matrix(
        name,
        values,
        order,
        stored=stored,
        array_class=array_class,
        flags=flags,
        shape=source.choice(shapes) if source.chance(20) else None,
        small=source.choice((None, False)),
    )


def _numbers(source: Source, name: str) -> Array:
    """Small integers in a shape that suits the name, or another one."""
    rows = source.integer(0, 3)
    columns = source.integer(0, 4)
    if name == "X" and source.integer(0, 1):
        columns = 400
    elif name == "y" and source.integer(0, 1):
        columns = 1
    return np.arange(1.0, 1 + rows * columns).reshape(rows, columns) % 11


def _with_another_word(source: Source, content: bytes, order: str) -> bytes:
    """A word near the beginning is another one, or a byte anywhere."""
    if source.chance(3):
        place = source.integer(0, max(0, len(content) - 1))
        return content[:place] + source.data(1) + content[place + 1 :]
    place = 4 * source.integer(0, min(len(content), 160) // 4)
    word = source.choice((source.choice(WORDS), source.integer(0, 2**32 - 1)))
    return content[:place] + struct.pack(f"{order}I", word) + content[place + 4 :]


def execute(content: bytes, path: Path) -> str:
    """Read a file: matrices within the limit, or ValueError that names the file."""
    path.write_bytes(content)
    free_bytes = matlab5.FREE_BYTES if zlib.crc32(content) % 2 else 0  # a limit that is reached
    with patch.object(matlab5, "FREE_BYTES", free_bytes):
        outcomes = [_matrices(path, len(content)), _digits(path), _weights(path)]
    return ", ".join(sorted({outcome for outcome in outcomes if outcome}))


def _check_refusal(error: ValueError, path: Path) -> None:
    assert str(path) in str(error), error
    assert "expected" in str(error), error
    assert len(str(error)) < 1500, error


def _matrices(path: Path, size: int) -> str:
    try:
        found = read_matrices(path, ".*")
    except ValueError as error:
        _check_refusal(error, path)
        return "refused"
    limit = matlab5.FREE_BYTES + matlab5.NUMBERS_PER_BYTE * size
    assert sum(value.nbytes for value in found.values()) <= limit
    assert all(value.ndim == 2 and value.flags.writeable for value in found.values())
    assert all(value.dtype.isnative for value in found.values())
    return "matrices" if found else "empty"


def _digits(path: Path) -> str:
    try:
        X, labels = ml.load_ex4(path)
    except ValueError as error:
        _check_refusal(error, path)
        return ""
    assert X.shape == (len(labels), 400)
    assert np.isfinite(X).all()
    assert X.dtype == np.float64
    assert labels.dtype == np.int64
    assert ((labels >= 0) & (labels <= 9)).all()
    return "digits"


def _weights(path: Path) -> str:
    try:
        model = ml.load_ex4_weights(path)
    except ValueError as error:
        _check_refusal(error, path)
        return ""
    assert np.isfinite(model.parameters).all()
    return "weights"


TARGET = Target("matlab", generate, execute)

"""read_matrices: what SciPy, Octave and MATLAB write; and a ValueError for any other bytes."""

import io
import re
import struct
import tracemalloc
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.io import loadmat, savemat
from scipy.sparse import csc_array

from minilayer.utils import matlab5
from minilayer.utils.matlab5 import CLASS_DTYPES, COMPRESSED, MATRIX, read_matrices
from minilayer.utils.types import Array
from tests.helpers.paths import ROOT
from tests.utils.plain_matlab5 import (
    CLASSES,
    DATA_TYPES,
    compressed,
    element,
    matlab_file,
    matrix,
    zeros,
)

FIXTURES = ROOT / "tests" / "fixtures"
NUMBERS = np.array([[1.5, -2, 3], [4, 5, 1e300]])


def read(tmp_path: Path, content: bytes, wanted: str = "X") -> dict[str, Array]:
    path = tmp_path / "some.mat"
    path.write_bytes(content)
    return read_matrices(path, wanted)


def refusal(tmp_path: Path, content: bytes, wanted: str = "X") -> str:
    """What the reader says of a file; it names the file and what was expected."""
    with pytest.raises(ValueError, match="expected") as caught:
        read(tmp_path, content, wanted)
    assert type(caught.value) is ValueError
    assert str(tmp_path / "some.mat") in str(caught.value)
    return str(caught.value)


SHAPES = npst.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9)
MATRICES = st.sampled_from(sorted(CLASSES)).flatmap(lambda dtype: npst.arrays(dtype, SHAPES))
NAMES = st.from_regex("[A-Za-z][A-Za-z0-9_]{0,30}", fullmatch=True)


@given(content=st.dictionaries(NAMES, MATRICES, min_size=1, max_size=4), compress=st.booleans())
def test_what_scipy_writes_is_read_as_scipy_reads_it(
    tmp_path_factory: Any, content: dict[str, Array], compress: bool
) -> None:
    path = tmp_path_factory.mktemp("scipy") / "some.mat"
    savemat(path, content, do_compression=compress)
    found = read_matrices(path, ".*")
    expected = loadmat(path, mat_dtype=True)
    assert list(found) == list(content)
    for name, value in content.items():
        assert found[name].dtype == expected[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], expected[name])
        np.testing.assert_array_equal(found[name], value)
        assert found[name].flags.writeable


@given(
    value=MATRICES,
    order=st.sampled_from("<>"),
    compress=st.booleans(),
    small=st.sampled_from([None, False]),
)
def test_both_byte_orders(
    tmp_path_factory: Any, value: Array, order: str, compress: bool, small: bool | None
) -> None:
    variable = matrix("X", value, order, small=small)
    packed = compressed(variable, order) if compress else variable
    path = tmp_path_factory.mktemp("orders") / "some.mat"
    path.write_bytes(
        matlab_file(matrix("before", NUMBERS, order), packed, packed_y(order), order=order)
    )
    found = read_matrices(path, "X|y")
    expected = loadmat(path, mat_dtype=True)
    assert list(found) == ["X", "y"]
    np.testing.assert_array_equal(found["X"], expected["X"])
    np.testing.assert_array_equal(found["X"], value)
    np.testing.assert_array_equal(found["y"], [[1]])


def packed_y(order: str) -> bytes:
    """A double that is stored as a byte, inside the tag."""
    return matrix("y", np.ones((1, 1)), order, stored="u1")


@pytest.mark.parametrize("stored", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4"])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_floats_are_stored_as_smaller_types(tmp_path: Path, stored: str, dtype: str) -> None:
    value = np.array([[1, 2, 100], [7, 0, 3]], dtype)
    found = read(tmp_path, matlab_file(matrix("X", value, stored=stored)))["X"]
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, value)


@pytest.mark.parametrize("version", ["v6", "v7"])
def test_what_octave_writes(version: str) -> None:
    """Octave 7.3 wrote these with ``save -v6`` and ``save -v7``."""
    found = read_matrices(FIXTURES / f"octave-{version}.mat", "(?!(c|nd|s|sp|st|z)$).*")
    expected = {
        "Theta1": np.arange(1, 13).reshape(4, 3).T / 7,
        "Theta2": np.array([[1.0, 2, 3, 4]]),
        "e": np.zeros((0, 3)),
        "i16": np.array([[-5, 700]], np.int16),
        "i64": np.array([[1, 2, -3]], np.int64),
        "lg": np.array([[1, 0]], np.uint8),
        "longer_name_than_usual": np.array([[np.nan, np.inf, -np.inf]]),
        "packed": np.array([[1.0, 2], [3, 250]]),
        "r": np.array([[1.0, 2, 3, 4, 5]]),
        "real": np.array([[0.5, -1e300]]),
        "sing": np.array([[1.5, 2]], np.float32),
        "small": np.array([[1, 2, 3]], np.uint8),
        "wide": np.array([[1.0, 70000], [-3, 2]]),
    }
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        np.testing.assert_array_equal(found[name], value)


OCTAVE_KINDS = {
    "c": "a cell array",
    "nd": "shape (2, 2, 2)",
    "s": "characters",
    "sp": "a sparse matrix: save full(...) of it",
    "st": "a structure",
    "z": "complex numbers",
}


@pytest.mark.parametrize("version", ["v6", "v7"])
@pytest.mark.parametrize("name", OCTAVE_KINDS)
def test_variables_of_other_kinds_are_refused_by_name(version: str, name: str) -> None:
    path = FIXTURES / f"octave-{version}.mat"
    message = f"{name} in {path}: expected a matrix of real numbers, found {OCTAVE_KINDS[name]}"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_matrices(path, name)


HDF5_OF_MATLAB = matlab_file(version=0x0200).ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n"
FILES = {
    "version 4: save it with '-v7'": (FIXTURES / "octave-v4.mat").read_bytes(),
    "version 7.3: save it with '-v7'": HDF5_OF_MATLAB,
    "an HDF5 file: save it with '-v7'": b"\x89HDF\r\n\x1a\n" + bytes(900),
    "Octave's text format: save it with '-v7'": b"# Created by Octave 7.3.0\n# name: X\n" * 9,
    "Octave's binary format: save it with '-v7'": b"Octave-1-L" + bytes(300),
    "version 0x0300": matlab_file(version=0x0300),
    "other bytes": b"X,y\n1,2\n" * 100,
}


@pytest.mark.parametrize("found", FILES)
def test_files_of_other_kinds_are_refused_by_name(tmp_path: Path, found: str) -> None:
    said = refusal(tmp_path, FILES[found])
    assert said.endswith(f"some.mat: expected a MATLAB 5 file, found {found}")


def test_variables_that_nobody_wants_are_not_read(tmp_path: Path) -> None:
    """Among them what SciPy has no reader for, and data that are damaged."""
    buffer = io.BytesIO()
    others = {"c": {"a": [1, "b"]}, "z": NUMBERS * 1j, "sp": csc_array(np.eye(3)), "s": "text"}
    savemat(buffer, {**others, "X": NUMBERS})
    np.testing.assert_array_equal(read(tmp_path, buffer.getvalue())["X"], NUMBERS)
    damaged = compressed(matrix("Y", np.arange(1e4)[None]))
    content = matlab_file(
        element(MATRIX, b""),
        element(MATRIX, element(6, struct.pack("<II", 17, 0)) + b"an object of MATLAB's own"),
        matrix("W", NUMBERS, stored="f8", array_class=4),
        matrix("V", NUMBERS, shape=[2] * 20),
        damaged[:-9] + b"\0" * 9,
        compressed(matrix("X", NUMBERS)),
    )
    np.testing.assert_array_equal(read(tmp_path, content)["X"], NUMBERS)
    assert read(tmp_path, content, "y") == {}


GOOD = matrix("X", NUMBERS)
BYTES = NUMBERS.astype("<f8").tobytes(order="F")
CHANGES: dict[str, tuple[bytes, str]] = {
    "data type 99": (GOOD.replace(b"\x09\0\0\0\x30", b"\x63\0\0\0\x30"), "found data type 99"),
    "data type of a matrix": (GOOD.replace(b"\x09\0\0\0\x30", b"\x0e\0\0\0\x30"), "data type 14"),
    "another variable type": (element(99, GOOD[8:]), "expected variables, found data type 99"),
    "flags of another type": (element(MATRIX, element(9, bytes(8)) + GOOD[24:]), "array flags"),
    "flags of 4 bytes": (element(MATRIX, element(6, bytes(4)) + GOOD[24:]), "array flags"),
    "dimensions as doubles": (
        element(MATRIX, GOOD[8:24] + element(9, bytes(16))),
        "expected dimensions, found data type 9",
    ),
    "dimensions of 7 bytes": (
        element(MATRIX, GOOD[8:24] + element(5, bytes(7))),
        "expected dimensions, found data type 5",
    ),
    "a negative length": (matrix("X", NUMBERS, shape=(-2, -3)), "found shape (-2, -3)"),
    "no dimensions": (matrix("X", NUMBERS, shape=()), "found shape ()"),
    "one dimension": (matrix("X", NUMBERS, shape=(6,)), "found shape (6,)"),
    "a thousand dimensions": (
        matrix("X", NUMBERS, shape=[1] * 1000),
        "expected at most 32 dimensions and 255 letters of a name, found 1000 and 1",
    ),
    "a name of 10,000 letters": (matrix("X" * 10_000, NUMBERS), "found 2 and 10000"),
    "larger than the file": (
        matrix("X", NUMBERS, shape=(2**31 - 1, 2**31 - 1)),
        f"expected {8 * (2**31 - 1) ** 2} bytes of numbers, found 48",
    ),
    "larger by a row": (matrix("X", NUMBERS, shape=(3, 3)), "expected 72 bytes of numbers"),
    "smaller by a row": (matrix("X", NUMBERS, shape=(1, 3)), "expected 24 bytes of numbers"),
    "complex": (matrix("X", NUMBERS, flags=0x800), "found complex numbers"),
    "doubles of a small class": (
        matrix("X", NUMBERS, array_class=9),
        "expected numbers of type uint8, found data type 9",
    ),
    "doubles of class single": (
        matrix("X", NUMBERS, array_class=7),
        "expected numbers of type float32, found data type 9",
    ),
    "negative numbers of an unsigned class": (
        matrix("X", np.array([[-1]], "i1"), array_class=9),
        "expected numbers of type uint8, found data type 1",
    ),
    "a name of a gigabyte": (
        GOOD.replace(struct.pack("<I", 1 | 1 << 16) + b"X", struct.pack("<II", 1, 1 << 30)),
        "expected 1073741824 bytes of data, found",
    ),
    "more bytes than the file": (
        element(MATRIX, b"")[:4] + b"\xff\xff\xff\xff",
        "found 0: cut off",
    ),
    "half a tag": (GOOD + b"\x0e\0\0", "expected whole elements, found"),
    "two of a name": (GOOD + GOOD, "expected one variable X, found two"),
    "no numbers": (element(MATRIX, GOOD[8:48]), "expected whole elements"),
    "no data of zlib": (element(COMPRESSED, b"text"), "expected data of zlib, found others"),
    "data of zlib cut off": (element(COMPRESSED, zlib.compress(GOOD)[:-5]), "found them cut off"),
    "a checksum of zlib": (
        element(COMPRESSED, zlib.compress(GOOD)[:-1] + b"\0"),
        "expected data of zlib, found others",
    ),
    "nothing of zlib": (element(COMPRESSED, b""), "expected whole elements, found 0 bytes"),
    "compressed twice": (compressed(compressed(GOOD)), "expected variables, found data type 15"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_damaged_variables_are_refused(tmp_path: Path, kind: str) -> None:
    variable, message = CHANGES[kind]
    assert message in refusal(tmp_path, matlab_file(variable))


def test_the_variable_is_right_before_it_is_damaged(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path, matlab_file(GOOD))["X"], NUMBERS)


@pytest.mark.parametrize("compress", [False, True])
def test_every_length_of_a_truncated_file(tmp_path: Path, compress: bool) -> None:
    content = matlab_file(compressed(GOOD) if compress else GOOD)
    for length in range(len(content)):
        if length == 128:  # a file without variables is whole
            assert read(tmp_path, content[:length]) == {}
        else:
            refusal(tmp_path, content[:length])


LARGE = {
    "200 MB of zeros": matlab_file(zeros(5000, 5000)),
    "bytes that become doubles": matlab_file(
        compressed(matrix("X", np.zeros((5000, 5000)), stored="u1"))
    ),
    "a hundred variables": matlab_file(
        *[compressed(matrix(f"X{k}", np.zeros((1000, 1000)))) for k in range(100)]
    ),
    "a head of zeros": matlab_file(element(COMPRESSED, zlib.compress(bytes(200_000_000)))),
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_small_file_takes_little_memory(tmp_path: Path, kind: str) -> None:
    content = LARGE[kind]
    tracemalloc.start()
    try:
        refusal(tmp_path, content, "X.*")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    limit = matlab5.FREE_BYTES + matlab5.NUMBERS_PER_BYTE * len(content)
    assert peak <= len(content) + 2 * limit + (1 << 20)


def test_what_a_file_may_hold_grows_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matlab5, "FREE_BYTES", 0)
    too_much = "bytes of numbers in a file of its size, found more: save it with '-v6'"
    assert too_much in refusal(tmp_path, matlab_file(zeros(1000, 1000)))
    noise = np.random.default_rng(0).standard_normal((1000, 100))
    content = matlab_file(compressed(matrix("X", noise)))
    np.testing.assert_array_equal(read(tmp_path, content)["X"], noise)
    monkeypatch.setattr(matlab5, "MAX_NUMBERS_BYTES", noise.nbytes)
    assert f"expected at most 800000 {too_much}" in refusal(tmp_path, content)


def test_a_file_has_a_limit_of_variables_and_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = matlab_file(*[element(MATRIX, b"")] * 10_001)
    assert "expected at most 10000 variables, found more" in refusal(tmp_path, content)
    monkeypatch.setattr(matlab5, "MAX_FILE_BYTES", 100)
    assert "expected at most 100 bytes, found 80136" in refusal(tmp_path, content)


def test_random_damage(tmp_path: Path) -> None:
    """Every byte of a small file, set to several values: numbers or a ValueError, no warning."""
    for content in (matlab_file(GOOD), matlab_file(compressed(GOOD)), matlab_file(packed_y("<"))):
        for place in range(len(content)):
            for value in (0, 99, 255):
                damaged = bytearray(content)
                damaged[place] = value
                (tmp_path / "some.mat").write_bytes(damaged)
                try:
                    found = read_matrices(tmp_path / "some.mat", ".*")
                except ValueError as error:
                    assert "some.mat: expected" in str(error)  # noqa: PT017
                else:
                    assert all(one.ndim == 2 for one in found.values())


def test_scipy_is_no_reader_here() -> None:
    for path in (ROOT / "minilayer").rglob("*.py"):
        assert "loadmat" not in path.read_text(encoding="utf-8"), path


def test_the_builder_of_these_files_agrees_with_scipy() -> None:
    for dtype in CLASS_DTYPES.values():
        value = np.arange(6).reshape(2, 3).astype(dtype)
        for order in "<>":
            content = matlab_file(matrix("X", value, order), order=order)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = loadmat(io.BytesIO(content))["X"]
            np.testing.assert_array_equal(found, value)
    assert DATA_TYPES["f8"] == 9

"""``predict`` and ``predict_class`` from files, and into arrays and files."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr

import minilayer as ml
from minilayer.nn.sequential import PREDICTED_ROWS
from minilayer.utils.types import Array
from tests.helpers.row_sources import STORES, OwnRows

ROWS = 2 * PREDICTED_ROWS + 100
X = np.random.default_rng(0).standard_normal((ROWS, 3)).astype(np.float32)


def model(output: type[ml.Activation] = ml.Softmax, outputs: int = 4) -> ml.Sequential:
    return ml.mlp(3, 5, outputs, output=output, seed=0)


@pytest.fixture(params=[1, 60_000])
def block_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read one or two pieces of a prediction at a time."""
    monkeypatch.setattr("minilayer.utils.row_source.BYTES_PER_BLOCK", request.param)


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize("kind", STORES)
def test_predictions_of_a_file_have_the_bits_of_memory(kind: str, tmp_path: Path) -> None:
    with STORES[kind](tmp_path, X) as rows:
        np.testing.assert_array_equal(model().predict(rows), model().predict(X))
        np.testing.assert_array_equal(model()(rows), model()(X))
        np.testing.assert_array_equal(model().predict_class(rows), model().predict_class(X))


def test_a_file_is_read_once_some_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minilayer.utils.row_source.BYTES_PER_BLOCK", 1)
    rows = OwnRows(X)
    model().predict_class(rows)
    edges = [0, PREDICTED_ROWS, 2 * PREDICTED_ROWS, ROWS]
    assert rows.reads == list(pairwise(edges))


def places(folder: Path, shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
    """Return arrays and files that take results."""
    file = h5py.File(folder / "out.h5", "w")
    return {
        "array": np.empty(shape, dtype),
        "Fortran-ordered": np.empty(shape, dtype, order="F"),
        "memmap": np.memmap(folder / "out.bin", dtype, "w+", shape=shape),
        "hdf5": file.create_dataset("out", shape, dtype, chunks=True),
        "zarr": zarr.create_array(folder / "out.zarr", shape=shape, dtype=dtype),
    }


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_scores_are_written_to_what_takes_slices(dtype: str, tmp_path: Path) -> None:
    expected = model().predict(X).astype(dtype)
    for out in places(tmp_path, (ROWS, 4), dtype).values():
        assert model().predict(X, out=out) is out
        np.testing.assert_array_equal(out[:], expected)


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
@pytest.mark.parametrize(("output", "outputs"), [(ml.Softmax, 4), (ml.Sigmoid, 1)])
def test_class_numbers_are_written_to_what_takes_slices(
    output: type[ml.Activation], outputs: int, dtype: str, tmp_path: Path
) -> None:
    expected = model(output, outputs).predict_class(X)
    assert expected.dtype == np.int64
    for out in places(tmp_path, (ROWS,), dtype).values():
        assert model(output, outputs).predict_class(OwnRows(X), out=out) is out
        np.testing.assert_array_equal(out[:], expected)


def read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "another shape": (
        np.empty((ROWS, 3)),
        ValueError,
        f"out: expected shape ({ROWS}, 4), found ({ROWS}, 3)",
    ),
    "integers": (
        np.empty((ROWS, 4), int),
        TypeError,
        "out: expected floating-point numbers, found dtype int64",
    ),
    "a list": (
        [0.0],
        TypeError,
        f"out: expected an array of shape ({ROWS}, 4), or a file's that takes "
        "out[start:stop] = rows, found [0.0]",
    ),
    "an array that cannot be written to": (
        read_only(np.empty((ROWS, 4))),
        ValueError,
        "out: expected one that can be written to, found one that cannot",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_place_is_refused_before_anything_is_read(case: str) -> None:
    out, kind, text = REFUSED[case]
    rows = OwnRows(X)
    with pytest.raises(kind) as caught:
        model().predict(rows, out=out)
    assert str(caught.value) == text
    assert not rows.reads


def test_files_that_are_open_for_reading_are_refused(tmp_path: Path) -> None:
    places(tmp_path, (ROWS, 4), "float64")["hdf5"].file.close()
    expected = "^out: expected one that can be written to, found one that cannot"
    file = h5py.File(tmp_path / "out.h5", "r")
    with file, pytest.raises(ValueError, match=expected):
        model().predict(X, out=file["out"])
    with pytest.raises(ValueError, match=expected):
        model().predict(X, out=zarr.open_array(tmp_path / "out.zarr", mode="r"))


def test_floating_point_places_are_refused_for_class_numbers() -> None:
    with pytest.raises(TypeError, match=r"^out: expected integers, found dtype float64$"):
        model().predict_class(X, out=np.empty(ROWS))


def test_a_row_that_is_not_finite_is_named_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minilayer.utils.row_source.BYTES_PER_BLOCK", 1)
    wrong = X.copy()
    wrong[ROWS - 1, 2] = np.inf
    expected = f"^X: expected finite numbers, found inf in row {ROWS - 1}, column 2$"
    out = np.full((ROWS, 4), -1.0)
    for rows in (wrong, OwnRows(wrong)):
        with pytest.raises(ValueError, match=expected):
            model().predict(rows, out=out)
        is_file = isinstance(rows, OwnRows)
        assert (out[0, 0] == -1) == (not is_file)  # rows in memory are all checked first

"""What is refused of rows from files, when an objective is made, and by which words."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.row_sources import STORES, OwnRows

ROWS = 120
X = np.random.default_rng(0).standard_normal((ROWS, 4))
LABELS = np.arange(ROWS) % 3


def objective(rows: Any = X, targets: Any = LABELS, **options: Any) -> ml.Objective:
    model = ml.mlp(4, 5, 3, output=ml.Softmax, seed=0)
    return ml.Objective(model, rows, targets, ml.CategoricalCrossEntropy(), **options)


def own(rows: Array = X, **attributes: Any) -> OwnRows:
    """Return rows of the user's own whose attributes are wrong."""
    source = OwnRows(rows)
    for name, value in attributes.items():
        setattr(source, name, value)
    return source


class Part:
    """Has only some of what rows need."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Returns(OwnRows):
    """Gives something else than the rows."""

    def __init__(self, found: Any) -> None:
        super().__init__(X)
        self._found = found

    def __getitem__(self, rows: slice) -> Any:
        return self._found


class Raises(OwnRows):
    """Raises an error for the rows from 60 on."""

    def __getitem__(self, rows: slice) -> Array:
        if rows.stop > 60:
            raise RuntimeError("the network is down")
        return super().__getitem__(rows)


def with_one(value: float, row: int, column: int) -> OwnRows:
    changed = X.copy()
    changed[row, column] = value
    return OwnRows(changed)


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "one dimension": (
        {"rows": own(X[:, 0])},
        ValueError,
        "X: expected 2 dimensions (rows are examples), found shape (120,)",
    ),
    "too few columns": (
        {"rows": own(X[:, :3])},
        ValueError,
        "X: expected 4 columns (inputs of Dense(4, 5)), found 3",
    ),
    "no rows": (
        {"rows": own(X[:0])},
        ValueError,
        "X: expected at least one row and one column, found shape (0, 4)",
    ),
    "another number of rows": (
        {"rows": own(X[:100])},
        ValueError,
        "Y: expected as many rows as X, 100, found 120",
    ),
    "strings": (
        {"rows": own(X.astype(str))},
        TypeError,
        "X: expected numbers, found dtype <U32: store class numbers from 0 up, or numbers",
    ),
    "strings as labels": (
        {"targets": own(LABELS.astype("S1"))},
        TypeError,
        "Y: expected numbers, found dtype |S1: store class numbers from 0 up, or numbers",
    ),
    "complex numbers": (
        {"rows": own(X.astype(complex))},
        TypeError,
        "X: expected numbers, found dtype complex128",
    ),
    "a dtype that is none": (
        {"rows": own(dtype="numbers")},
        TypeError,
        "X: expected a shape of integers and a NumPy dtype, "
        "found shape (120, 4) and dtype 'numbers'",
    ),
    "a shape that is none": (
        {"rows": own(shape=120)},
        TypeError,
        "X: expected a shape of integers and a NumPy dtype, "
        "found shape 120 and dtype dtype('float64')",
    ),
    "no slices": (
        {"rows": Part(shape=(120, 4), dtype=np.dtype(float))},
        TypeError,
        "X: expected an array, or an object with shape, dtype and X[start:stop], "
        "found Part without __getitem__",
    ),
    "no dtype and no slices": (
        {"rows": Part(shape=(120, 4))},
        TypeError,
        "X: expected an array, or an object with shape, dtype and X[start:stop], "
        "found Part without dtype and __getitem__",
    ),
    "a slice of another dtype": (
        {"rows": own(dtype=np.dtype("float32"))},
        ml.DataError,
        "X[0:120]: expected dtype float32, that of X, found float64",
    ),
    "a slice of another shape": (
        {"rows": Returns(X[:7])},
        ml.DataError,
        "X[0:120]: expected shape (120, 4), found (7, 4)",
    ),
    "a slice of fewer columns": (
        {"rows": Returns(X[:, :2])},
        ml.DataError,
        "X[0:120]: expected shape (120, 4), found (120, 2)",
    ),
    "nothing": (
        {"rows": Returns(None)},
        ml.DataError,
        "X[0:120]: expected dtype float64, that of X, found object",
    ),
    "an error": (
        {"rows": Raises(X)},
        ml.DataError,
        "X: expected to read rows 0 to 119, found RuntimeError: the network is down",
    ),
    "NaN": (
        {"rows": with_one(np.nan, 77, 2)},
        ValueError,
        "X: expected finite numbers, found nan in row 77, column 2",
    ),
    "NaN among copies": (
        {"rows": with_one(np.nan, 77, 2), "copy": True},
        ValueError,
        "X: expected finite numbers, found nan in row 77, column 2",
    ),
    "labels out of range": (
        {"targets": own(LABELS + 1)},
        ValueError,
        "Y: expected labels 0..2 (the model has 3 outputs), found 1..3: "
        "minilayer.encode_labels(Y) gives labels from 0 up",
    ),
    "labels that are no integers": (
        {"targets": own(LABELS.astype(float))},
        TypeError,
        "Y: expected integers as labels, or 3 columns, found dtype float64: use Y[:].astype(int)",
    ),
    "a column of labels": (
        {"targets": own(LABELS[:, None])},
        ValueError,
        "Y: expected 3 columns (outputs of the model; labels are (m,)), found 1",
    ),
    "a flag": ({"copy": "no"}, TypeError, "copy: expected True or False, found 'no'"),
}
"""What is wrong, the arguments, the error and its text."""


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    arguments, kind, text = REFUSED[case]
    with pytest.raises(kind) as caught:
        objective(**arguments)
    assert type(caught.value) is kind
    assert str(caught.value) == text


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("name", ["X", "Y"])
def test_a_number_that_is_not_finite_is_named_by_its_row(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minilayer.utils.row_source.BYTES_PER_BLOCK", 1000)
    given = {"X": X.copy(), "Y": ml.one_hot(LABELS, 3)}
    given[name][101, 1] = np.nan
    with STORES[kind](tmp_path, given[name]) as rows:
        arguments = {"rows": X, "targets": given["Y"]} | {
            "rows" if name == "X" else "targets": rows
        }
        expected = f"^{name}: expected finite numbers, found nan in row 101, column 1$"
        with pytest.raises(ValueError, match=expected):
            objective(**arguments)


@pytest.mark.parametrize("kind", STORES)
def test_a_target_that_the_loss_refuses_is_named_by_its_row(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minilayer.utils.row_source.BYTES_PER_BLOCK", 1000)
    Y = ml.one_hot(LABELS, 3)
    Y[101] = 0.5
    expected = "^Y: CategoricalCrossEntropy expects rows that sum to 1, found 1.5 in row 101$"
    with pytest.raises(ValueError, match=expected):
        objective(targets=Y)
    with STORES[kind](tmp_path, Y) as targets, pytest.raises(ValueError, match=expected):
        objective(targets=targets)


def test_class_weights_name_the_row_without_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minilayer.utils.row_source.BYTES_PER_BLOCK", 1000)
    Y = ml.one_hot(LABELS, 3)
    Y[101] = 1
    model = ml.mlp(4, 3, output=ml.Sigmoid, seed=0)
    expected = "^class_weight: expected one class a row, found targets that sum to 3 in row 101$"
    for targets in (Y, OwnRows(Y)):
        with pytest.raises(ValueError, match=expected):
            ml.Objective(model, X, targets, ml.BinaryCrossEntropy(), class_weight="balanced")


def test_a_file_is_no_rows_but_its_datasets_are(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["X"] = X
        with pytest.raises(
            TypeError,
            match=r"^X: expected rows, found <HDF5 file .*: take one of "
            r'its arrays, such as file\["X"\]$',
        ):
            objective(rows=file)
        dataset = file["X"]
        objective(rows=dataset)
    with pytest.raises(
        ml.DataError,
        match=r"^X: expected rows that can be read, found \w+Error: "
        r".*: keep the file open$",
    ):
        objective(rows=dataset)


def test_an_array_of_strings_in_hdf5_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["Y"] = ["no", "yes"] * 60
        expected = "^Y: expected numbers, found dtype object: store class numbers from 0 up"
        with pytest.raises(TypeError, match=expected):
            objective(targets=file["Y"])


def test_rows_that_are_no_file_stay_as_they_were() -> None:
    """Kinds of arrays in memory that have shape, dtype and slices are converted as a whole."""

    class Tensor(OwnRows):
        def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
            return self[0 : self.shape[0]]

        def __dlpack__(self) -> None: ...

    tensor = Tensor(X)
    assert objective(rows=tensor).identity()["copy"] == "True"
    assert tensor.reads == [(0, ROWS)]

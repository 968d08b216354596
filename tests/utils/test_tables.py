"""DataFrames and Series of pandas and polars, wherever rows and targets are given."""

import copy
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import minilayer as ml
from minilayer.utils.types import Array

FRAME = pd.DataFrame(
    {"area": [55, 72, 98, 150], "rooms": [2.0, 3.0, 3.5, 5.0], "garden": [True, False, True, True]}
)
NUMBERS = FRAME.to_numpy(dtype=float)
LABELS = [0, 1, 0, 1]

SAME_NUMBERS: dict[str, Any] = {
    "pandas": FRAME,
    "polars": pl.from_pandas(FRAME),
    "nullable dtypes": FRAME.convert_dtypes(),
    "one dtype": FRAME.astype(float),
    "another index": FRAME.set_index(pd.Index([7, 7, 1, 0])),
    "columns that are numbers": FRAME.set_axis([0, 1, 2], axis=1),
    "a sparse column": FRAME.astype({"area": pd.SparseDtype("int64", 0)}),
}


def classifier() -> ml.Sequential:
    return ml.mlp(3, 4, 2, output=ml.Softmax, seed=0)


def trained() -> ml.Sequential:
    model = classifier()
    ml.fit(model, FRAME, LABELS, l2=1.0, standardize=True)
    return model


@pytest.mark.parametrize("kind", SAME_NUMBERS)
def test_a_table_is_its_numbers(kind: str) -> None:
    table = SAME_NUMBERS[kind]
    model = classifier()
    np.testing.assert_array_equal(model.predict(table), model.predict(NUMBERS))
    loss = ml.CategoricalCrossEntropy()
    cost, gradient = ml.Objective(classifier(), table, LABELS, loss)(model.parameters)
    expected, expected_gradient = ml.Objective(model, NUMBERS, LABELS, loss)(model.parameters)
    assert cost == expected
    np.testing.assert_array_equal(gradient, expected_gradient)
    np.testing.assert_array_equal(ml.Standardize.of(table).mean, ml.Standardize.of(NUMBERS).mean)


def test_the_numbers_are_a_copy() -> None:
    before = FRAME.copy()
    trained()
    pd.testing.assert_frame_equal(FRAME, before)


def test_targets_are_series_and_frames() -> None:
    model = ml.mlp(3, 4, 1, seed=0)
    prices = [150.0, 190.0, 240.0, 360.0]
    costs = {
        ml.Objective(model, FRAME, targets, ml.SquaredError())(model.parameters)[0]
        for targets in (
            prices,
            pd.Series(prices, index=[3, 2, 1, 0]),
            pd.Series(prices, dtype="Float64"),
            pl.Series(prices),
            pd.DataFrame({"price": prices}),
        )
    }
    assert len(costs) == 1
    assert ml.accuracy(pd.Series(LABELS), pl.Series(LABELS)) == 1


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "texts": (
        lambda: FRAME.assign(city=["a", "b", "a", "c"], street="x"),
        r"X: expected columns of numbers, "
        r"found 'city' \((str|object)\), 'street' \((str|object)\): "
        r"pandas.get_dummies\(X, columns=\['city', 'street'\]\) makes columns of 0 and 1$",
    ),
    "a category": (
        lambda: FRAME.astype({"rooms": "category"}),
        r"found 'rooms' \(category\): pandas.get_dummies\(X, columns=\['rooms'\]\)",
    ),
    "dates": (
        lambda: FRAME.assign(day=pd.to_datetime(["2024-02-29"] * 4)),
        r"found 'day' \(datetime64\[\w+\]\): make numbers of dates, "
        r"such as X\['day'\].dt.dayofyear$",
    ),
    "dates of polars": (
        lambda: pl.from_pandas(FRAME.assign(day=pd.to_datetime(["2024-02-29"] * 4))),
        r"found 'day' \(Datetime.*: make numbers of dates, such as X\['day'\].dt.ordinal_day\(\)$",
    ),
    "numbers that are objects": (
        lambda: FRAME.astype({"area": object}),
        r"found 'area' \(object\): these objects are numbers, X.astype\(float\) makes them so$",
    ),
    "texts of polars": (
        lambda: pl.from_pandas(FRAME).with_columns(city=pl.lit("a")),
        r"found 'city' \(String\): X.to_dummies\(\['city'\]\) makes columns of 0 and 1$",
    ),
    "many columns of texts": (
        lambda: pd.DataFrame({f"c{k}": ["x"] for k in range(8)}),
        r"'c4' \((str|object)\) and 3 more: ",
    ),
    "NA": (
        lambda: FRAME.astype({"area": "Int64"}).replace({"area": {72: pd.NA}}),
        r"X: expected finite numbers, found a missing value in row 1, column 'area': "
        r"fill it or drop the row$",
    ),
    "NA of booleans": (
        lambda: FRAME.assign(garden=pd.array([True, True, True, None], "boolean")),
        r"found a missing value in row 3, column 'garden'",
    ),
    "NaN": (
        lambda: FRAME.replace({"rooms": {5.0: np.nan}}),
        r"found a missing value in row 3, column 'rooms'",
    ),
    "infinity": (
        lambda: FRAME.replace({"rooms": {5.0: np.inf}}),
        r"found inf in row 3, column 'rooms'",
    ),
    "null of polars": (
        lambda: pl.from_pandas(FRAME).with_columns(area=pl.Series([1, 2, None, 4])),
        r"found a missing value in row 2, column 'area'",
    ),
    "NaN of polars": (
        lambda: pl.from_pandas(FRAME).with_columns(rooms=pl.Series([1.0, 2.0, float("nan"), 4.0])),
        r"found nan in row 2, column 'rooms'",
    ),
    "no rows": (lambda: FRAME.iloc[:0], r"X: expected at least one row and one column"),
    "no columns": (lambda: FRAME[[]], r"X: expected at least one row and one column"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_other_tables_are_refused_by_the_names_of_their_columns(kind: str) -> None:
    make, message = WRONG[kind]
    for use in (classifier().predict, ml.Standardize.of, lambda X: ml.fit(classifier(), X, LABELS)):
        with pytest.raises((TypeError, ValueError), match=message):
            use(make())


@pytest.mark.parametrize("labels", [
    ["no", "yes", "no", "yes"],
    pd.Series(["no", "yes", "no", "yes"]),
    pd.Series(["no", "yes", "no", "yes"], dtype="category"),
    pl.Series(["no", "yes", "no", "yes"]),
], ids=["list", "pandas", "category", "polars"])  # fmt: skip
def test_labels_that_are_no_numbers_are_refused_with_a_hint(labels: Any) -> None:
    hint = r": minilayer.encode_labels\(Y\) gives class numbers and their names$"
    with pytest.raises(TypeError, match=rf"^Y: expected numbers, found .*{hint}"):
        ml.fit(classifier(), FRAME, labels)


# Names of columns


def test_training_on_a_table_remembers_its_columns() -> None:
    model = trained()
    assert model.feature_names == ("area", "rooms", "garden")
    assert "Standardize" in repr(model)
    objective_model = classifier()
    ml.Objective(objective_model, FRAME, LABELS, ml.CategoricalCrossEntropy())
    assert objective_model.feature_names == model.feature_names


@pytest.mark.parametrize("table", [NUMBERS, FRAME.set_axis([0, 1, 2], axis=1), NUMBERS.tolist()],
                         ids=["array", "columns without names", "lists"])  # fmt: skip
def test_other_rows_have_no_names(table: Any) -> None:
    model = classifier()
    ml.fit(model, table, LABELS, l2=1.0)
    assert model.feature_names is None
    model = trained()
    np.testing.assert_array_equal(model.predict(table), model.predict(FRAME))


OTHER_COLUMNS: dict[str, tuple[list[str], str]] = {
    "another order": (
        ["rooms", "area", "garden"],
        "X: expected 'area' in column 0, as the model was trained, found 'rooms': "
        "use X[list(model.feature_names)]",
    ),
    "one more": (
        ["area", "rooms", "garden", "price"],
        "X: expected 3 columns, found 4: use X[list(model.feature_names)]",
    ),
    "one more between": (
        ["area", "price", "rooms", "garden"],
        "X: expected 'rooms' in column 1, as the model was trained, found 'price': use",
    ),
    "one less": (
        ["area", "garden"],
        "X: expected the columns of the training, 'area', 'rooms', 'garden', "
        "found none named 'rooms'",
    ),
}


@pytest.mark.parametrize("library", [lambda table: table, pl.from_pandas], ids=["pandas", "polars"])
@pytest.mark.parametrize("kind", OTHER_COLUMNS)
def test_other_columns_are_refused(kind: str, library: Any) -> None:
    columns, message = OTHER_COLUMNS[kind]
    table = library(FRAME.assign(price=1.0)[columns])
    model = trained()
    for use in (
        model.predict,
        model.predict_class,
        model.forward,
        lambda X: ml.fit(model, X, LABELS),
        lambda X: ml.fit(model, FRAME, LABELS, validation=(X, LABELS)),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            use(table)
    assert model.feature_names == ("area", "rooms", "garden")


def test_the_hint_can_be_typed() -> None:
    model = trained()
    X = FRAME.assign(price=1.0)[["price", "garden", "rooms", "area"]]
    assert model.feature_names is not None
    np.testing.assert_array_equal(model.predict(X[list(model.feature_names)]), model.predict(FRAME))


def test_a_new_start_takes_new_columns_and_errors_keep_the_old() -> None:
    model = trained()
    renamed = FRAME.rename(columns={"area": "size"})
    with pytest.raises(ValueError, match="Y: expected as many rows as X"):
        ml.fit(model, renamed, [0, 1, 0], seed=0)
    assert model.feature_names == ("area", "rooms", "garden")
    ml.fit(model, renamed, LABELS, l2=1.0, seed=0)
    assert model.feature_names == ("size", "rooms", "garden")
    ml.fit(model, NUMBERS, LABELS, l2=1.0, seed=0)
    assert model.feature_names == ("size", "rooms", "garden")


def test_names_go_with_copies_and_files(tmp_path: Path) -> None:
    model = trained()
    model.class_names = ["no", "yes"]
    ml.save(model, tmp_path / "model.h5")
    for again in (
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        model.replica(),
        ml.load(tmp_path / "model.h5"),
    ):
        assert again.feature_names == model.feature_names
        assert again.class_names == ("no", "yes")
        with pytest.raises(ValueError, match="expected 'area' in column 0"):
            again.predict(FRAME[["rooms", "area", "garden"]])


NAMES: dict[str, tuple[str, Any, type[Exception], str]] = {
    "one string": (
        "feature_names",
        "abc",
        TypeError,
        "feature_names: expected a list of strings, such as ['no', 'yes'], found 'abc'",
    ),
    "too few": (
        "feature_names",
        ["a", "b"],
        ValueError,
        "feature_names: expected 3, one a column of X, found 2",
    ),
    "numbers": ("feature_names", [1, 2, 3], TypeError, "feature_names: expected strings, found 1"),
    "None": ("class_names", [None, "a"], TypeError, "class_names: expected strings, found None"),
    "too many": (
        "class_names",
        ["a", "b", "c"],
        ValueError,
        "class_names: expected 2, one a class, found 3",
    ),
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_that_are_none_are_refused(kind: str) -> None:
    attribute, names, error, message = NAMES[kind]
    model = trained()
    before = (model.feature_names, model.class_names)
    with pytest.raises(error, match=re.escape(message)):
        setattr(model, attribute, names)
    assert (model.feature_names, model.class_names) == before


def test_names_can_be_forgotten() -> None:
    model = trained()
    model.feature_names = None
    assert model.predict(FRAME[["rooms", "area", "garden"]]).shape == (4, 2)


def test_one_output_has_two_classes() -> None:
    model = ml.mlp(3, 4, 1, output=ml.Sigmoid, seed=0)
    model.class_names = np.array([False, True])
    assert model.class_names == ("False", "True")


class Padded(ml.Layer):
    """A layer without parameters that widens its input by a column of ones."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.units = inputs + 1

    def forward(self, x: Array) -> Array:
        return np.hstack([x, np.ones((len(x), 1))])

    def input_gradient(self, dy: Array) -> Array:
        return dy[:, :-1]


def test_a_model_of_another_width_has_no_names() -> None:
    model = classifier()
    model.feature_names = ["a", "b", "c"]
    model.class_names = ["no", "yes"]
    model.insert(0, Padded(2))
    assert model.feature_names is None
    assert model.class_names == ("no", "yes")


def test_nothing_imports_pandas_or_polars() -> None:
    code = (
        "import sys, minilayer as ml; ml.mlp(1, 2, 1).predict([[1.0]]); "
        "assert not {'pandas', 'polars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

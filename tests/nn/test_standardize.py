"""Standardize and Rescale: the constants of columns, whatever their size and dtype."""

import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

import minilayer as ml
from minilayer.nn.configured import identity
from minilayer.utils.types import Array

rng = np.random.default_rng(0)
NORMAL = rng.standard_normal((400, 4))


def exact(column: Array) -> tuple[float, float]:
    """Return mean and standard deviation, in exact arithmetic up to the square root."""
    numbers = [Fraction(float(value)) for value in column]
    mean = sum(numbers) / len(numbers)
    variance = sum((number - mean) ** 2 for number in numbers) / len(numbers)
    top = max(abs(number) for number in numbers) or Fraction(1)
    return float(mean), float(variance / top**2) ** 0.5 * float(top)


COLUMNS: dict[str, Array] = {
    "normal": NORMAL[:, 0],
    "of 1e300": 1e300 * NORMAL[:, 0] / 5,
    "of 1e-300": 1e-300 * NORMAL[:, 0],
    "from 1e-300 to 1e300": np.geomspace(1e-300, 1e300, 50),
    "of 1e-310": 1e-310 * NORMAL[:, 0],
    "far from 0": 1e9 + NORMAL[:, 0],
    "two neighbours": np.array([1.0, np.nextafter(1, 2), 1.0]),
    "mostly 0": np.eye(1, 300)[0],
    "mostly 1e-300": 1 - np.eye(1, 300)[0] + 1e-300,
    "two numbers": np.array([-3.0, 5.0]),
    "integers": np.arange(100),
    "bytes": np.arange(256, dtype=np.uint8),
    "booleans": np.arange(10) > 2,
    "half precision": np.arange(10, dtype=np.float16) / 3,
    "single precision": (NORMAL[:, 0] * 1e30).astype(np.float32),
    "long": np.tile([0.1, 0.2, 0.4], 100_000),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_mean_and_scale_are_those_of_exact_arithmetic(kind: str) -> None:
    column = COLUMNS[kind]
    layer = ml.Standardize.of(column[:, None])
    mean, scale = exact(column if len(column) < 1000 else column[:3])
    assert layer.scale[0] == pytest.approx(max(scale, 2.0**-1022), rel=1e-13)  # divides safely
    assert layer.mean[0] == pytest.approx(mean, rel=1e-14, abs=1e-15 * scale)


@pytest.mark.parametrize("kind", sorted({*COLUMNS} - {"of 1e-310", "two neighbours"}))
def test_columns_get_mean_0_and_deviation_1(kind: str) -> None:
    column = COLUMNS[kind][:, None]
    y = ml.Standardize.of(column).forward(column.astype(np.float64))
    assert abs(y.mean()) < 1e-6  # far from 0, the column itself is rounded to 1e-7
    assert y.std() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e300, 1e-300, 5e-324, 3])
@pytest.mark.parametrize("rows", [1, 2, 7, 3000])
def test_a_constant_column_becomes_0(value: float, rows: int) -> None:
    """The mean of 0.1 is not 0.1 if it is computed, and what is left must not be divided by 0."""
    column = np.full((rows, 1), value)
    layer = ml.Standardize.of(column)
    assert (layer.mean[0], layer.scale[0]) == (value, 1)
    assert (layer.forward(column.astype(np.float64)) == 0).all()
    assert (ml.Rescale.of(column).forward(np.zeros((rows, 1))) == value).all()


def test_it_is_scikit_learns_standard_scaler() -> None:
    X = NORMAL * [1, 1e4, 1e-3, 0] + [0, 1e5, 0, 7]
    expected = StandardScaler().fit(X)
    layer = ml.Standardize.of(X)
    np.testing.assert_allclose(layer.mean, expected.mean_, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(layer.scale, expected.scale_, rtol=1e-12)
    np.testing.assert_allclose(layer.forward(X), expected.transform(X), rtol=1e-12, atol=1e-12)
    restored = ml.Rescale.of(X).forward(layer.forward(X))
    np.testing.assert_allclose(restored, X, rtol=1e-12, atol=1e-12)


@given(st.integers(-990, 990), st.integers(0, 99))
def test_a_power_of_two_changes_the_constants_by_itself(exponent: int, seed: int) -> None:
    X = np.random.default_rng(seed).uniform(0.5, 2, (9, 3))
    factor = 2.0**exponent
    plain, scaled = ml.Standardize.of(X), ml.Standardize.of(factor * X)
    np.testing.assert_array_equal(scaled.mean, factor * plain.mean)
    np.testing.assert_array_equal(scaled.scale, factor * plain.scale)


@pytest.mark.parametrize(
    "X",
    [
        NORMAL.tolist(),
        np.asfortranarray(NORMAL),
        np.repeat(NORMAL, 2, axis=1)[:, ::2],
    ],
    ids=["list", "Fortran-ordered", "strided"],
)
def test_any_layout_gives_the_same_constants(X: Any) -> None:
    layer, expected = ml.Standardize.of(X), ml.Standardize.of(NORMAL)
    np.testing.assert_allclose(layer.mean, expected.mean, rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(layer.scale, expected.scale, rtol=1e-14)


def test_a_memory_map_is_read_in_parts(tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "x.bin", np.float32, "w+", shape=(300_000, 3))
    mapped[:] = rng.standard_normal(mapped.shape) * [1, 1e3, 1e-3] + [0, 1, 2]
    layer = ml.Standardize.of(mapped)
    np.testing.assert_allclose(layer.mean, mapped.mean(axis=0, dtype="f8"), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(layer.scale, mapped.std(axis=0, dtype="f8"), rtol=1e-10)


def test_targets_may_be_one_column_without_a_second_dimension() -> None:
    layer = ml.Rescale.of([250, 270, 290])
    assert identity(layer) == identity(ml.Rescale.of([[250], [270], [290]]))
    np.testing.assert_array_equal(layer.mean, [270])


WITH_NAN = np.ones((500_000, 2))
WITH_NAN[400_123, 1] = np.nan


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (WITH_NAN, "X: expected finite numbers, found nan in row 400123, column 1"),
        ([[1, 2], [3, -np.inf]], "X: expected finite numbers, found -inf in row 1, column 1"),
        ([[np.inf, 2], [-np.inf, 2]], "X: expected finite numbers, found inf in row 0, column 0"),
        (
            [[1, -1e308], [2, 1e308]],
            r"X: expected columns whose range float64 holds, "
            r"found -1e\+308 to 1e\+308 in column 1",
        ),
        ([1, 2, 3], r"X: expected 2 dimensions .*use X.reshape\(-1, 1\)"),
        (np.ones((0, 2)), "X: expected at least one row"),
        ([["a"]], "X: expected numbers, found dtype <U1"),
        ([[1j]], "X: expected numbers, found dtype complex128"),
    ],
)
def test_other_data_are_refused(X: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        ml.Standardize.of(X)


@pytest.mark.parametrize(
    ("mean", "scale", "message"),
    [
        ([1, 2], [1], "scale of Rescale: expected as many numbers as mean has, 2, found 1"),
        ([1, 2], [1, 0], "scale of Rescale: expected numbers > 0, found 0 in column 1"),
        ([1, 2], [-1, 1], "scale of Rescale: expected numbers > 0, found -1 in column 0"),
        ([1, np.nan], [1, 1], "mean of Rescale: expected finite numbers, found nan in row 1"),
        ([1], [np.inf], "scale of Rescale: expected finite numbers, found inf"),
        (1, 1, r"mean of Rescale: expected one number a column, found shape \(\)"),
        ([], [], r"mean of Rescale: expected one number a column, found shape \(0,\)"),
        ([[1]], [1], r"mean of Rescale: expected one number a column, found shape \(1, 1\)"),
        (["a"], [1], "mean of Rescale: expected numbers, found dtype <U1"),
        (None, [1], "mean of Rescale: expected numbers, found None"),
    ],
)
def test_other_constants_are_refused(mean: Any, scale: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        ml.Rescale(mean, scale)


@pytest.mark.parametrize("kind", [ml.Standardize, ml.Rescale])
def test_the_constants_are_copies_that_cannot_be_written_to(kind: Any) -> None:
    mean, scale = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    layer = kind(mean, scale)
    mean[:] = scale[:] = 9
    np.testing.assert_array_equal([layer.mean, layer.scale], [[1, 2], [3, 4]])
    for constants in (layer.mean, layer.scale):
        with pytest.raises(ValueError, match="read-only"):
            constants[0] = 5
    for twin in (layer.unbound_copy(), pickle.loads(pickle.dumps(layer))):
        assert identity(twin) == identity(layer)
        assert not twin.mean.flags.writeable
    assert identity(kind([1, 2], [3, np.nextafter(4, 5)])) != identity(layer)


def test_reprs_are_short() -> None:
    assert repr(ml.Standardize.of(NORMAL)) == "Standardize(4 columns)"
    assert repr(ml.Rescale([1], [2])) == "Rescale(1 column)"


def test_a_model_with_both(tmp_path: Path) -> None:
    layers = [ml.Standardize([1, 2], [2, 4]), ml.Dense(2, 1), ml.Rescale([100], [10])]
    model = ml.Sequential(layers, seed=0)
    model.parameters[:] = [0.5, 1, -1]
    assert (model.n_inputs, model.n_outputs, model.parameters.size) == (2, 1, 3)
    assert model.predict([[3, 10]])[0, 0] == 100 + 10 * (0.5 + 1 - 2)
    np.testing.assert_array_equal(model.l2_mask(), [False, True, True])
    assert model.summary().splitlines() == [
        "layer                   output  parameters",
        "Standardize(2 columns)  (m, 2)           0",
        "Dense(2, 1)             (m, 1)           3",
        "Rescale(1 column)       (m, 1)           0",
        "total                                    3",
    ]
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.predict([[3, 10]]), model.predict([[3, 10]]))


def test_a_width_that_does_not_fit_names_the_layer() -> None:
    expected = r"Dense\(3, 1\) takes 3 columns, but layers\[0\] Standardize\(2 columns\) gives 2$"
    with pytest.raises(ValueError, match=expected):
        ml.Sequential([ml.Standardize([1, 2], [1, 1]), ml.Dense(3, 1)])
    with pytest.raises(ValueError, match=r"layers\[1\]: Rescale\(2 columns\) takes 2 columns"):
        ml.Sequential([ml.Dense(3, 1), ml.Rescale([1, 2], [1, 1])])

"""load_ex4, load_ex4_weights, save_ex4_weights, and the rebuilt file of the digits."""

import hashlib
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat
from scipy.sparse import csc_array

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.paths import EX4, ROOT


def test_the_rebuilt_data_is_the_course_data(digits: tuple[Array, Array]) -> None:
    X, labels = digits
    assert (X.min(), X.max()) == pytest.approx((-0.1319632301985248, 1.127688299158888), rel=1e-14)
    assert X.sum() == pytest.approx(262678.26015968184, rel=1e-13)
    assert (X == 0).mean() == pytest.approx(0.52, abs=0.01)
    published = [8.56059680e-06, 1.94035948e-06, -7.37438725e-04, -8.13403799e-03]
    published += [-1.86104473e-02, -1.87412865e-02, -1.87572508e-02, -1.90963542e-02]
    np.testing.assert_allclose(X[0, 67:75], published, rtol=5e-9)
    np.testing.assert_array_equal(labels, np.repeat(np.arange(10), 500))


def test_checksums_are_those_of_the_readme(digits: tuple[Array, Array]) -> None:
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(EX4.read_bytes()).hexdigest() in readme
    assert hashlib.sha256((digits[0].round(9) + 0.0).tobytes()).hexdigest() in readme


def test_the_file_has_the_course_variables(digits: tuple[Array, Array]) -> None:
    content = loadmat(EX4)
    np.testing.assert_array_equal(content["X"], digits[0])
    assert (content["X"].shape, content["X"].dtype) == ((5000, 400), np.float64)
    assert (content["y"].shape, content["y"].dtype) == ((5000, 1), np.uint8)
    assert sorted(set(content["y"].ravel().tolist())) == list(range(1, 11))


def test_load_gives_float_pixels_and_digits() -> None:
    X, labels = ml.load_ex4(str(EX4))
    assert (X.dtype.name, labels.dtype.name, labels.shape) == ("float64", "int64", (5000,))


GOOD: dict[str, Any] = {"X": np.zeros((3, 400)), "y": np.array([[10], [1], [9]], np.uint8)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": None}, "expected the variables X and y, found no X"),
        ({"y": None}, "expected the variables X and y, found no y"),
        ({"X": np.zeros((3, 399))}, r"expected shape \(m, 400\), found \(3, 399\)"),
        ({"X": np.zeros((0, 400))}, r"expected shape \(m, 400\), found \(0, 400\)"),
        ({"X": np.full((3, 400), np.nan)}, "expected finite numbers, found nan in row 0, column 0"),
        ({"X": "text"}, "X in .*: expected a matrix of real numbers, found characters"),
        (
            {"X": np.zeros((3, 400), complex)},
            "X in .*: expected a matrix of real numbers, found complex",
        ),
        (
            {"X": csc_array(np.eye(3, 400))},
            "X in .*: expected a matrix .*, found a sparse matrix: save",
        ),
        ({"X": np.zeros((3, 20, 20))}, r"X in .*: expected a matrix .*, found shape \(3, 20, 20\)"),
        ({"X": {"a": 1}}, "X in .*: expected a matrix of real numbers, found a structure"),
        ({"y": np.array([[1], [2], [np.nan]])}, "expected labels 1..10"),
        ({"y": np.array([[1], [2], [np.inf]])}, "expected labels 1..10"),
        ({"y": np.array([[1], [2], [-1]])}, r"expected labels 1..10 \(10 is digit 0\), found -1"),
        ({"y": np.array([[1], [2]])}, r"expected shape \(3, 1\), found \(2, 1\)"),
        ({"y": np.array([[1], [2], [11]])}, r"expected labels 1..10 \(10 is digit 0\), found 11"),
        ({"y": np.array([[1], [2], [0.5]])}, "expected labels 1..10"),
    ],
)
def test_load_refuses_other_contents(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "other.mat"
    savemat(path, {name: value for name, value in {**GOOD, **change}.items() if value is not None})
    with pytest.raises(ValueError, match=message) as caught:
        ml.load_ex4(path)
    assert "other.mat" in str(caught.value)


def test_label_10_is_digit_0_and_flat_labels_will_do(tmp_path: Path) -> None:
    path = tmp_path / "small.mat"
    savemat(path, {**GOOD, "y": np.array([10, 1, 9])})
    assert ml.load_ex4(path)[1].tolist() == [0, 1, 9]


def test_load_refuses_files_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"missing\.mat: expected a MATLAB file with X and y, found no file"
    ):
        ml.load_ex4(tmp_path / "missing.mat")
    with pytest.raises(FileNotFoundError, match="found no file"):
        ml.load_ex4(tmp_path)
    for name, content in {
        "empty.mat": b"",
        "text.mat": b"X,y\n1,2\n" * 100,
        "noise.mat": bytes(range(256)) * 8,
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}: expected a MATLAB"):
            ml.load_ex4(tmp_path / name)
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as file:
        file["X"] = 1.0
    with (tmp_path / "new.mat").open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(ValueError, match=r"found version 7\.3: save it with '-v7'"):
        ml.load_ex4(tmp_path / "new.mat")


@pytest.mark.parametrize("length", [100, 128, 200, 5000, 1_000_000, 7_000_000])
def test_load_refuses_a_truncated_file(tmp_path: Path, length: int) -> None:
    (tmp_path / "cut.mat").write_bytes(EX4.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"cut\.mat: expected"):
        ml.load_ex4(tmp_path / "cut.mat")


def test_the_exercise_weights(
    digits: tuple[Array, Array], ex4_weights: tuple[Array, Array], tmp_path: Path
) -> None:
    model = ml.load_ex4_weights(os.environ["EX4_WEIGHTS"])
    assert repr(model) == "Sequential([Dense(400, 25), Sigmoid(), Dense(25, 10), Sigmoid()])"
    predicted = (model.predict(digits[0]).argmax(axis=1) + 1) % 10
    assert ml.accuracy(digits[1], predicted) == 0.9752
    ml.save_ex4_weights(model, tmp_path / "again.mat")
    again = loadmat(tmp_path / "again.mat")
    for name, theta in zip(("Theta1", "Theta2"), ex4_weights, strict=True):
        np.testing.assert_array_equal(again[name], theta)


@pytest.mark.parametrize("widths", [[3, 2], [4, 3, 2], [2, 2, 2, 1]])
def test_round_trip(tmp_path: Path, widths: list[int]) -> None:
    layers: list[ml.Layer] = []
    for inputs, units in pairwise(widths):
        layers += [ml.Dense(inputs, units), ml.Sigmoid()]
    model = ml.Sequential(layers, seed=0)
    ml.save_ex4_weights(model, tmp_path / "weights.mat")
    again = ml.load_ex4_weights(tmp_path / "weights.mat")
    assert repr(again) == repr(model)
    np.testing.assert_array_equal(again.parameters, model.parameters)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"theta": np.ones((2, 3))}, "expected the variables Theta1, Theta2, ..., found no Theta1"),
        (
            {"Theta1": np.ones((2, 1))},
            r"Theta1 in .*: expected a bias and at least one weight a row, found shape \(2, 1\)",
        ),
        ({"Theta1": np.full((2, 3), np.nan)}, "Theta1 in .*: expected finite numbers, found nan"),
        (
            {"Theta1": np.ones((2, 3)), "Theta2": np.ones((1, 9))},
            r"expected matrices whose sizes fit: layers\[2\]",
        ),
        ({"Theta1": "text"}, "Theta1 in .*: expected a matrix of real numbers, found characters"),
    ],
)
def test_other_contents_are_refused(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    savemat(tmp_path / "other.mat", content)
    with pytest.raises(ValueError, match=message):
        ml.load_ex4_weights(tmp_path / "other.mat")


def test_other_files_and_models_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.mat").write_text("Theta1")
    with pytest.raises(ValueError, match=r"text\.mat: expected a MATLAB 5 file, found other bytes"):
        ml.load_ex4_weights(tmp_path / "text.mat")
    with pytest.raises(
        FileNotFoundError,
        match=r"none\.mat: expected a MATLAB file with Theta1, found no file there",
    ):
        ml.load_ex4_weights(tmp_path / "none.mat")
    without_bias = ml.Sequential([ml.Dense(2, 1, bias=False), ml.Sigmoid()])
    with pytest.raises(
        ValueError, match=r"expected Dense layers with a bias, found Dense\(2, 1, b"
    ):
        ml.save_ex4_weights(without_bias, tmp_path / "model.mat")
    for layers in ([ml.Dense(2, 1)], [ml.Dense(2, 1), ml.Tanh()]):
        with pytest.raises(
            ValueError, match="model: expected Dense and Sigmoid layers in turn, found Sequential"
        ):
            ml.save_ex4_weights(ml.Sequential(layers), tmp_path / "model.mat")

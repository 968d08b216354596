"""The exercise's weight files as a Sequential and back."""

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

import minilayer as ml
from minilayer.utils.types import Array


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
            r"Theta1 in .*: expected a bias and at least one weight a row, found \(2, 1\)",
        ),
        ({"Theta1": np.full((2, 3), np.nan)}, "Theta1 in .*: expected finite numbers, found nan"),
        (
            {"Theta1": np.ones((2, 3)), "Theta2": np.ones((1, 9))},
            r"expected matrices that chain: layers\[2\]",
        ),
        ({"Theta1": "text"}, "Theta1 in .*: expected numbers"),
    ],
)
def test_other_contents_are_refused(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    savemat(tmp_path / "other.mat", content)
    with pytest.raises((ValueError, TypeError), match=message):
        ml.load_ex4_weights(tmp_path / "other.mat")


def test_other_files_and_models_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.mat").write_text("Theta1")
    with pytest.raises(
        ValueError, match=r"text\.mat: expected a MATLAB file, found one that cannot be read"
    ):
        ml.load_ex4_weights(tmp_path / "text.mat")
    with pytest.raises(
        FileNotFoundError, match=r"none\.mat: expected a MATLAB file, found no file there"
    ):
        ml.load_ex4_weights(tmp_path / "none.mat")
    for layers in ([ml.Dense(2, 1)], [ml.Dense(2, 1), ml.Tanh()]):
        with pytest.raises(
            ValueError, match="model: expected Dense and Sigmoid layers in turn, found Sequential"
        ):
            ml.save_ex4_weights(ml.Sequential(layers), tmp_path / "model.mat")

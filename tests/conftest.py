"""What the tests share: the exercise's data and weights, and small problems."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from scipy.io import loadmat

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.trainers import TRAINERS, Make

ROOT = Path(__file__).resolve().parent.parent
EX4 = ROOT / "data" / "ex4data1.mat"

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Doctests name files as the README does, from the top folder."""
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="session")
def digits() -> tuple[Array, Array]:
    """X (5000, 400) and labels; read-only, as every test shares them."""
    X, labels = ml.load_ex4(EX4)
    X.flags.writeable = labels.flags.writeable = False
    return X, labels


@pytest.fixture(scope="session")
def ex4_weights() -> tuple[Array, Array]:
    """The exercise's own Theta1 and Theta2, where the environment variable EX4_WEIGHTS names the file."""
    path = os.environ.get("EX4_WEIGHTS")
    if not path:
        pytest.skip(
            "EX4_WEIGHTS does not name the exercise's ex4weights.mat, which the project may not ship"
        )
    content = loadmat(path)
    return content["Theta1"], content["Theta2"]


@pytest.fixture(params=TRAINERS)
def make(request: pytest.FixtureRequest) -> Make:
    """Each trainer of the table in turn."""
    return TRAINERS[request.param]


def ex4_model(seed: int = 0) -> ml.Sequential:
    """The article's network at the article's start."""
    start = ml.UniformEpsilon(0.125)
    layers = [ml.Dense(400, 25, start), ml.Sigmoid(), ml.Dense(25, 10, start), ml.Sigmoid()]
    return ml.Sequential(layers, seed=seed)


PAIRS: dict[str, tuple[Any, Any]] = {
    "sigmoid": (ml.Sigmoid, ml.BinaryCrossEntropy),
    "softmax": (ml.Softmax, ml.CategoricalCrossEntropy),
    "identity": (ml.Identity, ml.SquaredError),
}
"""The canonical pairs: last layer and loss."""

HIDDEN: tuple[type[ml.Activation], ...] = (ml.Sigmoid, ml.Tanh, ml.ReLU, ml.Identity, ml.Softmax)


def small_model(
    widths: list[int], hidden: type[ml.Activation], last: type[ml.Activation], seed: int
) -> ml.Sequential:
    """Dense layers of these widths with the activation between them and the last one behind."""
    layers: list[ml.Layer] = []
    for inputs, units in pairwise(widths):
        layers += [ml.Dense(inputs, units, ml.UniformEpsilon(0.8)), hidden()]
    return ml.Sequential([*layers[:-1], last()], seed=seed)


def targets_for(pair: str, rows: int, columns: int, rng: np.random.Generator) -> Array:
    """Targets that the pair's loss is defined for."""
    if pair == "softmax":
        weights = rng.random((rows, columns)) + 0.1
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))
    return (
        rng.random((rows, columns)) if pair == "sigmoid" else rng.standard_normal((rows, columns))
    )

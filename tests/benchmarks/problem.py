"""What every contestant computes: one network, one cost, data that each process makes for itself from one seed.

The network is inputs -> hidden -> outputs with sigmoids; the cost is the exercise's: binary cross-entropy summed over
the outputs, mean over the rows, plus l2 / (2 rows) times the sum of the squared weights, biases excluded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
DType = Literal["float64", "float32"]

L2 = 1.0
TOLERANCE: dict[DType, float] = {"float64": 1e-9, "float32": 1e-4}
"""How far, relatively, the costs and the gradient norms of two contestants may lie apart."""

EX4_DATA = Path(__file__).parents[2] / "data" / "ex4data1.mat"


class Shape(NamedTuple):
    """Sizes of the data and the network."""

    rows: int
    inputs: int
    hidden: int
    outputs: int

    @classmethod
    def parse(cls, text: str) -> Shape:
        """``"5000,400,25,10"`` as a Shape."""
        return cls(*(int(part) for part in text.split(",")))

    @property
    def parameters(self) -> int:
        """The length of the flat vector."""
        return self.hidden * (self.inputs + 1) + self.outputs * (self.hidden + 1)

    def __str__(self) -> str:
        return f"({', '.join(map(str, self))})"


EX4_SHAPE = Shape(5000, 400, 25, 10)


class Weights(NamedTuple):
    """The two layers, views of one flat vector: each (units, 1 + inputs), row by row, the bias in column 0."""

    theta1: Array
    theta2: Array

    @classmethod
    def of(cls, vector: Array, shape: Shape) -> Weights:
        """The flat vector, cut into layers."""
        cut = shape.hidden * (shape.inputs + 1)
        return cls(vector[:cut].reshape(shape.hidden, -1), vector[cut:].reshape(shape.outputs, -1))


class Answer(NamedTuple):
    """What a contestant found, for the race to compare."""

    cost: float
    gradient_norm: float


@dataclass(frozen=True)
class Problem:
    """A cell of the race: sizes and precision."""

    shape: Shape
    dtype: DType = "float64"

    def data(self, order: Literal["C", "F"] = "C") -> tuple[Array, Array]:
        """X (rows, inputs) in [0, 1) and 0/1 targets Y (rows, outputs); nothing of their size is made on the way."""
        rows, inputs, _, outputs = self.shape
        rng = np.random.default_rng(2024)
        X, Y = np.empty((rows, inputs), self.dtype, order), np.zeros((rows, outputs), self.dtype)
        rng.random(out=X if order == "C" else X.T, dtype=X.dtype.type)
        if outputs == 1:
            np.round(rng.random(out=Y, dtype=Y.dtype.type), out=Y)
        else:
            Y[np.arange(rows), rng.integers(0, outputs, rows)] = 1
        return X, Y

    def start(self) -> Array:
        """The flat parameter vector at which cost and gradient are taken, float64."""
        return np.random.default_rng(7).uniform(-0.12, 0.12, self.shape.parameters)

    def weights(self) -> Weights:
        """``start`` cut into layers, in the problem's precision."""
        return Weights.of(self.start().astype(self.dtype), self.shape)


def exercise() -> tuple[Array, Array]:
    """The digits of exercise 4: X (5000, 400) and one-hot Y (5000, 10), digit k in column k."""
    import minilayer as ml  # not above: versions.py imports it from a tree of its choice

    X, labels = ml.load_ex4(EX4_DATA)
    return X, ml.one_hot(labels, 10)


def exercise_start(seed: int) -> Array:
    """The article's start."""
    return (np.random.default_rng(seed).random(EX4_SHAPE.parameters) - 0.5) * 0.25

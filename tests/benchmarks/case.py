"""What every framework computes: a network, a cost, and data that are made from a seed.

The network is inputs -> hidden -> outputs with sigmoids. The cost is that of exercise 4: the binary
cross-entropy, summed over the outputs and averaged over the rows, plus l2 / (2 rows) times the sum
of the squared weights without biases.

This module does not import minilayer when it is imported: versions.py chooses whose it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
DType = Literal["float64", "float32"]

DTYPES: tuple[DType, ...] = ("float64", "float32")
L2 = 1.0
RELATIVE_TOLERANCE: dict[DType, float] = {"float64": 1e-9, "float32": 1e-4}
"""The largest relative difference of two frameworks' costs or gradient norms."""

EX4_DATA = Path(__file__).parents[2] / "data" / "ex4data1.mat"
DATA_SEED = 2024
START_SEED = 7
START_RANGE = 0.12


class Shape(NamedTuple):
    """Sizes of the data and of the network."""

    rows: int
    inputs: int
    hidden: int
    outputs: int

    @classmethod
    def parse(cls, text: str) -> Shape:
        """Return ``"5000,400,25,10"`` as a Shape."""
        return cls(*(int(part) for part in text.split(",")))

    @property
    def parameters(self) -> int:
        """The length of the flat parameter vector."""
        return self.hidden * (self.inputs + 1) + self.outputs * (self.hidden + 1)

    def __str__(self) -> str:
        return f"({', '.join(map(str, self))})"


EX4_SHAPE = Shape(5000, 400, 25, 10)
SHAPES = (
    EX4_SHAPE,
    Shape(60_000, 784, 100, 10),
    Shape(5000, 400, 256, 10),
    Shape(20_000, 64, 16, 10),
    Shape(1_000_000, 32, 16, 1),
)
"""The shapes of the evaluation table."""


class Weights(NamedTuple):
    """The two layers as views of a flat vector: each (units, 1 + inputs), the bias in column 0."""

    theta1: Array
    theta2: Array

    @classmethod
    def of(cls, vector: Array, shape: Shape) -> Weights:
        """Return the views of a flat vector."""
        size1 = shape.hidden * (shape.inputs + 1)
        theta1 = vector[:size1].reshape(shape.hidden, -1)
        theta2 = vector[size1:].reshape(shape.outputs, -1)
        return cls(theta1, theta2)


class CostAndNorm(NamedTuple):
    """What a framework has computed, for comparison with the others."""

    cost: float
    gradient_norm: float

    @classmethod
    def of(cls, cost: float, gradient: Array) -> CostAndNorm:
        """Return the cost and the norm of the gradient."""
        return cls(float(cost), float(np.linalg.norm(gradient)))

    def agrees_with(self, reference: CostAndNorm, dtype: DType) -> bool:
        """Return whether both numbers are close to those of the reference."""
        tolerance = RELATIVE_TOLERANCE[dtype]
        pairs = zip(self, reference, strict=True)
        return all(abs(own - other) <= tolerance * abs(other) for own, other in pairs)


@dataclass(frozen=True)
class Case:
    """Sizes and precision.

    Parameters
    ----------
    shape : Shape
        Sizes of the data and of the network.
    dtype : "float64" or "float32", default "float64"
        The precision of the data and of the computation.
    """

    shape: Shape
    dtype: DType = "float64"

    def data(self, order: Literal["C", "F"] = "C") -> tuple[Array, Array]:
        """Return random inputs and targets, always the same; no temporary array has their size.

        Parameters
        ----------
        order : "C" or "F", default "C"
            The memory order of X.

        Returns
        -------
        X : ndarray, shape (rows, inputs)
            Uniform in [0, 1).
        Y : ndarray, shape (rows, outputs)
            0 or 1; a single 1 a row if there are several outputs.
        """
        rows, inputs, _, outputs = self.shape
        rng = np.random.default_rng(DATA_SEED)
        X = np.empty((rows, inputs), self.dtype, order)
        Y = np.zeros((rows, outputs), self.dtype)
        rng.random(out=X if order == "C" else X.T, dtype=X.dtype.type)
        if outputs == 1:
            np.round(rng.random(out=Y, dtype=Y.dtype.type), out=Y)
        else:
            Y[np.arange(rows), rng.integers(0, outputs, rows)] = 1
        return X, Y

    def start(self) -> Array:
        """Return the flat parameters at which cost and gradient are computed, float64."""
        rng = np.random.default_rng(START_SEED)
        return rng.uniform(-START_RANGE, START_RANGE, self.shape.parameters)

    def weights(self) -> Weights:
        """Return ``start()`` as layers, in the precision of the case."""
        return Weights.of(self.start().astype(self.dtype), self.shape)


def exercise() -> tuple[Array, Array]:
    """Return the digits of exercise 4: X (5000, 400) and one-hot Y (5000, 10)."""
    import minilayer as ml

    X, labels = ml.load_ex4(EX4_DATA)
    return X, ml.one_hot(labels, 10)


def exercise_start(seed: int) -> Array:
    """Return the article's start: uniform in [-0.125, 0.125)."""
    return (np.random.default_rng(seed).random(EX4_SHAPE.parameters) - 0.5) * 0.25

"""A user's file: it is only type-checked, in strict mode, and must need no `type: ignore`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_type

import numpy as np

import minilayer as ml
from minilayer.testing import check_layer, check_loss
from minilayer.utils.types import Array


@ml.register
class ColumnScale(ml.Layer):
    """Multiplies each column by a parameter."""

    def __init__(self, columns: int) -> None:
        self.inputs = columns
        self.units = columns

    def config(self) -> dict[str, int]:
        return {"columns": self.inputs or 0}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"factor": (self.inputs or 0,)}

    def initialize(self, rng: np.random.Generator) -> None:
        self.parameters["factor"][:] = 1

    def forward(self, x: Array) -> Array:
        self.x = x
        y: Array = x * self.parameters["factor"]
        return y

    def input_gradient(self, dy: Array) -> Array:
        dx: Array = dy * self.parameters["factor"]
        return dx

    def parameter_gradient(self, dy: Array) -> None:
        self.gradients["factor"][:] = (dy * self.x).sum(axis=0)


@ml.register
class Quartic(ml.ElementwiseLoss):
    """size * r**4."""

    output_activation = ml.Identity

    def __init__(self, size: float = 1.0) -> None:
        self.size = size

    def value(self, z: Array, target: Array) -> Array:
        values: Array = self.size * (z - target) ** 4
        return values

    def derivative(self, z: Array, target: Array) -> Array:
        derivatives: Array = 4 * self.size * (z - target) ** 3
        return derivatives


class Counted(ml.ProblemWrapper):
    """Counts evaluations."""

    calls = 0

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        self.calls += 1
        return super().__call__(x)


def train(X: Array, labels: Array) -> float:
    """Use result, history, layers and a layer of one's own."""
    check_layer(ColumnScale(3))
    check_loss(Quartic(0.5))
    model = ml.Sequential([ColumnScale(3), ml.Dense(3, 2, bias=False), ml.Softmax()], seed=0)
    result = ml.fit(model, X, labels, l2=1.0, max_iterations=20, validation=(X, labels))
    assert_type(result, ml.TrainingResult)
    assert_type(result.fun, float)
    assert_type(result.nfev, int)
    assert_type(result.status, ml.Status)
    assert_type(result.best_iteration, int | None)
    assert_type(result.history, ml.History)
    assert_type(result.history.cost, list[float])
    assert_type(model[0], ml.Layer)
    assert_type(len(model), int)
    for layer in model:
        parameters: Mapping[str, Array] = layer.parameters
        print(layer, {name: value.shape for name, value in parameters.items()})
    problem = Counted(ml.Objective(model, X, labels, ml.CategoricalCrossEntropy()))
    trainer: ml.Trainer = ml.GradientDescent(0.1, rule=ml.Adam(), max_iterations=3)
    trainer.minimize(problem, callback=lambda iteration: print(iteration.cost))
    predictions: Array = model(X)
    return result.fun + float(predictions.sum()) + problem.calls

"""minilayer: the objective as a user makes it, shards and workers by default, and its trainers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minilayer import (
    LBFGS,
    BinaryCrossEntropy,
    Dense,
    Objective,
    ScipyTrainer,
    Sequential,
    Sigmoid,
    Trainer,
)

from ..problem import EX4_SHAPE, L2, Answer, Array, DType, Problem, Shape, exercise
from ..watch import Watch

LBFGSB_OPTIONS: dict[str, Any] = {"maxcor": 50, "maxfun": 100_000, "maxiter": 100_000}


def objective(
    shape: Shape, X: Array, Y: Array, dtype: DType = "float64", **options: Any
) -> Objective:
    """The problem's objective; ``options`` are Objective's own."""
    layers = [
        Dense(shape.inputs, shape.hidden),
        Sigmoid(),
        Dense(shape.hidden, shape.outputs),
        Sigmoid(),
    ]
    return Objective(
        Sequential(layers, seed=0), X, Y, loss=BinaryCrossEntropy(), l2=L2, dtype=dtype, **options
    )


class MinilayerEvaluation:
    """``objective(x)``: it takes and gives flat vectors, which the frameworks are spared."""

    def __init__(self, problem: Problem, **options: Any) -> None:
        self._objective = objective(problem.shape, *problem.data(), problem.dtype, **options)
        self._start = problem.start()
        self.note = f"{self._objective.shards} shards, {self._objective.workers} workers"

    def evaluate(self) -> tuple[float, Array]:
        return self._objective(self._start)

    def answer(self) -> Answer:
        cost, gradient = self.evaluate()
        return Answer(cost, float(np.linalg.norm(gradient)))


class _Training:
    trainer: Trainer
    dtype: DType = "float64"

    def __init__(self) -> None:
        self._data = exercise()

    def train(self, start: Array, watch: Watch) -> None:
        with watch:
            function = _Watched(objective(EX4_SHAPE, *self._data, self.dtype), watch)
            self.trainer.minimize(function, start, progress=False)


class BestTraining(_Training):
    """The method that is recommended for full-batch training."""

    trainer = LBFGS(tolerance=0.0, cost_tolerance=0.0)


class BestSingleTraining(BestTraining):
    """The same in single precision."""

    dtype = "float32"


class ScipyTraining(_Training):
    """The fastest of SciPy's methods."""

    trainer = ScipyTrainer("L-BFGS-B", **LBFGSB_OPTIONS)


class TncTraining(_Training):
    """The article's method."""

    trainer = ScipyTrainer("TNC", maxfun=100_000)


class _Watched:
    """The objective, each evaluation reported to the watch."""

    def __init__(self, function: Objective, watch: Watch) -> None:
        self._evaluate = watched(function, watch)
        self.l2, self.preconditioner = function.l2, function.preconditioner

    def __call__(self, x: Array) -> tuple[float, Array]:
        return self._evaluate(x)


def watched(
    function: Callable[[Array], tuple[float, Array]], watch: Watch
) -> Callable[[Array], tuple[float, Array]]:
    """The same function, each evaluation reported to the watch."""

    def evaluate(x: Array) -> tuple[float, Array]:
        cost, gradient = function(x)
        watch.see(cost, lambda: x)
        return cost, gradient

    return evaluate

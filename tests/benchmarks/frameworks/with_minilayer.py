"""minilayer: the objective with its default shards and workers, and the trainers."""

from __future__ import annotations

from typing import Any

import minilayer as ml
from minilayer.training import ProblemWrapper

from ..case import EX4_SHAPE, L2, Array, Case, CostAndNorm, DType, Shape, exercise
from ..target_timer import TargetTimer

LBFGSB_MEMORY = 50
LBFGSB_OPTIONS: dict[str, Any] = {
    "maxcor": LBFGSB_MEMORY,
    "maxfun": 100_000,
    "maxiter": 100_000,
}


def make_objective(
    shape: Shape, X: Array, Y: Array, dtype: DType = "float64", **options: Any
) -> ml.Objective:
    """Return the objective of a case.

    Parameters
    ----------
    shape : Shape
        Sizes of the network.
    X : ndarray, shape (rows, inputs)
        The inputs.
    Y : ndarray
        The targets, or labels.
    dtype : "float64" or "float32", default "float64"
        The precision of the computation.
    **options
        More arguments of Objective.

    Returns
    -------
    Objective
        With lambda 1.
    """
    layers = [
        ml.Dense(shape.inputs, shape.hidden),
        ml.Sigmoid(),
        ml.Dense(shape.hidden, shape.outputs),
        ml.Sigmoid(),
    ]
    model = ml.Sequential(layers, seed=0)
    return ml.Objective(model, X, Y, ml.BinaryCrossEntropy(), L2, dtype=dtype, **options)


class MinilayerEvaluation:
    """``objective(x)``. It takes and returns flat vectors, which the frameworks need not do."""

    def __init__(self, case: Case, **options: Any) -> None:
        self._objective = make_objective(case.shape, *case.data(), case.dtype, **options)
        self._start = case.start()
        self.note = f"{self._objective.shards} shards, {self._objective.workers} workers"

    def evaluate(self) -> tuple[float, Array]:
        return self._objective(self._start)

    def cost_and_norm(self) -> CostAndNorm:
        return CostAndNorm.of(*self.evaluate())


class RecordedObjective(ProblemWrapper):
    """An objective whose evaluations a timer records. It inherits every other capability."""

    def __init__(self, objective: ml.Objective, timer: TargetTimer) -> None:
        super().__init__(objective)
        self._timer = timer

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        cost, gradient = super().__call__(x)
        self._timer.record(cost, lambda: x)
        return cost, gradient


class _Training:
    trainer: ml.Trainer
    dtype: DType = "float64"

    def __init__(self) -> None:
        self._data = exercise()

    def train(self, start: Array, timer: TargetTimer) -> None:
        with timer:
            objective = make_objective(EX4_SHAPE, *self._data, self.dtype)
            self.trainer.minimize(RecordedObjective(objective, timer), start, progress=False)


class LbfgsTraining(_Training):
    """The default of ``fit``, without its own end."""

    trainer = ml.LBFGS(tolerance=0.0, cost_tolerance=0.0)


class LbfgsSingleTraining(LbfgsTraining):
    """The same in single precision."""

    dtype = "float32"


class ScipyTraining(_Training):
    """The fastest of SciPy's methods."""

    trainer = ml.ScipyTrainer("L-BFGS-B", **LBFGSB_OPTIONS)


class TncTraining(_Training):
    """The article's method."""

    trainer = ml.ScipyTrainer("TNC", maxfun=100_000)

"""fit: the common case in one call."""

from __future__ import annotations

import os

import numpy.typing as npt
from scipy.optimize import OptimizeResult

from .nn import BinaryCrossEntropy, CategoricalCrossEntropy, Loss, MeanSquaredError, Sequential
from .objective import ClassWeight, Objective
from .training import Callback, Trainer, Validation
from .training.methods import LBFGS, Rule
from .utils.checks import check_instance

LOSSES: tuple[type[Loss], ...] = (BinaryCrossEntropy, CategoricalCrossEntropy, MeanSquaredError)


def fit(
    model: Sequential,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    l2: float = 0.0,
    *,
    trainer: Trainer | None = None,
    sample_weight: npt.ArrayLike | None = None,
    class_weight: ClassWeight | None = None,
    dtype: npt.DTypeLike = "float64",
    validation: Validation | None = None,
    callback: Callback | None = None,
    progress: bool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> OptimizeResult:
    """Train the model on rows X with targets or labels Y; the result is the trainer's, the model has its parameters.

    It is ``trainer.minimize(Objective(model, X, Y, loss, l2, ...), ...)``, where everything is told of, with the loss
    that goes with the last layer (Sigmoid: BinaryCrossEntropy, Softmax: CategoricalCrossEntropy, Identity:
    MeanSquaredError) and, without a ``trainer``, ``LBFGS()``, until it has converged.

    Raises what these raise, and ValueError for a last layer that no loss goes with.

    >>> from minilayer import Dense, Sigmoid, Tanh
    >>> model = Sequential([Dense(2, 4), Tanh(), Dense(4, 1), Sigmoid()], seed=0)
    >>> result = fit(model, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], l2=1e-3)
    >>> result.success, model.predict([[1, 0], [1, 1]]).round()
    (True, array([[1.], [0.]]))
    """
    if isinstance(trainer, Rule):
        raise TypeError(f"trainer: expected a Trainer, found {trainer!r}: write GradientDescent(rule=...)")
    if trainer is not None:
        check_instance("trainer", trainer, Trainer, "a Trainer such as LBFGS()")
    objective = Objective(
        model, X, Y, _loss_of(model), l2, sample_weight=sample_weight, class_weight=class_weight, dtype=dtype
    )
    return (trainer or LBFGS()).minimize(
        objective, validation=validation, callback=callback, progress=progress, checkpoint=checkpoint
    )


def _loss_of(model: Sequential) -> Loss:
    check_instance("model", model, Sequential, "a Sequential")
    last = model.layers[-1]
    for loss in LOSSES:
        if type(last) is loss.link:
            return loss()
    raise ValueError(
        "model: expected Sigmoid() as the last layer for yes or no, Softmax() for one of several classes or Identity() "
        f"for numbers, found {last!r}"
    )

"""fit: the common case in one call."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from .nn import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Identity,
    Layer,
    Loss,
    Poisson,
    Rescale,
    Sequential,
    SquaredError,
    Standardize,
)
from .objective import ClassWeight, Objective
from .objective.inputs import check_loss_fits, check_rows, is_regression
from .training import Callback, Problem, Trainer, TrainingResult, Validation
from .training.methods import LBFGS, Rule
from .utils.checks import check_flag, check_instance, check_number

DEFAULT_MAX_ITERATIONS = 200
"""Of fit without a trainer and without a limit."""
UNITS = (1e-300, 1e300)
"""Of costs: a square that overflows is told of by the cost itself."""

LOSSES: tuple[type[Loss], ...] = (BinaryCrossEntropy, CategoricalCrossEntropy, Poisson)
"""Losses that an output activation suggests."""


def fit(
    model: Sequential,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    l2: float = 0.0,
    *,
    standardize: bool = False,
    loss: Loss | None = None,
    trainer: Trainer | None = None,
    max_evaluations: int | None = None,
    max_iterations: int | None = None,
    max_seconds: float | None = None,
    sample_weight: npt.ArrayLike | None = None,
    class_weight: ClassWeight | None = None,
    dtype: npt.DTypeLike = "float64",
    shards: int | None = None,
    workers: int | None = None,
    copy: bool = True,
    validation: Validation | tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    callback: Callback | None = None,
    progress: bool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 10,
) -> TrainingResult:
    """Train a model on data; afterwards it has the result's parameters.

    This is ``trainer.minimize(Objective(model, X, Y, loss, l2, ...), ...)``.

    Parameters
    ----------
    model : Sequential
        The network. Training starts from its parameters.
    X : array_like, shape (m, n_inputs)
        Rows.
    Y : array_like, shape (m, n_outputs) or (m,)
        Targets, or integer labels for several classes.
    l2 : float, default 0
        The penalty: the exercise's lambda, the same number as scikit-learn's ``alpha``.
    standardize : bool, default False
        Whether to put ``Standardize.of(X)`` in front of the model, and in a regression
        ``Rescale.of(Y)`` at its end, unless they are there already. The model keeps them. A second
        ``fit`` continues with the constants of the first. Tables with columns of several sizes need
        it. Predictions and cost stay in the unit of Y. With SquaredError, ``l2`` and the default
        trainer's tolerance are multiplied by the mean of Rescale's ``scale**2``, so that results
        are the same in any unit.
    loss : Loss, optional
        Default: what the last layer suggests: BinaryCrossEntropy after Sigmoid,
        CategoricalCrossEntropy after Softmax, Poisson after Exp, SquaredError after Identity or a
        layer that is no activation.
    trainer : Trainer, optional
        Default: ``LBFGS()``. It preconditions if ``l2 > 0``; ``result.method`` says which
        algorithm ran.
    max_evaluations, max_iterations : int, optional
        The budget of the default trainer. If none of the three limits is given, it is 200
        iterations, as in scikit-learn; a minimum may need more. With ``trainer=``, give the budget
        to the trainer: ``LBFGS(max_iterations=3)``.
    max_seconds : float, optional
        As above.
    sample_weight, class_weight, dtype, shards, workers, copy
        See Objective.
    validation : Validation or (X, Y), optional
        Rows to evaluate after each iteration. ``(X, Y)`` is short for ``Validation(X, Y)``: the
        run is not ended, but its best iteration is kept.
    callback, progress, checkpoint, checkpoint_every
        See ``Trainer.minimize``.

    Returns
    -------
    TrainingResult
        The best point, how the run ended, and its history.

    Raises
    ------
    ValueError
        For a last layer that suggests no loss, and budgets beside a trainer.
    TypeError
        For arguments of another kind.

    Examples
    --------
    >>> from minilayer import mlp, Sigmoid
    >>> model = mlp(2, 4, 1, output=Sigmoid, seed=0)
    >>> result = fit(model, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], l2=1e-3)
    >>> result.success, model.predict([[1, 0], [1, 1]]).round()
    (True, array([[1.], [0.]]))

    A price in thousands by area and number of rooms, columns of two sizes:

    >>> areas_and_rooms, prices = [[550, 2], [720, 3], [980, 3], [1500, 5]], [150, 190, 240, 360]
    >>> model = mlp(2, 4, 1, seed=0)
    >>> result = fit(model, areas_and_rooms, prices, l2=1.0, standardize=True)
    >>> model.layers[0], model.layers[-1], model.predict([[1000, 4]]).round(-1)
    (Standardize(2 columns), Rescale(1 column), array([[260.]]))
    """
    check_instance("model", model, Sequential, "a Sequential")
    if isinstance(trainer, Rule):
        raise TypeError(
            f"trainer: expected a Trainer, found {trainer!r}: write GradientDescent(rule=...)"
        )
    if trainer is not None:
        check_instance("trainer", trainer, Trainer, "a Trainer such as LBFGS()")
        budgets = (max_evaluations, max_iterations, max_seconds)
        if any(budget is not None for budget in budgets):
            raise ValueError(
                "max_evaluations, max_iterations, max_seconds: expected without a trainer, "
                f"found beside {trainer!r}: give them to the trainer"
            )
    loss = _suggested_loss(model) if loss is None else loss
    constants = _constants(model, X, Y, loss) if check_flag("standardize", standardize) else []
    with _taken_in(model, constants):
        unit = _cost_of_one(model) if standardize and isinstance(loss, SquaredError) else 1.0
        if trainer is None:
            if max_evaluations is None and max_iterations is None and max_seconds is None:
                max_iterations = DEFAULT_MAX_ITERATIONS
            trainer = LBFGS(
                tolerance=LBFGS().tolerance * unit,
                max_evaluations=max_evaluations,
                max_iterations=max_iterations,
                max_seconds=max_seconds,
            )
        objective = Objective(
            model,
            X,
            Y,
            loss,
            check_number("l2", l2) * unit,
            sample_weight=sample_weight,
            class_weight=class_weight,
            dtype=dtype,
            shards=shards,
            workers=workers,
            copy=copy,
        )
    problem: Problem = objective  # mypy checks here that Objective offers all of Problem
    return trainer.minimize(
        problem,
        validation=validation,
        callback=callback,
        progress=progress,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
    )


def _constants(
    model: Sequential, X: npt.ArrayLike, Y: npt.ArrayLike, loss: Loss
) -> list[tuple[int, Layer]]:
    """Return the layers that standardize X and Y and that the model lacks, with their places."""
    check_loss_fits(model, loss)
    inputs, targets = check_rows(model, loss, X, Y)
    constants: list[tuple[int, Layer]] = []
    if not any(isinstance(layer, Standardize) for layer in model.leading_layers):
        constants.append((0, Standardize.of(inputs)))
    if is_regression(model, loss):
        constants.append((len(model.inner_layers) + len(constants), Rescale.of(targets)))
    return constants


@contextmanager
def _taken_in(model: Sequential, constants: list[tuple[int, Layer]]) -> Iterator[None]:
    """Insert layers into a model, and remove them if what follows refuses its arguments."""
    for index, layer in constants:
        model.insert(index, layer)
    try:
        yield
    except BaseException:
        for index, _ in reversed(constants):
            model.remove(index)
        raise


def _cost_of_one(model: Sequential) -> float:
    """Return the mean of the squares that a 1 before the Rescale at a model's end is worth."""
    last = model.inner_layers[-1]
    return float(np.mean(last.scale**2).clip(*UNITS)) if isinstance(last, Rescale) else 1.0


def _suggested_loss(model: Sequential) -> Loss:
    """Return the loss whose output activation is the model's last layer."""
    last = model.layers[-1]
    if model.output_activation is None or type(last) is Identity:
        return SquaredError()
    for loss in LOSSES:
        if type(last) is loss.output_activation:
            return loss()
    raise ValueError(
        "model: expected Sigmoid() as the last layer for yes or no, Softmax() for one of several "
        "classes, Exp() for counts, Identity() or Dense for numbers, "
        f"found {last!r}: or pass loss="
    )

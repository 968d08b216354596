"""fit: the common case in one call."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .nn import (
    Activation,
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Exp,
    Identity,
    Loss,
    Poisson,
    Sequential,
    Sigmoid,
    Softmax,
    SquaredError,
)
from .objective import ClassWeight, Objective
from .objective.inputs import subclass_hint
from .objective.standardization import layers_restored_after_errors, standardize_model
from .training import Callback, Problem, Trainer, Validation
from .training.methods import LBFGS, Rule
from .utils.checks import check_flag, check_instance, check_number, check_seed
from .utils.foreign_names import explains_unknown_arguments
from .utils.row_source import RowsLike
from .utils.tables import column_names

if TYPE_CHECKING:
    from .training import TrainingResult

DEFAULT_MAX_ITERATIONS = 200
"""Of fit without a trainer and without a limit."""
DEFAULT_TOLERANCE = 1e-4
"""Of the default trainer: without a penalty, networks closer to the minimum generalize worse."""
CONTINUED = " (continued from an earlier training; seed=0 starts anew)"
"""What the message says of a model that was trained before."""

LOSSES: dict[type[Activation], type[Loss]] = {
    Sigmoid: BinaryCrossEntropy,
    Softmax: CategoricalCrossEntropy,
    Exp: Poisson,
}
"""Losses that an output activation suggests."""


@explains_unknown_arguments
def fit(
    model: Sequential,
    X: RowsLike,
    Y: RowsLike,
    l2: float = 0.0,
    *,
    standardize: bool = False,
    loss: Loss | None = None,
    trainer: Trainer | None = None,
    max_evaluations: int | None = None,
    max_iterations: int | None = None,
    max_seconds: float | None = None,
    warm_start: bool = True,
    seed: int | np.random.Generator | None = None,
    sample_weight: RowsLike | None = None,
    class_weight: ClassWeight | None = None,
    dtype: npt.DTypeLike = "float64",
    shards: int | None = None,
    workers: int | None = None,
    copy: bool | None = None,
    validation: Validation | tuple[RowsLike, RowsLike] | None = None,
    callback: Callback | None = None,
    progress: bool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 10,
) -> TrainingResult:
    """Train a model on data; afterwards it has the result's parameters.

    This is ``trainer.minimize(Objective(model, X, Y, loss, l2, ...), ...)``.

    A second ``fit`` of a model continues from the parameters that the first one left, and the
    message says so. ``seed=0`` draws new starting values first. Give a seed in a loop over folds:
    without one, a fold would start from parameters that have seen its test rows.

    Parameters
    ----------
    model : Sequential
        The network. Training starts from its parameters, unless ``seed`` or ``warm_start=False``
        is given.
    X : array_like or dask array, shape (m, n_inputs)
        Rows. For dask arrays the objective is a ``minilayer.distributed.DaskObjective`` on the
        default client; if there is none, on a LocalCluster that lasts as long as the run. The
        columns of a DataFrame (pandas, polars) become ``model.feature_names``.
    Y : array_like or dask array, shape (m, n_outputs) or (m,)
        Targets, or integer labels for several classes. ``encode_labels`` makes them of strings.
    l2 : float, default 0
        The penalty: the exercise's lambda, the same number as scikit-learn's ``alpha``.
    standardize : bool, default False
        Whether to put ``Standardize.of(X)`` in front of the model, and in a regression a Rescale at
        its end, with the means of Y and the geometric mean of its deviations, unless they are there
        already. The model keeps them. A second ``fit`` continues with the constants of the first, a
        new start (``seed``) replaces them. Tables with columns of several sizes need it.
        Predictions and cost stay in the unit of Y. In a regression, ``l2`` and the default
        trainer's tolerance are multiplied by twice the mean loss of predicting the mean, for
        SquaredError the variance of Y. So results are the same in any unit.
    loss : Loss, optional
        Default: what the last layer suggests: BinaryCrossEntropy after Sigmoid,
        CategoricalCrossEntropy after Softmax, Poisson after Exp, SquaredError after Identity or a
        layer that is no activation.
    trainer : Trainer, optional
        Default: ``LBFGS(tolerance=1e-4)``. It preconditions if ``l2 > 0``; ``result.method`` says
        which algorithm ran.
    max_evaluations, max_iterations : int, optional
        The budget of the default trainer. If none of the three limits is given, it is 200
        iterations, as in scikit-learn; a minimum may need more. With ``trainer=``, give the budget
        to the trainer: ``LBFGS(max_iterations=3)``.
    max_seconds : float, optional
        As above.
    warm_start : bool, default True
        Whether to continue from the model's parameters. False draws new starting values.
    seed : int or numpy.random.Generator, optional
        The source of new starting values, whatever ``warm_start`` says. Default: the model's
        parameters, or another start each time with ``warm_start=False``.
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

    Cross-validation: each fold starts anew, so that no test row has been seen.

    >>> import numpy as np
    >>> from minilayer import accuracy, stratified_split
    >>> X = np.random.default_rng(0).standard_normal((60, 2))
    >>> labels = (X[:, 0] > X[:, 1]).astype(int)
    >>> model, scores = mlp(2, 4, 1, output=Sigmoid), []
    >>> for fold in range(3):
    ...     train, test = stratified_split(labels, 0.3, seed=fold)
    ...     result = fit(model, X[train], labels[train], l2=1e-3, seed=0)
    ...     scores.append(accuracy(labels[test], model.predict_class(X[test])))
    >>> min(scores) > 0.8, "continued" in result.message
    (True, False)
    >>> "continued" in fit(model, X, labels, l2=1e-3).message
    True
    """
    check_instance("model", model, Sequential, "a Sequential")
    check_flag("warm_start", warm_start)
    check_seed(seed)
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
    starts_anew = seed is not None or not warm_start
    unit = 1.0
    is_distributed = any(type(array).__module__.startswith("dask.array") for array in (X, Y))
    surroundings: AbstractContextManager[Problem]  # of both objectives; each offers all of Problem
    with layers_restored_after_errors(model):
        if starts_anew and column_names(X) is not None:
            model.feature_names = None  # of earlier data
        if check_flag("standardize", standardize) and is_distributed:
            raise ValueError(
                "standardize: expected False with dask arrays, found True: put "
                "Standardize(X.mean(axis=0).compute(), X.std(axis=0).compute()) in front of the "
                "model"
            )
        if standardize:
            unit = standardize_model(model, X, Y, loss, starts_anew=starts_anew)
        if trainer is None:
            if max_evaluations is None and max_iterations is None and max_seconds is None:
                max_iterations = DEFAULT_MAX_ITERATIONS
            trainer = LBFGS(
                tolerance=DEFAULT_TOLERANCE * unit,
                max_evaluations=max_evaluations,
                max_iterations=max_iterations,
                max_seconds=max_seconds,
            )
        l2 = check_number("l2", l2) * unit
        options: dict[str, Any] = {
            "sample_weight": sample_weight,
            "class_weight": class_weight,
            "dtype": dtype,
            "shards": shards,
        }
        if is_distributed:
            surroundings = _objective_on_cluster(model, X, Y, loss, l2, workers, options)
        else:
            objective = Objective(model, X, Y, loss, l2, workers=workers, copy=copy, **options)
            surroundings = nullcontext(objective)
    with surroundings as problem:
        if starts_anew:
            model.initialize(seed)
        continues = model.is_trained and (checkpoint is None or not os.path.exists(checkpoint))
        result = trainer.minimize(
            problem,
            validation=validation,
            callback=callback,
            progress=progress,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
        )
    if continues:
        result.message += CONTINUED
    return result


def _objective_on_cluster(
    model: Sequential,
    X: Any,
    Y: Any,
    loss: Loss,
    l2: float,
    workers: int | None,
    options: dict[str, Any],
) -> AbstractContextManager[Problem]:
    """Return the objective of dask arrays, on the default client or on a new LocalCluster."""
    from .distributed import DaskObjective  # it needs Dask, and minilayer does without

    if workers is not None:
        raise TypeError(
            f"workers: expected None with dask arrays, found {workers}: "
            "the workers of the cluster evaluate them"
        )
    return DaskObjective(model, X, Y, loss, l2, **options)


def _suggested_loss(model: Sequential) -> Loss:
    """Return the loss whose output activation is the model's last layer."""
    last = model.layers[-1]
    if model.output_activation is None or type(last) is Identity:
        return SquaredError()
    for activation, loss in LOSSES.items():
        if type(last) is activation:
            return loss()
        if isinstance(last, activation):
            raise ValueError(
                f"model: expected {activation.__name__}() as the last layer, "
                f"found {last!r}{subclass_hint(last, activation)}"
            )
    raise ValueError(
        "model: expected Sigmoid() as the last layer for yes or no, Softmax() for one of several "
        "classes, Exp() for counts, Identity() or Dense for numbers, "
        f"found {last!r}: or pass loss="
    )

"""Validation: rows that are evaluated after each iteration and may end the run."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import final

import numpy as np

from ..errors import DataError
from ..metrics import accuracy, mean_absolute_error, mean_squared_error
from ..utils.checks import check_count, check_flag, check_function, check_number, short_repr
from ..utils.foreign_names import explains_unknown_arguments
from ..utils.reprs import constructor_repr
from ..utils.row_source import RowsLike, in_memory
from ..utils.types import Array, State
from .history import Evaluation
from .problem import Problem
from .resume.run_state import evaluation_of, evaluation_state, expected_evaluation
from .resume.state_check import Count, Entries, Number
from .stopping import Status, Stop
from .validation_html import validation_html

Metric = Callable[[Array, Array], float]

METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
}
"""The metrics that have a name."""
ERRORS: tuple[Metric, ...] = (mean_squared_error, mean_absolute_error)
"""Metrics of which less is better."""


@final
class Validation:
    """Rows that training does not see, for ``minimize(..., validation=...)``.

    After each iteration, and at the start, their mean loss (without penalty) is appended to the
    history as ``validation_cost``, and ``metric(targets, predictions)`` as ``metric``. A resumed
    run knows its metric by the function's name.

    A metric gets arrays of equal shape: (m,) for a model of one output, else (m, n_outputs). Labels
    of several classes stay labels (m,), beside the scores (m, n_outputs) of the classes, and
    ``predicted_classes(scores)`` gives class numbers.

    Parameters
    ----------
    X, Y : array_like
        Rows as Objective takes them; checked when training begins.
    metric : callable or "accuracy", "mse" or "mae", optional
        A function of targets and predictions that returns a number, such as ``top_k_accuracy``. The
        names stand for ``accuracy``, ``mean_squared_error`` and ``mean_absolute_error``.
    monitor : "cost" or "metric", default "cost"
        What must improve. Write ``monitor="metric"`` to monitor the metric. More is better, except
        for the two errors named above.
    patience : int, optional
        End the run after this many iterations without an improvement; default: never.
    min_delta : float, default 0
        An improvement must be larger than this.
    restore_best : bool, default True
        Whether the result is the best iteration for these rows. If not, it is the point of lowest
        training cost.

    Raises
    ------
    TypeError, ValueError
        For arguments out of range, and a metric to monitor that is not given.

    Examples
    --------
    >>> from minilayer import BinaryCrossEntropy, Objective, ScipyTrainer, Sigmoid, mlp
    >>> model = mlp(1, 1, output=Sigmoid, seed=0)
    >>> X, labels = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> objective = Objective(model, X, labels, BinaryCrossEntropy())
    >>> validation = Validation([[1.4], [1.6]], [1, 0], patience=2)  # against the trend
    >>> result = ScipyTrainer().minimize(objective, validation=validation)
    >>> result.status.name, result.best_iteration < result.nit
    ('STOPPED_EARLY', True)

    A metric by its name, and one of your own:

    >>> validation = Validation([[0.4], [2.6]], [0, 1], metric="accuracy", monitor="metric")
    >>> result = ScipyTrainer().minimize(objective, validation=validation)
    >>> max(result.history.metric)
    1.0
    >>> def share_of_ones(targets, predictions):
    ...     return (predictions > 0.5).mean()
    >>> validation = Validation([[0.4], [2.6]], [0, 1], metric=share_of_ones)
    >>> ScipyTrainer().minimize(objective, validation=validation).history.metric[-1]
    0.5
    """

    @explains_unknown_arguments
    def __init__(
        self,
        X: RowsLike,
        Y: RowsLike,
        *,
        metric: Metric | str | None = None,
        monitor: str = "cost",
        patience: int | None = None,
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        if isinstance(metric, str):
            metric = _metric_of(metric)
        if metric is not None:
            names = ", ".join(map(repr, METRICS))
            expected = f"a function of targets and predictions, or one of {names}"
            check_function("metric", metric, expected, "targets", "predictions")
        if monitor not in ("cost", "metric"):
            raise ValueError(f"monitor: expected 'cost' or 'metric', found {monitor!r}")
        if monitor == "metric" and metric is None:
            raise ValueError(
                "monitor: expected 'cost' without a metric, found 'metric': "
                "give one, such as metric='accuracy'"
            )
        self.X = X
        self.Y = Y
        self.metric = metric
        self.monitor = monitor
        self.patience = None if patience is None else check_count("patience", patience)
        self.min_delta = check_number("min_delta", min_delta)
        self.restore_best = check_flag("restore_best", restore_best)

    @property
    def less_is_better(self) -> bool:
        """Whether the metric is one of the errors."""
        return self.metric in ERRORS

    def settings(self) -> dict[str, object]:
        """Return the arguments apart from the rows, as a resumed run must repeat them."""
        return {
            "metric": None if self.metric is None else _name(self.metric),
            "monitor": self.monitor,
            "patience": self.patience,
            "min_delta": self.min_delta,
            "restore_best": self.restore_best,
        }

    def __repr__(self) -> str:
        return constructor_repr(self, defaults=False)

    def _repr_html_(self) -> str:
        return validation_html(self.X, self.Y, self.settings())


def _metric_of(name: str) -> Metric:
    if name not in METRICS:
        raise ValueError(
            f"metric: expected one of {', '.join(map(repr, METRICS))} or a function of targets "
            f"and predictions, found {name!r}"
        )
    return METRICS[name]


def _name(function: object) -> str:
    """Return a function's name, which is the same in every process."""
    if isinstance(function, partial):
        keywords = sorted(function.keywords.items())
        return f"{_name(function.func)}{function.args!r}{keywords!r}"
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _of_validation(error: TypeError | ValueError) -> TypeError | ValueError:
    """Return an error that says whose X or Y it names."""
    for kind in (DataError, TypeError):
        if isinstance(error, kind):
            return kind(f"validation: {error}")
    return ValueError(f"validation: {error}")


class ValidationMonitor:
    """A run's measurements of its validation rows, the best among them, and the last improvement.

    Attributes
    ----------
    best : Evaluation or None
        The best point for these rows.
    best_iteration : int
        Its iteration.
    """

    def __init__(self, validation: Validation, problem: Problem) -> None:
        self._validation = validation
        try:
            self._rows = problem.validation_rows(validation.X, validation.Y)
        except (TypeError, ValueError) as error:
            if str(error).startswith("validation: "):
                raise
            raise _of_validation(error) from None
        self._targets: Array | None = None  # for the metric
        self.best: Evaluation | None = None
        self.best_iteration = 0
        self._best_score = -math.inf
        self._improved_iteration = 0
        self._improved_score = -math.inf

    def fingerprint(self) -> str:
        """Return a checksum of rows and settings."""
        return f"{self._rows.fingerprint()}|{sorted(self._validation.settings().items())!r}"

    def measure(self, point: Evaluation, iteration: int) -> tuple[float, float | None]:
        """Return cost and metric (None without one) at an iteration's point."""
        try:
            cost, predictions = self._rows(point.x)
        except DataError as error:
            raise _of_validation(error) from error
        score = -cost
        metric = None
        if self._validation.metric is not None:
            metric = self._measure_metric(predictions)
            if self._validation.monitor == "metric":
                score = -metric if self._validation.less_is_better else metric
        if math.isnan(score):
            score = -math.inf  # worse than any number
        if self.best is None or score > self._best_score:
            self.best = point
            self.best_iteration = iteration
            self._best_score = score
        if score > self._improved_score + self._validation.min_delta:
            self._improved_score = score
            self._improved_iteration = iteration
        return cost, metric

    def _measure_metric(self, predictions: Array) -> float:
        """Return the metric of targets and predictions of equal shape; labels (m,) stay labels."""
        assert self._validation.metric is not None
        if self._targets is None:
            self._targets = np.asarray(in_memory("validation: Y", self._validation.Y))
        targets = self._targets
        if predictions.shape[1] == 1:
            predictions = predictions[:, 0]
            targets = targets.reshape(-1)
        found = self._validation.metric(targets, predictions)
        if isinstance(found, (bool, np.bool_)) or not isinstance(found, Real):
            raise TypeError(
                f"metric: expected a function that returns a number, found {short_repr(found)} "
                f"from {_name(self._validation.metric)}"
            )
        return float(found)

    def check_patience(self, iteration: int) -> None:
        """Raise Stop if patience has run out."""
        patience, monitor = self._validation.patience, self._validation.monitor
        if patience is None or iteration - self._improved_iteration < patience:
            return
        delta = self._validation.min_delta
        by = f" by more than {delta:g}" if delta else ""
        is_negated = monitor == "cost" or self._validation.less_is_better
        best = -self._best_score if is_negated else self._best_score
        raise Stop(
            Status.STOPPED_EARLY,
            f"the validation {monitor} has not improved{by} for {patience} iterations "
            f"(best {best:.6g}, at iteration {self.best_iteration})",
        )

    @property
    def returned_point(self) -> Evaluation | None:
        """The point that the run is to return, if the validation chooses it."""
        return self.best if self._validation.restore_best else None

    def as_state(self) -> State:
        """Return numbers and arrays by name."""
        assert self.best is not None  # the start is measured before any state is taken
        return {
            "best": evaluation_state(self.best),
            "best_iteration": self.best_iteration,
            "best_score": self._best_score,
            "improved_iteration": self._improved_iteration,
            "improved_score": self._improved_score,
        }

    @property
    def history_columns(self) -> tuple[str, ...]:
        """The columns of the history that it measures."""
        has_metric = self._validation.metric is not None
        return ("validation_cost", "metric") if has_metric else ("validation_cost",)

    @staticmethod
    def expected_state(size: int) -> Entries:
        """Return what ``restore`` needs, for so many parameters."""
        score = Number(-math.inf, math.inf)
        return Entries(
            {
                "best": expected_evaluation(size),
                "best_iteration": Count(),
                "best_score": score,
                "improved_iteration": Count(),
                "improved_score": score,
            }
        )

    def restore(self, state: State) -> None:
        """Continue from ``as_state()``."""
        self.best = evaluation_of(state["best"])
        self.best_iteration = state["best_iteration"]
        self._best_score = state["best_score"]
        self._improved_iteration = state["improved_iteration"]
        self._improved_score = state["improved_score"]

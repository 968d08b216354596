"""Validation: rows that are looked at after each iteration, and the end of a run that no longer learns for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import Any, final

import numpy.typing as npt

from ..utils.checks import check_count, check_flag, check_number, shown
from ..utils.types import Array, State
from .resume.run_state import Point
from .stopping import Status, Stop

Metric = Callable[[Any, Array], float]


@final
class Validation:
    """Rows X, Y to hold out, of the form that Objective takes; for ``minimize(..., validation=...)``.

    After each iteration (and at the start) their mean loss, without penalty, goes into the history as
    ``validation_cost`` and, if there is a ``metric``, ``metric(Y, predictions)`` with predictions (m, outputs). With
    ``patience`` the run ends when that many iterations have passed since the last improvement, by more than
    ``minimum_improvement`` on the improvement before: in the validation cost or, with ``monitor="metric"``, in a metric
    of which more is better. With ``restore_best`` the result is the best iteration for these rows, not the one of the
    lowest training cost. A run that is resumed from a checkpoint knows its metric by its name.

    Raises TypeError or ValueError for arguments out of range and for a metric to monitor that is not there; X and Y are
    checked when training begins.

    >>> from minilayer import BinaryCrossEntropy, Dense, Objective, ScipyTrainer, Sequential, Sigmoid
    >>> model = Sequential([Dense(1, 1), Sigmoid()], seed=0)
    >>> objective = Objective(model, [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1], BinaryCrossEntropy())
    >>> watch = Validation([[1.4], [1.6]], [1, 0], patience=2)  # which is not so in the data
    >>> result = ScipyTrainer().minimize(objective, validation=watch)
    >>> result.status.name, result.best_iteration < result.nit
    ('STOPPED_EARLY', True)
    """

    def __init__(
        self,
        X: npt.ArrayLike,
        Y: npt.ArrayLike,
        *,
        metric: Metric | None = None,
        monitor: str = "cost",
        patience: int | None = None,
        minimum_improvement: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        if metric is not None and not callable(metric):
            raise TypeError(f"metric: expected a function of Y and the predictions, found {shown(metric)}")
        if monitor not in ("cost", "metric"):
            raise ValueError(f"monitor: expected 'cost' or 'metric', found {monitor!r}")
        if monitor == "metric" and metric is None:
            raise ValueError("monitor: expected 'cost' where there is no metric, found 'metric'")
        self.restore_best = check_flag("restore_best", restore_best)
        self.X, self.Y, self.metric, self.monitor = X, Y, metric, monitor
        self.patience = None if patience is None else check_count("patience", patience)
        self.minimum_improvement = check_number("minimum_improvement", minimum_improvement)

    def settings(self) -> dict[str, object]:
        """What a resumed run must have been told alike, the rows apart."""
        metric = None if self.metric is None else _name(self.metric)
        names = ("monitor", "patience", "minimum_improvement", "restore_best")
        return {"metric": metric, **{name: getattr(self, name) for name in names}}


def _name(function: object) -> str:
    """A function as a checkpoint knows it: by its name, in every process the same."""
    if isinstance(function, partial):
        return f"{_name(function.func)}{function.args!r}{sorted(function.keywords.items())!r}"
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


class Watch:
    """A run's looks at its validation rows: the best point for them, and since when none was better."""

    def __init__(self, validation: Validation, objective: object) -> None:
        if not hasattr(objective, "held_out"):
            raise TypeError(f"validation: expected an Objective, which can hold rows out, found {shown(objective)}")
        self._validation = validation
        try:
            self._held_out = objective.held_out(validation.X, validation.Y)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"validation: {error}") from None  # it speaks of X and Y, and so do the training's
        self.best: Point | None = None
        self.best_iteration = self._improved = 0
        self._best_score = self._reference = -math.inf

    def fingerprint(self) -> str:
        """A text that is another for other rows or settings."""
        return f"{self._held_out.fingerprint()}|{sorted(self._validation.settings().items())!r}"

    def look(self, point: Point, iteration: int) -> tuple[float, float | None]:
        """The cost and the metric (None without one) for the validation rows at an iteration's point."""
        cost, predictions = self._held_out(point.x)
        score, metric, ask = -cost, None, self._validation.metric
        if ask is not None:
            found = ask(self._validation.Y, predictions)
            if isinstance(found, bool) or not isinstance(found, Real):
                raise TypeError(f"metric: expected a function that gives a number, found {shown(found)}")
            metric = float(found)
            score = metric if self._validation.monitor == "metric" else score
        if math.isnan(score):
            score = -math.inf  # worse than any number
        if self.best is None or score > self._best_score:
            self.best, self._best_score, self.best_iteration = point, score, iteration
        if score > self._reference + self._validation.minimum_improvement:
            self._reference, self._improved = score, iteration
        return cost, metric

    def check(self, iteration: int) -> None:
        """Raise Stop where patience has run out."""
        patience, monitor = self._validation.patience, self._validation.monitor
        if patience is not None and iteration - self._improved >= patience:
            least = self._validation.minimum_improvement
            by = f" by more than {least:g}" if least else ""
            best = -self._best_score if monitor == "cost" else self._best_score
            raise Stop(
                Status.STOPPED_EARLY,
                f"the validation {monitor} has not improved{by} for {patience} iterations "
                f"(best {best:.6g}, at iteration {self.best_iteration})",
            )

    @property
    def chosen(self) -> Point | None:
        """The point that the run is to return, if that is for the validation to say."""
        return self.best if self._validation.restore_best else None

    def state(self) -> State:
        """As plain numbers and arrays."""
        if self.best is None:
            return {}
        names = ("best_iteration", "_improved", "_best_score", "_reference")
        return {**self.best.state("best"), **{name: getattr(self, name) for name in names}}

    def restore(self, state: State) -> None:
        """Stand where the run stood that wrote the state."""
        self.best = Point.of(state, "best")
        for name in ("best_iteration", "_improved", "_best_score", "_reference"):
            setattr(self, name, state[name])

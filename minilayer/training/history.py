"""What a run reports: one Iteration at a time to the callback, all of them in a History."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from ..utils.types import Array
from .history_html import history_html

COLUMNS = {
    "iteration": ("iteration", "{:>9}"),
    "evaluations": ("evaluations", "{:>11}"),
    "cost": ("        cost", "{:>12.6g}"),
    "gradient_norm": ("  |gradient|", "{:>12.3e}"),
    "validation_cost": ("validation", "{:>10.5g}"),
    "metric": ("  metric", "{:>8.4g}"),
    "seconds": (" seconds", "{:>8.2f}"),
}
"""Heading and format of each column."""

SHOWN_ROWS = 8
"""Rows at the start and at the end that ``repr`` shows."""


@dataclass(frozen=True)
class Evaluation:
    """An evaluation: where, and what it gave."""

    x: Array
    cost: float
    gradient: Array
    gradient_norm: float


@dataclass(frozen=True, kw_only=True)
class Iteration:
    """Where a run stands after an iteration: the argument of a callback.

    Iteration 0 is the start and is in the history only.

    Attributes
    ----------
    iteration : int
        Number of iterations so far.
    evaluations : int
        Evaluations of cost and gradient so far, Hessian products included.
    cost, gradient_norm : float
        Cost, and 2-norm of the gradient, at this iteration's point.
    best_cost : float
        The lowest cost of any evaluation so far.
    seconds : float
        Since the run began.
    x : ndarray
        This iteration's point, read-only; copy it to keep it. If SciPy reports a point that it did
        not evaluate last, the best one.
    validation_cost, metric : float or None
        Mean loss and metric of the validation rows, None without them.
    """

    iteration: int
    evaluations: int
    cost: float
    gradient_norm: float
    best_cost: float
    seconds: float
    x: Array = field(repr=False)
    validation_cost: float | None = None
    metric: float | None = None


@dataclass(repr=False)
class History:
    """The iterations of a run as columns, the start first.

    ``history.cost[-1]`` is the last iteration's cost. ``print(history)`` shows all rows, ``repr``
    the first and the last. Without validation its two columns are empty.

    Attributes
    ----------
    iteration, evaluations : list of int
        As in Iteration.
    cost, gradient_norm, validation_cost, metric, seconds : list of float
        As in Iteration.
    """

    iteration: list[int] = field(default_factory=list)
    evaluations: list[int] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    validation_cost: list[float] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def append(self, iteration: Iteration) -> None:
        """Add a row."""
        for name, column in self.columns().items():
            value = getattr(iteration, name)
            if value is not None:
                column.append(value)

    def columns(self) -> dict[str, list[float]]:
        """Return the columns by name, empty ones included."""
        return {column.name: getattr(self, column.name) for column in fields(self)}

    def __len__(self) -> int:
        return len(self.iteration)

    def __str__(self) -> str:
        return "\n".join(self._lines(list(range(len(self)))))

    def __repr__(self) -> str:
        if len(self) <= 2 * SHOWN_ROWS:
            return str(self)
        rows = [*range(SHOWN_ROWS), *range(len(self) - SHOWN_ROWS, len(self))]
        lines = self._lines(rows)
        lines.insert(1 + SHOWN_ROWS, f"{'...':>9}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return history_html(self.columns())

    def _lines(self, rows: list[int]) -> list[str]:
        shown = {name: column for name, column in self.columns().items() if column}
        heading = " ".join(COLUMNS[name][0] for name in shown)
        form = " ".join(COLUMNS[name][1] for name in shown)
        return [heading, *(form.format(*(shown[name][row] for name in shown)) for row in rows)]

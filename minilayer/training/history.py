"""What a run reports: one Iteration at a time to the callback, all of them in a History."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..utils.types import Array

WHOLE_NUMBERS = ("iteration", "evaluations")
"""The columns that count."""


@dataclass(frozen=True)
class Iteration:
    """Where a run stands after an iteration; what a callback is given.

    Iteration 0 is the start and is in the history only.
    """

    iteration: int
    evaluations: int
    """Evaluations of cost and gradient so far, and products with the Hessian."""
    cost: float
    """At this iteration's point."""
    gradient_norm: float
    """The 2-norm of the gradient at this iteration's point."""
    best_cost: float
    """The lowest cost of any evaluation so far."""
    seconds: float
    """Since the run began."""
    x: Array = field(repr=False)
    """This iteration's point, read-only; copy it to keep it."""
    validation_cost: float | None = None
    """The mean loss of the validation rows, None without any."""
    metric: float | None = None
    """The validation's metric, None without one."""


@dataclass
class History:
    """The iterations of a run as columns, the start first; ``history.cost[-1]`` is the last iteration's.

    Without validation its two columns are empty.
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
        for name, column in vars(self).items():
            value = getattr(iteration, name)
            if value is not None:
                column.append(value)

    def __len__(self) -> int:
        return len(self.iteration)

    def __str__(self) -> str:
        shown = [name for name, column in vars(self).items() if column]
        heading = " ".join(COLUMNS[name][0] for name in shown)
        row = " ".join(COLUMNS[name][1] for name in shown)
        values = zip(*(getattr(self, name) for name in shown), strict=True)
        return "\n".join([heading, *(row.format(*line) for line in values)])


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

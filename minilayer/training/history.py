"""What a run reports: one Iteration at a time to the callback, all of them in a History."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..checks import Array


@dataclass(frozen=True)
class Iteration:
    """Where a run stands after an iteration; what a callback is given.

    Iteration 0 is the start and is in the history only.
    """

    iteration: int
    evaluations: int
    """Evaluations of cost and gradient so far."""
    cost: float
    """At this iteration's point."""
    gradient_norm: float
    """The 2-norm of the gradient at this iteration's point."""
    best_cost: float
    """The lowest cost of any evaluation so far; its point is what the run returns."""
    seconds: float
    """Since the run began."""
    x: Array = field(repr=False)
    """This iteration's point, read-only; copy it to keep it."""


@dataclass
class History:
    """The iterations of a run as columns, the start first; ``history.cost[-1]`` is the last iteration's."""

    iteration: list[int] = field(default_factory=list)
    evaluations: list[int] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def append(self, iteration: Iteration) -> None:
        """Add a row."""
        for name, column in vars(self).items():
            column.append(getattr(iteration, name))

    def __len__(self) -> int:
        return len(self.iteration)

    def __str__(self) -> str:
        lines = [f"{'iteration':>9} {'evaluations':>11} {'cost':>12} {'|gradient|':>12} {'seconds':>8}"]
        row = "{:>9} {:>11} {:>12.6g} {:>12.3e} {:>8.2f}"
        return "\n".join(lines + [row.format(*values) for values in zip(*vars(self).values(), strict=True)])

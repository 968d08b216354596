"""Budget: what a run may use, and the cost that is good enough."""

from __future__ import annotations

from dataclasses import dataclass

from .status import Status, Stop


@dataclass(frozen=True)
class Budget:
    """When to stop; None: no limit."""

    evaluations: int | None = None
    iterations: int | None = None
    seconds: float | None = None
    target_cost: float | None = None

    def check(self, evaluations: int, wanted: int, iterations: int, seconds: float) -> None:
        """Raise Stop where nothing is left for so many evaluations more."""
        self.check_iterations(iterations)
        if self.evaluations is not None and evaluations + wanted > self.evaluations:
            left = self.evaluations - evaluations
            rest = f"leaves {left}, and an epoch takes {wanted}" if left else "is used up"
            raise Stop(Status.MAX_EVALUATIONS, f"the budget of {self.evaluations} evaluations {rest}")
        self.check_seconds(evaluations, seconds)

    def check_seconds(self, evaluations: int, seconds: float) -> None:
        """Raise Stop where no time is left; there always is for the first evaluation."""
        if self.seconds is not None and evaluations and seconds >= self.seconds:
            raise Stop(Status.MAX_SECONDS, f"the budget of {self.seconds:g} seconds is used up")

    def check_iterations(self, iterations: int) -> None:
        """Raise Stop where no iteration is left."""
        if self.iterations is not None and iterations >= self.iterations:
            raise Stop(Status.MAX_ITERATIONS, f"the budget of {self.iterations} iterations is used up")

    def check_cost(self, cost: float) -> None:
        """Raise Stop for a cost that is good enough."""
        if self.target_cost is not None and cost <= self.target_cost:
            raise Stop(Status.TARGET_COST, f"the cost {cost:.6g} is within the target of {self.target_cost:g}")

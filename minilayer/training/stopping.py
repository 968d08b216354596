"""How a run ends: its budget, and the status that says why. Not converging is data, not an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """``result.status`` of every trainer; ``result.success`` is for CONVERGED, TARGET_COST and STOPPED_EARLY."""

    CONVERGED = 0
    """The method's own test for a minimum holds."""
    MAX_EVALUATIONS = 1
    MAX_ITERATIONS = 2
    MAX_SECONDS = 3
    CALLBACK = 4
    """The callback raised StopIteration."""
    INTERRUPTED = 5
    """Ctrl-C."""
    NON_FINITE = 6
    """The cost or its gradient was NaN or infinite."""
    FAILED = 7
    """The method gave up, for instance in a line search; the message has its words."""
    TARGET_COST = 8
    """The cost is as low as ``target_cost`` asked."""
    STOPPED_EARLY = 9
    """The validation has not improved for as many iterations as its ``patience``."""

    @property
    def is_success(self) -> bool:
        """Whether the run ended because it had what it was to find."""
        return self in (Status.CONVERGED, Status.TARGET_COST, Status.STOPPED_EARLY)


class Stop(Exception):
    """Ends a run from inside the method, with the status and the reason."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


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

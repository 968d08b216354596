"""How a run can end. Not converging is an answer, not an exception."""

from __future__ import annotations

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

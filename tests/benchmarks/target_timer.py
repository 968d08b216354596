"""TargetTimer: times a training run until the cost is low enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from .case import Array


class Finished(Exception):
    """Raised through the optimizer to end it."""


class TargetTimer:
    """Times a ``with`` block and ends it at the first evaluation of cost <= ``target``.

    Every framework calls ``record`` after each of its evaluations. All runs therefore end by the
    same rule: at an evaluation, not at the end of an iteration, whatever callbacks the optimizer
    has. This costs a comparison of two numbers.

    Parameters
    ----------
    target : float
        The cost to reach.
    limit : int, optional
        Evaluations after which the block ends anyway.

    Attributes
    ----------
    seconds : float
        From the beginning of the block to its end.
    evaluations : int
        Evaluations so far.
    cost : float
        The cost of the last evaluation.
    parameters : ndarray or None
        The flat parameters at the end, if ``target`` or ``limit`` was reached.
    """

    def __init__(self, target: float, limit: int | None = None) -> None:
        self.target = target
        self.limit = limit
        self.seconds = 0.0
        self.evaluations = 0
        self.cost = float("inf")
        self.parameters: Array | None = None

    def record(self, cost: float, parameters: Callable[[], Array]) -> None:
        """Record an evaluation.

        Parameters
        ----------
        cost : float
            The cost that the framework has computed.
        parameters : callable
            Returns the flat parameters of that cost. It is called once, after the clock stops.
        """
        self.evaluations += 1
        self.cost = cost
        if cost <= self.target or self.evaluations == self.limit:
            self.seconds = time.perf_counter() - self._start
            self.parameters = parameters().copy()
            raise Finished

    def __enter__(self) -> TargetTimer:
        self._start = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        if self.parameters is None:
            self.seconds = time.perf_counter() - self._start
        return kind is not None and issubclass(kind, Finished)


def recorded(
    function: Callable[[Array], tuple[float, Array]], timer: TargetTimer
) -> Callable[[Array], tuple[float, Array]]:
    """Return a function x -> (cost, gradient) that also records each evaluation."""

    def evaluate(x: Array) -> tuple[float, Array]:
        cost, gradient = function(x)
        timer.record(cost, lambda: x)
        return cost, gradient

    return evaluate

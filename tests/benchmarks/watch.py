"""The finishing line of a training run: the first evaluation whose cost is low enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from .problem import Array


class Finished(Exception):
    """Raised through the optimizer to end it."""


class Watch:
    """Times a ``with`` block and ends it at the first evaluation with cost <= ``target``, or after ``limit`` of them.

    Every contestant reports each of its evaluations to ``see``, with a function that gives the flat parameters (it is
    called at the end only, off the clock). So all stop by the same rule, at the evaluation and not at the end of an
    iteration, whatever callbacks their optimizers have. A comparison of two numbers is all that this costs.
    """

    def __init__(self, target: float, limit: int | None = None) -> None:
        self.target, self.limit = target, limit
        self.evaluations = 0
        self.seconds = 0.0
        self.cost = float("inf")
        self.parameters: Array | None = None

    @property
    def reached(self) -> bool:
        """Whether the cost was low enough in the end."""
        return self.cost <= self.target

    def see(self, cost: float, parameters: Callable[[], Array]) -> None:
        """An evaluation has given this cost at these parameters."""
        self.evaluations += 1
        self.cost = cost
        if cost <= self.target or self.evaluations == self.limit:
            self.seconds = time.perf_counter() - self._began
            self.parameters = parameters().copy()
            raise Finished

    def __enter__(self) -> Watch:
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        if self.parameters is None:
            self.seconds = time.perf_counter() - self._began
        return kind is not None and issubclass(kind, Finished)

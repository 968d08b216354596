"""Run: one minimization under way. It counts, keeps the best point, and stops when a budget is used up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..checks import Array
from .history import History, Iteration
from .progress import ProgressBar
from .status import Status, Stop

CostAndGradient = Callable[[Array], tuple[float, Array]]
Callback = Callable[[Iteration], object]


@dataclass(frozen=True)
class Point:
    """An evaluation: where, and what it gave."""

    x: Array
    cost: float
    gradient: Array
    gradient_norm: float


@dataclass(frozen=True)
class Budget:
    """When to stop; None: no limit."""

    evaluations: int | None = None
    iterations: int | None = None
    seconds: float | None = None


class Run:
    """What a method sees of the objective: ``evaluate`` instead of the function, ``iterated`` after each iteration.

    Both raise Stop when the run is to end. Every method so has the same budgets, callback, history and best point,
    whatever it offers itself.
    """

    def __init__(self, objective: CostAndGradient, budget: Budget, callback: Callback | None, bar: ProgressBar) -> None:
        self._objective, self._budget, self._callback, self._bar = objective, budget, callback, bar
        self._began = time.perf_counter()
        self.evaluations = self.iterations = 0
        self.best: Point | None = None
        self._last: Point | None = None
        self.history = History()

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.perf_counter() - self._began

    def evaluate(self, x: Array) -> tuple[float, Array]:
        """Cost and gradient at x, counted and checked."""
        self._check_budget()
        cost, gradient = self._objective(x)
        with np.errstate(over="ignore"):
            cost, norm = float(cost), float(np.linalg.norm(gradient))
        self.evaluations += 1
        if not (np.isfinite(cost) and np.isfinite(norm)):
            what = f"cost {cost}" if not np.isfinite(cost) else "a gradient that is not finite"
            raise Stop(Status.NON_FINITE, f"evaluation {self.evaluations} gave {what}")
        # Copies: the method may change its x in place, and the gradient that it is given.
        self._last = Point(x.copy(), cost, gradient.copy(), norm)
        if self.best is None or cost < self.best.cost:
            self.best = self._last
        if len(self.history) == 0:
            self.history.append(self._iteration(self._last))
        self._bar.update(cost, norm)
        return cost, gradient

    def iterated(self, x: Array) -> None:
        """The method has finished an iteration, at x."""
        self.iterations += 1
        iteration = self._iteration(self._point_at(x))
        self.history.append(iteration)
        if self._callback is not None:
            try:
                self._callback(iteration)
            except StopIteration as stop:
                reason = f": {stop.value}" if stop.value else ""
                raise Stop(Status.CALLBACK, f"the callback stopped the run{reason}") from None
        if self._budget.iterations is not None and self.iterations >= self._budget.iterations:
            raise Stop(Status.MAX_ITERATIONS, f"the budget of {self._budget.iterations} iterations is used up")

    def _check_budget(self) -> None:
        limit, seconds = self._budget.evaluations, self._budget.seconds
        if limit is not None and self.evaluations >= limit:
            raise Stop(Status.MAX_EVALUATIONS, f"the budget of {limit} evaluations is used up")
        if seconds is not None and self.evaluations and self.seconds >= seconds:
            raise Stop(Status.MAX_SECONDS, f"the budget of {seconds:g} seconds is used up")

    def _point_at(self, x: Array) -> Point:
        """The evaluation that an iteration ended at: nearly always the last or the best, else the best stands in."""
        last, best = self._last, self.best
        if last is None or best is None:
            raise RuntimeError("an iteration before any evaluation")
        return last if np.array_equal(x, last.x) else best

    def _iteration(self, point: Point) -> Iteration:
        x = point.x.view()
        x.flags.writeable = False
        best = self.best or point
        return Iteration(self.iterations, self.evaluations, point.cost, point.gradient_norm, best.cost, self.seconds, x)

"""Run: one minimization under way. It counts, keeps the best point, and stops when a budget is used up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..checks import Array
from .history import History, Iteration
from .progress import ProgressBar
from .recovery import Recovery, State
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


@dataclass(frozen=True)
class _Whole:
    """A run after a whole iteration: what it takes to go on."""

    iterations: int
    evaluations: int
    seconds: float
    best: Point
    history: History
    own: State

    def state(self) -> State:
        """As plain numbers and arrays; the history up to this iteration."""
        rows = self.iterations + 1  # the start has one too
        columns = {
            f"history {name}": np.array(column[:rows], np.float64) for name, column in vars(self.history).items()
        }
        return {
            "iterations": self.iterations,
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "best cost": self.best.cost,
            "best x": self.best.x,
            "best gradient": self.best.gradient,
            **columns,
            **{f"own {name}": value for name, value in self.own.items()},
        }

    @classmethod
    def of(cls, state: State) -> _Whole:
        """Back from ``state()``."""
        history = History()
        for name, column in vars(history).items():
            whole_numbers = name in ("iteration", "evaluations")
            column += [int(value) if whole_numbers else float(value) for value in state[f"history {name}"]]
        x, gradient = state["best x"], state["best gradient"]
        best = Point(x, state["best cost"], gradient, float(np.linalg.norm(gradient)))
        own = {name.removeprefix("own "): value for name, value in state.items() if name.startswith("own ")}
        return cls(state["iterations"], state["evaluations"], state["seconds"], best, history, own)


class Run:
    """What a method sees of the objective: ``evaluate`` instead of the function, ``iterated`` after each iteration.

    Both raise Stop when the run is to end. Every method so has the same budgets, callback, history and best point,
    whatever it offers itself.
    """

    def __init__(
        self,
        objective: CostAndGradient,
        budget: Budget,
        callback: Callback | None,
        bar: ProgressBar,
        recovery: Recovery | None = None,
    ) -> None:
        self._objective, self._budget, self._callback, self._bar = objective, budget, callback, bar
        self._recovery = recovery
        self._began = time.perf_counter()
        self.evaluations = self.iterations = 0
        self.best: Point | None = None
        self._last: Point | None = None
        self.history = History()
        self._whole: _Whole | None = None
        if recovery is not None and recovery.journal is None and recovery.state:
            self._restore(recovery.state)

    @property
    def resumed(self) -> State | None:
        """The state that the method gave to ``iterated`` where this run goes on, None where it begins."""
        return None if self._whole is None else self._whole.own

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.perf_counter() - self._began

    def evaluate(self, x: Array) -> tuple[float, Array]:
        """Cost and gradient at x, counted and checked."""
        self._check_budget()
        cost, gradient = self._ask(x)
        with np.errstate(over="ignore"):
            norm = float(np.linalg.norm(gradient))
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

    def _ask(self, x: Array) -> tuple[float, Array]:
        """The journal's answer while it has one, else the objective's, written down."""
        journal = self._recovery.journal if self._recovery else None
        answer = journal.answer(x) if journal else None
        if answer is not None:
            cost, gradient, seconds = answer
            self._began = time.perf_counter() - seconds
            return cost, gradient
        cost, gradient = self._objective(x)
        if journal:
            journal.append(x, float(cost), gradient, self.seconds)
        return float(cost), gradient

    def iterated(self, x: Array, state: State | None = None) -> None:
        """The method has finished an iteration, at x.

        ``state``, where the method shows it, is what it needs to go on from here; its arrays must not change any more.
        """
        self.iterations += 1
        iteration = self._iteration(self._point_at(x))
        self.history.append(iteration)
        if self._recovery is not None and self.best is not None:
            own = {} if state is None else state
            self._whole = _Whole(self.iterations, self.evaluations, self.seconds, self.best, self.history, own)
        if self._callback is not None:
            try:
                self._callback(iteration)
            except StopIteration as stop:
                reason = f": {stop.value}" if stop.value else ""
                raise Stop(Status.CALLBACK, f"the callback stopped the run{reason}") from None
        if self._recovery and self._recovery.due(self.iterations):
            self.save()
        self._check_iterations()

    def save(self) -> None:
        """Write the checkpoint, if there is to be one, as of the last whole iteration."""
        if self._recovery is not None and self._whole is not None and self.best is not None:
            self._recovery.save(self.best.x, self._whole.state())

    def _restore(self, state: State) -> None:
        """Stand where the run stood that wrote the state."""
        whole = _Whole.of(state)
        self.iterations, self.evaluations, self.best = whole.iterations, whole.evaluations, whole.best
        self._began = time.perf_counter() - whole.seconds
        self.history, self._whole = whole.history, whole

    def _check_iterations(self) -> None:
        if self._budget.iterations is not None and self.iterations >= self._budget.iterations:
            raise Stop(Status.MAX_ITERATIONS, f"the budget of {self._budget.iterations} iterations is used up")

    def _check_budget(self) -> None:
        self._check_iterations()
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

"""Run: one minimization under way. It counts, keeps the best point, and stops when a budget is used up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from ..utils.checks import check_vector
from ..utils.types import Array, State
from .history import History, Iteration
from .problem import Preconditioner, check_answer
from .progress import ProgressBar
from .resume.checkpointer import Recovery
from .resume.run_state import Point, Standing
from .stopping import Budget, Status, Stop
from .validation import Watch

CostAndGradient = Callable[[Array], tuple[float, Array]]

Callback = Callable[[Iteration], object]


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
        watch: Watch | None = None,
    ) -> None:
        self._objective, self._budget, self._callback, self._bar = objective, budget, callback, bar
        self._recovery, self._watch = recovery, watch
        self._began = time.perf_counter()
        self.evaluations = self.products = self.iterations = 0  # products count as evaluations too
        self.best: Point | None = None
        self._last: Point | None = None
        self.history = History()
        self._standing: Standing | None = None
        if recovery is not None and recovery.journal is None and recovery.state:
            self._restore(recovery.state)

    @property
    def resumed(self) -> State | None:
        """The state that the method gave to ``iterated`` where this run goes on, None where it begins."""
        return None if self._standing is None else self._standing.own

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.perf_counter() - self._began

    @property
    def chosen(self) -> Point | None:
        """The point to return: the best for the validation rows, if there are any and it is for them to say."""
        return (self._watch and self._watch.chosen) or self.best

    def evaluate(self, x: Array) -> tuple[float, Array]:
        """Cost and gradient at x, counted and checked."""
        self._check_budget()
        cost, gradient = self._ask(x, lambda: check_answer(self._objective(x), x.size))
        with np.errstate(over="ignore"):
            norm = math.sqrt(gradient.dot(gradient))  # np.linalg.norm takes its time when the caches are cold
        self.evaluations += 1
        if not (math.isfinite(cost) and math.isfinite(norm)):
            what = f"cost {cost}" if not math.isfinite(cost) else "a gradient that is not finite"
            raise Stop(Status.NON_FINITE, f"evaluation {self.evaluations} gave {what}")
        # Copies: the method may change its x in place, and the gradient that it is given.
        self._last = Point(x.copy(), cost, gradient.copy(), norm)
        if self.best is None or cost < self.best.cost:
            self.best = self._last
        if len(self.history) == 0:
            self.history.append(self._iteration(self._last))
        self._bar.update(cost, norm)
        self._budget.check_cost(self.best.cost)
        return cost, gradient

    def has_curvature(self, gauss_newton: bool) -> bool:
        """Whether the objective has products with the Hessian; one may have the method, and layers that have not."""
        check = getattr(self._objective, "check_curvature", None)
        if check is not None:
            try:
                check(gauss_newton)
            except TypeError:
                return False
        return hasattr(self._objective, "hessp")

    def product(self, x: Array, v: Array, **options: bool) -> Array:
        """The product of the Hessian at x with v, counted as an evaluation and checked."""
        self._check_budget()
        hessp: Callable[..., Array] = getattr(self._objective, "hessp")  # noqa: B009 (not in the type of each objective)
        _, product = self._ask(
            np.concatenate([x, v]),
            lambda: (0.0, check_vector("objective's hessp", hessp(x, v, **options), v.size)),
        )
        self.evaluations += 1
        self.products += 1
        if not np.isfinite(product).all():
            raise Stop(Status.NON_FINITE, f"evaluation {self.evaluations} gave a product that is not finite")
        self._advance_bar()
        return product

    @property
    def has_penalty(self) -> bool:
        """Whether the objective says that it has one."""
        return bool(getattr(self._objective, "l2", 0.0))

    def preconditioner(self) -> Preconditioner | None:
        """What the objective knows about the shape of its own Hessian, if it offers that."""
        make: Callable[[], Preconditioner] | None = getattr(self._objective, "preconditioner", None)
        return None if make is None else make()

    def begin_epoch(self) -> int:
        """Count a pass over the rows in batches, which an evaluation is to follow; how many rows there are."""
        self._check_budget(evaluations=2)
        self.evaluations += 1
        self._advance_bar()
        return int(getattr(self._objective, "rows"))  # noqa: B009 (not in the type of each objective)

    def estimate(self, x: Array, rows: Array) -> Array:
        """The gradient at x from some rows, checked."""
        self._budget.check_seconds(self.evaluations, self.seconds)
        cost, gradient = check_answer(getattr(self._objective, "batch")(x, rows), x.size)  # noqa: B009
        if not (math.isfinite(cost) and np.isfinite(gradient).all()):
            what = "a gradient that is not finite" if math.isfinite(cost) else f"cost {cost}"
            raise Stop(Status.NON_FINITE, f"a batch of the epoch after iteration {self.iterations} gave {what}")
        return gradient

    def _advance_bar(self) -> None:
        """One evaluation more that has no cost of its own."""
        if self._last is not None:
            self._bar.update(self._last.cost, self._last.gradient_norm)

    def _ask(self, x: Array, compute: Callable[[], tuple[float, Array]]) -> tuple[float, Array]:
        """The journal's answer for x while it has one, else what is computed, written down."""
        journal = self._recovery.journal if self._recovery else None
        if journal and (answer := journal.answer(x)) is not None:
            cost, gradient, seconds = answer
            self._began = time.perf_counter() - seconds
            return cost, gradient
        cost, gradient = compute()
        if journal:
            journal.append(x, cost, gradient, self.seconds)
        return cost, gradient

    def iterated(self, x: Array, state: State | None = None) -> None:
        """The method has finished an iteration, at x.

        ``state``, where the method shows it, is what it needs to go on from here.
        """
        self.iterations += 1
        iteration = self._iteration(self._point_at(x))
        self.history.append(iteration)
        if self._recovery is not None and self.best is not None:
            seen = self._watch.state() if self._watch else {}
            # Copies: an objective may answer in one array, again and again.
            own = {
                name: np.copy(part) if isinstance(part, np.ndarray) else part for name, part in (state or {}).items()
            }
            counts = self.iterations, self.evaluations, self.seconds
            self._standing = Standing(*counts, self.best, self.history, seen, own)
        if self._callback is not None:
            try:
                self._callback(iteration)
            except StopIteration as stop:
                reason = f": {stop.value}" if stop.value else ""
                raise Stop(Status.CALLBACK, f"the callback stopped the run{reason}") from None
        if self._recovery and self._recovery.due(self.iterations):
            self.save()
        self._budget.check_iterations(self.iterations)
        if self._watch is not None:
            self._watch.check(self.iterations)

    def save(self) -> None:
        """Write the checkpoint, if there is to be one, as of the last whole iteration."""
        if self._recovery is not None and self._standing is not None and self.chosen is not None:
            self._recovery.save(self.chosen.x, self._standing.state())

    def _restore(self, state: State) -> None:
        """Stand where the run stood that wrote the state."""
        standing = Standing.of(state)
        self.iterations, self.evaluations, self.best = standing.iterations, standing.evaluations, standing.best
        self._began = time.perf_counter() - standing.seconds
        self.history, self._standing = standing.history, standing
        self._bar.go_on_from(standing.evaluations)
        if self._watch is not None:
            self._watch.restore(standing.watch)

    def _check_budget(self, evaluations: int = 1) -> None:
        self._budget.check(self.evaluations, evaluations, self.iterations, self.seconds)
        if self.best is not None:  # a run that had ended and is taken up again ends again
            self._budget.check_cost(self.best.cost)
            if self._watch is not None:
                self._watch.check(self.iterations)

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
        seen = self._watch.look(point, self.iterations) if self._watch else ()
        counts = self.iterations, self.evaluations, point.cost, point.gradient_norm, best.cost, self.seconds
        return Iteration(*counts, x, *seen)

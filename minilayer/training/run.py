"""Run: one minimization under way: its history, best point, validation and checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..utils.types import Array, State
from .counted_objective import Clock, CountedObjective
from .history import Evaluation, History, Iteration
from .problem import ProblemWrapper
from .progress import ProgressBar
from .resume.checkpointer import Checkpointer
from .resume.run_state import RunState, evaluation_of, evaluation_state
from .stopping import FAILURES, Budget, Status, Stop
from .validation import ValidationMonitor

Callback = Callable[[Iteration], object]


def _rank(evaluation: Evaluation) -> tuple[float, float]:
    """Return what is lower for the better of two evaluations: at equal costs, the flatter one's."""
    return evaluation.cost, evaluation.gradient_norm


class Run:
    """What a method sees: ``evaluate`` for the objective, ``end_iteration`` after each iteration.

    Both raise Stop when the run is to end. Every method so has the same budgets, callback, history,
    best point and checkpoints.

    Attributes
    ----------
    problem : ProblemWrapper
        The objective, for what a method asks of it besides cost and gradient.
    iterations : int
        Iterations so far.
    best : Evaluation or None
        The evaluation of lowest cost so far.
    history : History
        The iterations so far.
    resumed : dict or None
        The state that the method gave to ``end_iteration``, if this run goes on from there.
    """

    def __init__(
        self,
        problem: ProblemWrapper,
        budget: Budget,
        *,
        bar: ProgressBar,
        callback: Callback | None = None,
        checkpointer: Checkpointer | None = None,
        monitor: ValidationMonitor | None = None,
    ) -> None:
        self.problem = problem
        self.iterations = 0
        self.best: Evaluation | None = None
        self.history = History()
        self.resumed: State | None = None
        self._budget = budget
        self._bar = bar
        self._callback = callback
        self._checkpointer = checkpointer
        self._monitor = monitor
        self._clock = Clock()
        self._final_seconds: float | None = None
        replay = None if checkpointer is None else checkpointer.replay
        self._counted = CountedObjective(problem, budget, self._clock, replay)
        self._last: Evaluation | None = None
        self._left_by_earlier_part: Evaluation | None = None
        self._whole: Callable[[], RunState] | None = None  # the state after the last iteration

    # What methods call

    def evaluate(self, x: Array, *, is_trial: bool = False) -> Evaluation:
        """Return cost and gradient at x; not to be written to.

        The run ends if they are not finite. For a trial point the cost is infinite instead.
        """
        self._check_ended()
        evaluation = self._counted.evaluate(x, is_trial=is_trial)
        if math.isinf(evaluation.cost):
            self._advance_bar()
            return evaluation
        self._last = evaluation
        if self.best is None or _rank(evaluation) < _rank(self.best):
            self.best = evaluation
        if len(self.history) == 0:
            self._record_iteration(evaluation)
        self._advance_bar()
        self._budget.check_cost(self.best.cost)
        return evaluation

    def hessian_product(self, x: Array, v: Array, gauss_newton: bool = False) -> Array:
        """Return the product of the Hessian (or the Gauss-Newton matrix) at x with v."""
        self._check_ended()
        product = self._counted.hessian_product(x, v, gauss_newton)
        self._advance_bar()
        return product

    def start_epoch(self) -> int:
        """Count a pass over the rows in minibatches; return the number of rows."""
        self._check_ended()
        self._counted.start_epoch()
        self._advance_bar()
        return self.problem.rows

    def minibatch_gradient(self, x: Array, rows: Array) -> Array:
        """Return the gradient at x estimated from some rows."""
        self._bar.refresh()  # the seconds go on during a long epoch
        return self._counted.minibatch_gradient(x, rows, self.iterations)

    def end_iteration(self, x: Array, method_state: Callable[[], State] = dict) -> None:
        """End an iteration at x.

        ``method_state()`` gives what a method with explicit state needs to go on from here. It may
        be called later, so it must not see what the method changes afterwards.
        """
        self.iterations += 1
        iteration = self._record_iteration(self._evaluation_at(x))
        if self._checkpointer is not None:
            self._checkpointer.unfinished.end_iteration()
            self._whole = self._state_after_iteration(method_state)
        if self._callback is not None:
            try:
                self._callback(iteration)
            except StopIteration as stop:
                reason = f": {stop.value}" if stop.value else ""
                raise Stop(Status.CALLBACK, f"the callback stopped the run{reason}") from None
        if self._checkpointer is not None and self._checkpointer.is_due(self.iterations):
            self.save()
        self._budget.check_iterations(self.iterations)
        if self._monitor is not None:
            self._monitor.check_patience(self.iterations)

    # What the trainer calls

    def resume(self, state: State) -> None:
        """Go on from the state of a checkpoint."""
        resumed = RunState.of(state)
        self.iterations = resumed.iterations
        self.best = resumed.best
        self.history = resumed.history
        self.resumed = resumed.method
        self._counted.evaluations = resumed.evaluations
        self._counted.products = resumed.products
        self._clock.resume_from(state["seconds"])
        self._left_by_earlier_part = evaluation_of(state["left"])
        self._bar.resume_from(resumed.evaluations, resumed.iterations)
        self._whole = lambda: resumed
        if self._monitor is not None:
            self._monitor.restore(resumed.validation)

    def finish(self, status: Status | None) -> None:
        """Hand the best point to the objective and write the checkpoint; None: an exception."""
        self._final_seconds = self.seconds  # as the checkpoint and the result report them
        if self._checkpointer is not None and self._checkpointer.replay.has_diverged:
            self._bar.close(is_failure=True)  # the run is refused: model and files stay as they are
            return
        try:
            self._bar.close(is_failure=status is None or status in FAILURES)
            if self.returned_point is not None:
                self.problem.set_parameters(self.returned_point.x)
        finally:
            self.save()

    def save(self) -> None:
        """Write the checkpoint, if there is one, as of the last whole iteration."""
        chosen = self.returned_point
        if self._checkpointer is not None and self._whole is not None and chosen is not None:
            state = self._whole().as_state()
            state["unfinished"] = self._checkpointer.unfinished.as_state()
            state["all_evaluations"] = self.evaluations
            state["seconds"] = self.seconds
            state["left"] = evaluation_state(chosen)
            self._checkpointer.save(chosen.x, state)

    @property
    def evaluations(self) -> int:
        """Evaluations so far, Hessian products included."""
        return self._counted.evaluations

    @property
    def products(self) -> int:
        """Hessian products so far."""
        return self._counted.products

    @property
    def seconds(self) -> float:
        """Seconds since the run began; never less than an earlier part of it has reported."""
        if self._final_seconds is not None:
            return self._final_seconds
        seconds = self._clock.seconds
        if self._checkpointer is None or self.evaluations < self._checkpointer.all_evaluations:
            return seconds
        earlier: float = self._checkpointer.state.get("seconds", 0.0)
        return max(seconds, earlier)

    @property
    def returned_point(self) -> Evaluation | None:
        """The validation's best point if it is to choose, else the one of lowest cost.

        An earlier part of the run may have left a better point in an unfinished iteration.
        """
        if self._monitor is not None and self._monitor.returned_point is not None:
            return self._monitor.returned_point
        known = [point for point in (self.best, self._left_by_earlier_part) if point is not None]
        return min(known, key=lambda point: point.cost, default=None)

    # Parts of the above

    def _check_ended(self) -> None:
        """Raise Stop if the run has ended: one that had, and is resumed, ends again."""
        self._budget.check_iterations(self.iterations)
        if self.best is not None:
            self._budget.check_cost(self.best.cost)
            if self._monitor is not None:
                self._monitor.check_patience(self.iterations)

    def _advance_bar(self) -> None:
        if self._last is not None:
            self._bar.update(
                self.evaluations,
                self._last.cost,
                self._last.gradient_norm,
                self.problem.progress_note(),
            )

    def _evaluation_at(self, x: Array) -> Evaluation:
        """Return the evaluation at x: nearly always the last, else the best stands in."""
        last, best = self._last, self.best
        if last is None or best is None:
            raise RuntimeError("an iteration before any evaluation")
        return last if np.array_equal(x, last.x) else best

    def _record_iteration(self, evaluation: Evaluation) -> Iteration:
        """Measure the validation at an iteration's point; add a row to the history."""
        x = evaluation.x.view()
        x.flags.writeable = False
        best = self.best or evaluation
        cost = metric = None
        if self._monitor is not None:
            cost, metric = self._monitor.measure(evaluation, self.iterations)
        iteration = Iteration(
            iteration=self.iterations,
            evaluations=self.evaluations,
            cost=evaluation.cost,
            gradient_norm=evaluation.gradient_norm,
            best_cost=best.cost,
            seconds=self.seconds,
            x=x,
            validation_cost=cost,
            metric=metric,
        )
        self.history.append(iteration)
        self._bar.end_iteration(iteration)
        return iteration

    def _state_after_iteration(self, method_state: Callable[[], State]) -> Callable[[], RunState]:
        """Return a function that gives the state of now whenever it is called."""
        assert self.best is not None
        iterations, best, history = self.iterations, self.best, self.history
        evaluations, products = self.evaluations, self.products
        validation = {} if self._monitor is None else self._monitor.as_state()

        def state() -> RunState:
            return RunState(
                iterations=iterations,
                evaluations=evaluations,
                products=products,
                best=best,
                history=history,
                validation=validation,
                method=method_state(),
            )

        return state

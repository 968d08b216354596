"""GradientDescent: steps down the gradient, of all rows or of minibatches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Unpack, final

import numpy as np

from ...utils.checks import check_count, check_instance, check_number
from ...utils.foreign_names import explains_unknown_arguments
from ...utils.reprs import check_shows_arguments
from ...utils.types import Array, State
from ..problem import Problem
from ..resume.state_check import Entries, Expected, Floats
from ..run import Run
from ..stopping import BudgetOptions, Status, Stop
from ..trainer import Trainer
from .schedules import Schedule, factor_of
from .update_rules import Momentum, Rule, update_of

UNFINISHED = {
    Status.MAX_EVALUATIONS,
    Status.MAX_ITERATIONS,
    Status.MAX_SECONDS,
    Status.NON_FINITE,
}
DEFAULT_MAX_ITERATIONS = 1000


@final
class GradientDescent(Trainer):
    """Gradient descent x <- x + step, with momentum or Adam, on all rows or on minibatches.

    Without ``batch_size`` an iteration is one step with the gradient of all rows. With it an
    iteration is an epoch: the rows, shuffled, are taken ``batch_size`` at a time, one step each,
    the last one with what is left. Then cost and gradient of all rows are evaluated, for the
    history, the best point and the tolerance. The minibatches of an epoch count as one evaluation
    together. They are gathered from a second copy of the data. Rows of a file are shuffled in
    blocks: see ``Objective.shuffled_rows``. The run has converged if the 2-norm of the gradient is
    at most ``tolerance``.

    Parameters
    ----------
    learning_rate : float, default 0.1
        Factor of the gradient.
    momentum : float, default 0
        Without a rule, the step is v <- momentum v - learning_rate gradient.
    rule : Rule, optional
        How a gradient becomes a step, such as ``Adam()``.
    schedule : Schedule, optional
        The learning rate's factor by iteration, such as ``CosineDecay(100)``.
    batch_size : int, optional
        Rows of a minibatch; default: all rows.
    seed : int, default 0
        Of the shuffles, together with the number of the epoch.
    clip_norm : float, optional
        Longer gradients are scaled down to this 2-norm (Pascanu, Mikolov and Bengio, 2013).
    tolerance : float, default 1e-5
        Of the gradient's 2-norm.
    **budget
        ``max_evaluations``, ``max_iterations``, ``max_seconds``, ``target_cost``: see Trainer.
        Default: 1000 iterations.

    Raises
    ------
    TypeError, ValueError
        For arguments out of range, and momentum beside a rule; when training begins, for a batch
        size if the objective has no rows or fewer.

    Examples
    --------
    >>> bowl = lambda x: (x @ x / 2, x)
    >>> result = GradientDescent(learning_rate=0.5).minimize(bowl, [4.0, -2.0])
    >>> result.success, bool(abs(result.x).max() < 1e-5), result.message
    (True, True, 'gradient descent: the gradient norm is within the tolerance of 1e-05')
    """

    has_explicit_state = True
    _default_budget: ClassVar[BudgetOptions] = {"max_iterations": DEFAULT_MAX_ITERATIONS}

    @explains_unknown_arguments
    def __init__(
        self,
        learning_rate: float = 0.1,
        *,
        momentum: float = 0.0,
        rule: Rule | None = None,
        schedule: Schedule | None = None,
        batch_size: int | None = None,
        seed: int = 0,
        clip_norm: float | None = None,
        tolerance: float = 1e-5,
        **budget: Unpack[BudgetOptions],
    ) -> None:
        super().__init__(**budget)
        self.learning_rate = check_number("learning_rate", learning_rate, above=True)
        if rule is not None:
            check_instance("rule", rule, Rule, "a Rule such as Adam()")
            check_shows_arguments("rule", rule, Rule)
            if momentum != 0:
                raise TypeError(
                    f"momentum: expected without a rule, found {momentum} beside {rule!r}"
                )
        if schedule is not None:
            check_instance("schedule", schedule, Schedule, "a Schedule such as CosineDecay(100)")
            check_shows_arguments("schedule", schedule, Schedule)
        self.rule = rule or Momentum(momentum)
        self.schedule = schedule
        self.batch_size = None if batch_size is None else check_count("batch_size", batch_size)
        self.seed = check_count("seed", seed, 0)
        self.clip_norm = None
        if clip_norm is not None:
            self.clip_norm = check_number("clip_norm", clip_norm, above=True)
        self.tolerance = check_number("tolerance", tolerance)

    @property
    def name(self) -> str:
        return "gradient descent"

    def settings(self) -> dict[str, object]:
        minibatches = () if self.batch_size is None else ("batch_size", "seed")
        names = ("learning_rate", "rule", "schedule", "clip_norm", "tolerance", *minibatches)
        return {name: getattr(self, name) for name in names}

    def _expected_state(self, size: int) -> Expected:
        vector = Floats((size,))
        return Entries({"x": vector, "gradient": vector, "rule": self.rule.expected_state(size)})

    def _search(self, run: Run, x0: Array) -> tuple[Status, str]:
        try:
            return self._descend(run, x0)
        except Stop as stop:
            costs = run.history.cost
            if stop.status not in UNFINISHED or run.iterations == 0 or costs[0] > min(costs[1:]):
                raise
            advice = "and no step lowered the cost: the learning rate may be too large"
            raise Stop(stop.status, f"{stop.reason}, {advice}") from None

    def _descend(self, run: Run, x0: Array) -> tuple[Status, str]:
        if run.resumed is None:
            here = _State(x0, run.evaluate(x0).gradient, self.rule.init(x0.size))
        else:
            here = _State(**run.resumed)
        while math.sqrt(here.gradient.dot(here.gradient)) > self.tolerance:
            x, rule_state = here.x, here.rule
            if self.batch_size is None:
                x, rule_state = self._step(x, here.gradient, rule_state, run.iterations)
            else:
                for part, rows in self._minibatches(run, self.batch_size):
                    gradient = run.minibatch_gradient(x, rows)
                    x, rule_state = self._step(x, gradient, rule_state, run.iterations + part)
            here = _State(x, run.evaluate(x).gradient, rule_state)
            run.end_iteration(x, here.as_state)
        return Status.CONVERGED, f"the gradient norm is within the tolerance of {self.tolerance:g}"

    def _step(
        self, x: Array, gradient: Array, rule_state: State, iterations: float
    ) -> tuple[Array, State]:
        factor = 1.0 if self.schedule is None else factor_of(self.schedule, iterations)
        if self.clip_norm is not None:
            norm = math.sqrt(gradient.dot(gradient))
            if norm > self.clip_norm:
                gradient = gradient * (self.clip_norm / norm)
        with np.errstate(over="ignore", invalid="ignore"):  # the evaluation reports such a step
            rate = self.learning_rate * factor
            step, rule_state = update_of(self.rule, rule_state, gradient, rate)
            return x + step, rule_state

    def _minibatches(self, run: Run, batch_size: int) -> Iterator[tuple[float, Array]]:
        """Yield an epoch's minibatches: the share of the epoch before each, and its rows."""
        rows = run.start_epoch()
        rng = np.random.default_rng([self.seed, run.iterations])  # so that it can be resumed
        start = 0
        for chosen in _in_batches(run.problem.shuffled_rows(rng), batch_size):
            yield start / rows, chosen
            start += len(chosen)

    def _check(self, problem: Problem) -> None:
        if self.batch_size is not None and self.batch_size > problem.rows:
            raise ValueError(
                f"batch_size: expected at most the rows, {problem.rows}, found {self.batch_size}"
            )

    def _progress_total(self) -> tuple[str, int | None]:
        iterations, evaluations = self.budget.max_iterations, self.budget.max_evaluations
        if self.batch_size is None:
            unit = "evaluations"
            limits = [evaluations, None if iterations is None else iterations + 1]
        else:
            unit = "epochs"  # of two evaluations each
            limits = [iterations, None if evaluations is None else (evaluations - 1) // 2]
        return unit, min((limit for limit in limits if limit is not None), default=None)


def _in_batches(parts: Iterator[Array], size: int) -> Iterator[Array]:
    """Yield ``size`` row numbers at a time, at last those that are left."""
    left = np.empty(0, np.intp)
    for part in parts:
        left = np.concatenate([left, part]) if left.size else part
        while len(left) >= size:
            yield left[:size]
            left = left[size:]
    if left.size:
        yield left


@dataclass(frozen=True)
class _State:
    """What the method needs to go on after an iteration."""

    x: Array
    gradient: Array
    rule: State

    def as_state(self) -> State:
        return dict(vars(self))

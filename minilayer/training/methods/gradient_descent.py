"""GradientDescent: steps down the gradient, of all rows or of a few at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import final

import numpy as np

from ...utils.checks import check_count, check_instance, check_number, shown
from ...utils.types import Array, State
from ..run import CostAndGradient, Run
from ..stopping import Status, Stop
from ..trainer import Trainer
from .schedules import Schedule
from .update_rules import Momentum, Rule

UNFINISHED = {Status.MAX_EVALUATIONS, Status.MAX_ITERATIONS, Status.MAX_SECONDS, Status.NON_FINITE}


@final
class GradientDescent(Trainer):
    """x <- x + step, the step made of the gradient by a ``rule``; without one by v <- momentum v - learning_rate g.

    ``schedule`` gives the learning rate's factor for each iteration; gradients longer than ``clip_norm`` are scaled
    down to it (Pascanu, Mikolov and Bengio, 2013). Without ``batch_size`` an iteration is one step, with the gradient
    of all rows, and ends with an evaluation. With it an iteration is an epoch: the rows, shuffled by ``seed`` and the
    epoch's number, are taken that many at a time, a step for each batch, the last one what is left; then cost and
    gradient of all rows are evaluated, for the history, the best point and the tolerance. The batches of an epoch count
    as one evaluation together, being one pass over the data; they are taken from a second copy of it.

    Converged when the 2-norm of the gradient is at most ``tolerance``.

    Raises TypeError or ValueError for arguments out of range, a momentum beside a rule and, when training begins, for
    a batch size and an objective that has no rows, or fewer.

    >>> bowl = lambda x: (x @ x / 2, x)
    >>> result = GradientDescent(learning_rate=0.5).minimize(bowl, [4.0, -2.0])
    >>> result.success, bool(abs(result.x).max() < 1e-5), result.message
    (True, True, 'gradient descent: the gradient norm is within the tolerance of 1e-05')
    """

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
        max_iterations: int | None = 1000,
        max_evaluations: int | None = None,
        max_seconds: float | None = None,
        target_cost: float | None = None,
    ) -> None:
        super().__init__(
            max_evaluations=max_evaluations,
            max_iterations=max_iterations,
            max_seconds=max_seconds,
            target_cost=target_cost,
        )
        self.learning_rate = check_number("learning_rate", learning_rate, above=True)
        if rule is not None:
            check_instance("rule", rule, Rule, "a Rule such as Adam()")
        if rule is not None and momentum != 0:
            raise TypeError(f"momentum: expected without a rule, found {momentum} beside {rule!r}")
        if schedule is not None:
            check_instance("schedule", schedule, Schedule, "a Schedule such as CosineDecay(100)")
        self.rule, self.schedule = rule or Momentum(momentum), schedule
        self.batch_size = None if batch_size is None else check_count("batch_size", batch_size)
        self.seed = check_count("seed", seed, 0)
        self.clip_norm = None if clip_norm is None else check_number("clip_norm", clip_norm, above=True)
        self.tolerance = check_number("tolerance", tolerance)

    shows_state = True

    @property
    def name(self) -> str:
        return "gradient descent"

    def settings(self) -> dict[str, object]:
        batches = () if self.batch_size is None else ("batch_size", "seed")
        names = ("learning_rate", "rule", "schedule", "clip_norm", "tolerance", *batches)
        return {name: getattr(self, name) for name in names}

    def _search(self, run: Run, x0: Array) -> tuple[Status, str]:
        try:
            return self._descend(run, x0)
        except Stop as stop:
            if stop.status not in UNFINISHED or run.iterations == 0 or run.history.cost[0] > min(run.history.cost[1:]):
                raise
            reason = f"{stop.reason}, and no step lowered the cost: the learning rate may be too large"
            raise Stop(stop.status, reason) from None

    def _descend(self, run: Run, x0: Array) -> tuple[Status, str]:
        if run.resumed is None:
            x, state = x0, self.rule.start(x0.size)
            _, gradient = run.evaluate(x)
        else:
            x, gradient = run.resumed["x"], run.resumed["gradient"]
            state = {name.removeprefix("rule "): run.resumed[name] for name in run.resumed if name.startswith("rule ")}
        while math.sqrt(gradient.dot(gradient)) > self.tolerance:
            if self.batch_size is None:
                x, state = self._step(x, gradient, state, run.iterations)
            else:
                for part, rows in self._batches(run):
                    x, state = self._step(x, run.estimate(x, rows), state, run.iterations + part)
            _, gradient = run.evaluate(x)
            run.iterated(x, {"x": x, "gradient": gradient, **{f"rule {name}": state[name] for name in state}})
        return Status.CONVERGED, f"the gradient norm is within the tolerance of {self.tolerance:g}"

    def _step(self, x: Array, gradient: Array, state: State, iterations: float) -> tuple[Array, State]:
        rate = self.learning_rate * (1.0 if self.schedule is None else self.schedule(iterations))
        if self.clip_norm is not None:
            norm = math.sqrt(gradient.dot(gradient))
            gradient = gradient * (self.clip_norm / norm) if norm > self.clip_norm else gradient
        with np.errstate(over="ignore", invalid="ignore"):  # the evaluation tells of a step that went too far
            step, state = self.rule.step(state, gradient, rate)
            return x + step, state

    def _batches(self, run: Run) -> Iterator[tuple[float, Array]]:
        """An epoch's batches: the share of the epoch that lies before each, and its rows."""
        assert self.batch_size is not None
        rows = run.begin_epoch()
        order = np.random.default_rng([self.seed, run.iterations]).permutation(rows)  # so that it can be resumed
        for start in range(0, rows, self.batch_size):
            yield start / rows, order[start : start + self.batch_size]

    def _check(self, objective: CostAndGradient) -> None:
        if self.batch_size is None:
            return
        if not (hasattr(objective, "batch") and hasattr(objective, "rows")):
            raise TypeError(f"batch_size: expected an Objective, which has rows to take, found {shown(objective)}")
        if self.batch_size > objective.rows:
            raise ValueError(f"batch_size: expected at most the rows, {objective.rows}, found {self.batch_size}")

    def _evaluation_limit(self) -> int | None:
        each = 1 if self.batch_size is None else 2
        limits = [self.budget.evaluations, self.budget.iterations and each * self.budget.iterations + 1]
        return min((limit for limit in limits if limit is not None), default=None)

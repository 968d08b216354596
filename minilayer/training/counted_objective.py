"""CountedObjective: the objective as a run sees it: counted, checked, replayed when resumed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from ..utils.checks import check_vector
from ..utils.types import Array
from .history import Evaluation
from .problem import Problem, check_cost_and_gradient
from .resume.replay import Replay
from .stopping import Budget, Status, Stop


class Clock:
    """Seconds since a run began, earlier parts of a resumed run included."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self._began

    def resume_from(self, seconds: float) -> None:
        """Continue from that many seconds; never go back."""
        self._began = min(self._began, time.perf_counter() - seconds)


class CountedObjective:
    """Evaluations under a budget. Each is counted, checked, and answered from the replay if known.

    Attributes
    ----------
    evaluations : int
        Evaluations so far; a Hessian product counts as one, and so does an epoch of minibatches.
    products : int
        Hessian products among them.
    """

    def __init__(
        self, problem: Problem, budget: Budget, clock: Clock, replay: Replay | None
    ) -> None:
        self.evaluations = 0
        self.products = 0
        self._problem = problem
        self._budget = budget
        self._clock = clock
        self._replay = replay

    def evaluate(self, x: Array, *, is_trial: bool = False) -> Evaluation:
        """Return cost and gradient at x as arrays of the run's own.

        If they are not finite, raise Stop. For a trial point, return an infinite cost instead, so
        that the method can go elsewhere; a cost of minus infinity is unbounded.
        """
        self._check_budget()

        def compute() -> tuple[float, Array]:
            return check_cost_and_gradient(self._problem(x), x.size)

        cost, gradient = self.evaluate_or_replay(x, compute)
        self.evaluations += 1
        with np.errstate(over="ignore"):
            norm = math.sqrt(gradient.dot(gradient))  # np.linalg.norm is slow with cold caches
        if not (math.isfinite(cost) and math.isfinite(norm)):
            found = f"evaluation {self.evaluations} gave {_non_finite(cost)}"
            if not is_trial:
                raise Stop(Status.NON_FINITE, found)
            if cost == -math.inf:
                raise Stop(Status.UNBOUNDED, f"{found}: the objective is unbounded below")
            cost = math.inf
        # Copies: a method may change its x in place, and an objective may reuse its gradient.
        return Evaluation(x.copy(), cost, gradient.copy(), norm)

    def hessian_product(self, x: Array, v: Array, gauss_newton: bool) -> Array:
        """Return the product of the Hessian (or the Gauss-Newton matrix) at x with v."""
        self._check_budget()
        options = {"gauss_newton": True} if gauss_newton else {}  # your own may not know it

        def compute() -> tuple[float, Array]:
            product = self._problem.hessp(x, v, **options)
            return 0.0, check_vector("objective's hessp", product, v.size)

        _, product = self.evaluate_or_replay(np.concatenate([x, v]), compute)
        self.evaluations += 1
        self.products += 1
        if not np.isfinite(product).all():
            reason = f"evaluation {self.evaluations} gave a product that is not finite"
            raise Stop(Status.NON_FINITE, reason)
        return product

    def start_epoch(self) -> None:
        """Count a pass over all rows in minibatches; an evaluation of all rows is to follow."""
        self._check_budget(evaluations=2)
        self.evaluations += 1

    def minibatch_gradient(self, x: Array, rows: Array, after_iteration: int) -> Array:
        """Return the gradient at x estimated from some rows."""
        self._budget.check_seconds(self.evaluations, self._clock.seconds)
        estimate = self._problem.minibatch(x, rows)
        cost, gradient = check_cost_and_gradient(estimate, x.size)
        if not (math.isfinite(cost) and np.isfinite(gradient).all()):
            found = _non_finite(cost)
            reason = f"a batch of the epoch after iteration {after_iteration} gave {found}"
            raise Stop(Status.NON_FINITE, reason)
        return gradient

    def evaluate_or_replay(
        self, x: Array, compute: Callable[[], tuple[float, Array]]
    ) -> tuple[float, Array]:
        """Return what an earlier part of the run found at x, or else compute it and record it."""
        if self._replay is None:
            return compute()
        known = self._replay.next(x)
        if known is not None:
            cost, gradient, seconds = known
            self._clock.resume_from(seconds)
            return cost, gradient
        cost, gradient = compute()
        self._replay.record(x, cost, gradient, self._clock.seconds)
        return cost, gradient

    def _check_budget(self, evaluations: int = 1) -> None:
        self._budget.check_evaluations(self.evaluations, evaluations)
        self._budget.check_seconds(self.evaluations, self._clock.seconds)


def _non_finite(cost: float) -> str:
    """Return what is not finite, in words."""
    return "a gradient that is not finite" if math.isfinite(cost) else f"cost {cost}"

"""LBFGS: the limited-memory quasi-Newton method, with a preconditioner that knows layers."""

from __future__ import annotations

import math
from typing import final

from ...utils.checks import check_count, check_number, shown
from ...utils.types import Array
from ..run import Run
from ..stopping import Status
from ..trainer import Trainer
from .inverse_hessian import Secants
from .line_search import line_search

REMEMBERED, FEWEST, MOST = 200_000, 20, 50
PATIENCE = 10
ROUNDING = 1e-6


@final
class LBFGS(Trainer):
    """Quasi-Newton steps along x - H gradient, H from the last ``memory`` steps (Nocedal, 1980; Liu, Nocedal, 1989).
    By default (None) these are 50, and down to 20 for more than 4000 parameters, where each takes more time.

    What is not known from the steps comes, with ``precondition``, from the objective: its ``preconditioner()``, if it
    has one, as Objective does, is made at the start and refreshed before iterations 1, 2, 3, 5, 9, 17, ..., ever less
    often, as the layers' inputs settle. On the exercise's network this halves the evaluations that L-BFGS takes. By
    default (None) it is done where the objective has a penalty, ``l2`` > 0. Without one many minima fit the training
    rows alike, and those that whitened inputs lead to may do worse on others (Wadia et al., Whitening and second order
    optimization both make information in the dataset unusable during training, and can reduce or prevent
    generalization, 2021). How long steps are is for a line search to find (strong Wolfe conditions), nearly always
    with one evaluation.

    Converged when the 2-norm of the gradient is at most ``tolerance``, when ten iterations together lowered the cost by
    no more than ``cost_tolerance`` times its size, or when the line search finds no end and the slope promises no cost
    that is lower by more than a millionth. It failed when the slope promised one: derivatives may be wrong.

    Raises TypeError or ValueError for arguments out of range.

    >>> bowl = lambda x: (x @ x / 2, x)
    >>> result = LBFGS().minimize(bowl, [4.0, -2.0])
    >>> result.success, bool(abs(result.x).max() < 1e-5), result.message
    (True, True, 'L-BFGS: the gradient norm is within the tolerance of 1e-05')
    """

    def __init__(
        self,
        *,
        memory: int | None = None,
        precondition: bool | None = None,
        tolerance: float = 1e-5,
        cost_tolerance: float = 1e-9,
        max_evaluations: int | None = None,
        max_iterations: int | None = None,
        max_seconds: float | None = None,
        target_cost: float | None = None,
    ) -> None:
        super().__init__(
            max_evaluations=max_evaluations,
            max_iterations=max_iterations,
            max_seconds=max_seconds,
            target_cost=target_cost,
        )
        self.memory = None if memory is None else check_count("memory", memory)
        if precondition is not None and not isinstance(precondition, bool):
            raise TypeError(f"precondition: expected True, False or None, found {shown(precondition)}")
        self.precondition = precondition
        self.tolerance = check_number("tolerance", tolerance)
        self.cost_tolerance = check_number("cost_tolerance", cost_tolerance)

    @property
    def name(self) -> str:
        return "L-BFGS"

    def settings(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in ("memory", "precondition", "tolerance", "cost_tolerance")}

    def _search(self, run: Run, x0: Array) -> tuple[Status, str]:
        def evaluate(x: Array) -> tuple[float, Array]:
            cost, gradient = run.evaluate(x)
            return cost, gradient.copy()  # an objective may answer in one array, again and again

        x, (cost, gradient) = x0, evaluate(x0)
        memory = self.memory or min(MOST, max(FEWEST, REMEMBERED // x.size))
        secants, costs = Secants(memory, x.size), [cost]
        use = run.has_penalty if self.precondition is None else self.precondition
        preconditioner = run.preconditioner() if use else None
        while math.sqrt(gradient @ gradient) > self.tolerance:
            if preconditioner is not None and run.iterations & (run.iterations - 1) == 0:
                preconditioner.refresh(x)
            direction = -secants.apply(gradient, preconditioner)
            slope = float(gradient @ direction)
            if not secants and slope < -1:  # along a line the cost would fall by more than 1 then: begin with less
                direction, slope = direction / math.sqrt(-slope), -math.sqrt(-slope)
            found = line_search(evaluate, x, cost, gradient, direction) if slope < 0 else None
            if (found is None or not found.is_flat) and 0 < -slope <= ROUNDING * abs(cost):
                return Status.CONVERGED, "no lower cost can be told from this one"
            if found is None and not secants:
                return Status.FAILED, "no lower cost down the gradient: check_gradient tells if it is wrong"
            if found is None:
                secants.clear()  # they may mislead: once more without them
                continue
            secants.add(found.x - x, found.gradient - gradient)
            x, cost, gradient = found.x, found.cost, found.gradient
            run.iterated(x)
            costs.append(cost)
            if len(costs) > PATIENCE and costs[-1 - PATIENCE] - cost <= self.cost_tolerance * abs(cost):
                share = f"{self.cost_tolerance:g} of itself"
                return Status.CONVERGED, f"{PATIENCE} iterations lowered the cost by no more than {share}"
        return Status.CONVERGED, f"the gradient norm is within the tolerance of {self.tolerance:g}"

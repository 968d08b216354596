"""Names of solvers, and the trainers that they stand for."""

from __future__ import annotations

import math
from typing import Any

from ..training import Trainer
from ..training.methods import LBFGS, ScipyTrainer
from ..training.methods.scipy_methods import METHODS

EPOCH_SOLVERS = ("adam", "sgd")
SCIPY_METHODS = {method.name: method for method in METHODS}
SOLVERS = ("lbfgs", *EPOCH_SOLVERS, *SCIPY_METHODS)
TOLERANCES = ("gtol", "xtol", "ftol")
"""SciPy's options that ``tol`` may stand for; a method takes the first that it has."""


def trainer_of(
    solver: str | Trainer, *, tolerance: float, max_iterations: int, max_evaluations: int
) -> Trainer:
    """Return the trainer that a solver stands for; a Trainer keeps its own tolerance and budget."""
    if isinstance(solver, Trainer):
        return solver
    if solver == "lbfgs":
        return LBFGS(
            tolerance=tolerance,
            norm=math.inf,
            precondition=False,
            max_iterations=max_iterations,
            max_evaluations=max_evaluations,
        )
    known = SCIPY_METHODS[solver].options
    option = next(name for name in TOLERANCES if name in known)
    options: dict[str, Any] = {option: tolerance}
    return ScipyTrainer(
        solver, max_iterations=max_iterations, max_evaluations=max_evaluations, **options
    )

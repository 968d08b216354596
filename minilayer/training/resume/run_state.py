"""RunState: all that a checkpoint stores of a run, so that it can go on after a whole iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from ...utils.types import Array, State
from ..history import Evaluation, History

WHOLE_NUMBERS = ("iteration", "evaluations")
"""The columns of a History that hold integers."""


def evaluation_state(evaluation: Evaluation) -> State:
    """Return an evaluation as numbers and arrays by name."""
    return {"x": evaluation.x, "cost": evaluation.cost, "gradient": evaluation.gradient}


def evaluation_of(state: State) -> Evaluation:
    """Return the evaluation of such a state."""
    gradient: Array = state["gradient"]
    norm = float(np.linalg.norm(gradient))
    return Evaluation(state["x"], state["cost"], gradient, norm)


@dataclass(frozen=True, kw_only=True)
class RunState:
    """A run after a whole iteration.

    ``validation`` is the validation monitor's own state, ``method`` the method's.
    """

    iterations: int
    evaluations: int
    products: int
    best: Evaluation
    history: History
    validation: State
    method: State

    def as_state(self) -> State:
        """Return nested numbers and arrays by name; the history up to this iteration."""
        rows = self.iterations + 1  # the start has one too
        columns = {
            name: np.array(column[:rows], np.float64)
            for name, column in self.history.columns().items()
            if column
        }
        return {
            "iterations": self.iterations,
            "evaluations": self.evaluations,
            "products": self.products,
            "best": evaluation_state(self.best),
            "history": columns,
            "validation": self.validation,
            "method": self.method,
        }

    @classmethod
    def of(cls, state: State) -> Self:
        """Return the RunState of ``as_state()``."""
        columns: dict[str, list[float]] = {}
        for name, column in state["history"].items():
            kind = int if name in WHOLE_NUMBERS else float
            columns[name] = [kind(value) for value in column]
        return cls(
            iterations=state["iterations"],
            evaluations=state["evaluations"],
            products=state["products"],
            best=evaluation_of(state["best"]),
            history=History(**columns),  # type: ignore[arg-type]  # of kinds chosen above
            validation=state["validation"],
            method=state["method"],
        )

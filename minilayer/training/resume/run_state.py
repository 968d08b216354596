"""RunState: all that a checkpoint stores of a run, so that it can go on after a whole iteration."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self, final

import numpy as np

from ...utils.types import Array, State
from ..history import Evaluation, History
from .state_check import Count, Entries, Expected, Floats, Number, Numbered, StateError

WHOLE_NUMBERS = ("iteration", "evaluations")
"""The columns of a History that hold integers."""


def evaluation_state(evaluation: Evaluation) -> State:
    """Return an evaluation as numbers and arrays by name."""
    return {"x": evaluation.x, "cost": evaluation.cost, "gradient": evaluation.gradient}


def expected_evaluation(size: int) -> Entries:
    """Return what an evaluation's state must hold."""
    vector = Floats((size,))
    return Entries({"x": vector, "cost": Number(), "gradient": vector})


def evaluation_of(state: State) -> Evaluation:
    """Return the evaluation of such a state."""
    gradient: Array = state["gradient"]
    norm = float(np.linalg.norm(gradient))
    return Evaluation(state["x"], state["cost"], gradient, norm)


@final
@dataclass(frozen=True, kw_only=True)
class ExpectedRun:
    """What a run's state in a checkpoint must hold.

    Attributes
    ----------
    size : int
        Number of parameters.
    validation, method : Expected
        The parts of the validation monitor and of the method.
    validation_columns : tuple of str
        The columns that the monitor adds to the history.
    """

    size: int
    validation: Expected
    method: Expected
    validation_columns: tuple[str, ...]

    def checked(self, value: object, place: str) -> State:
        evaluation = expected_evaluation(self.size)
        run = Entries(
            {
                "x0": Floats((self.size,)),
                "iterations": Count(),
                "evaluations": Count(),
                "products": Count(),
                "best": evaluation,
                "history": self._history(),
                "validation": self.validation,
                "method": self.method,
                "unfinished": Numbered(self._unfinished()),
                "all_evaluations": Count(),
                "seconds": Number(0),
                "left": evaluation,
            }
        )
        checked = run.checked(value, place)
        rows = len(checked["history"]["iteration"])
        expected_rows = checked["iterations"] + 1  # the start has one too
        if rows != expected_rows:
            raise StateError("history", f"{expected_rows} rows as of iterations", f"{rows}")
        return checked

    def _history(self) -> Entries:
        columns = {name: Floats((None,)) for name in ("cost", "gradient_norm", "seconds")}
        counts = {name: Floats((None,), is_count=True) for name in WHOLE_NUMBERS}
        measured = {name: Floats((None,), is_finite=False) for name in self.validation_columns}
        return Entries({**counts, **columns, **measured}, have_equal_lengths=True)

    def _unfinished(self) -> Entries:
        return Entries(
            {
                "x": Floats((None,), is_finite=False),  # and v after it for a Hessian product
                "cost": Number(-math.inf, math.inf, allows_nan=True),
                "gradient": Floats((self.size,), is_finite=False),
                "seconds": Number(0),
            }
        )


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

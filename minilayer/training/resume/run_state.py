"""Where a run stands: a point, and all that a checkpoint holds to go on after a whole iteration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...utils.types import Array, State
from ..history import WHOLE_NUMBERS, History


@dataclass(frozen=True)
class Point:
    """An evaluation: where, and what it gave."""

    x: Array
    cost: float
    gradient: Array
    gradient_norm: float

    def state(self, name: str) -> State:
        """As plain numbers and arrays, under names that begin with this one."""
        return {f"{name} cost": self.cost, f"{name} x": self.x, f"{name} gradient": self.gradient}

    @classmethod
    def of(cls, state: State, name: str) -> Point:
        """Back from ``state(name)``."""
        gradient = state[f"{name} gradient"]
        return cls(state[f"{name} x"], state[f"{name} cost"], gradient, float(np.linalg.norm(gradient)))


@dataclass(frozen=True)
class Standing:
    """A run after a whole iteration: what it takes to go on."""

    iterations: int
    evaluations: int
    seconds: float
    best: Point
    history: History
    watch: State
    own: State

    def state(self) -> State:
        """As plain numbers and arrays; the history up to this iteration."""
        rows = self.iterations + 1  # the start has one too
        columns = {
            f"history {name}": np.array(column[:rows], np.float64)
            for name, column in vars(self.history).items()
            if column
        }
        return {
            "iterations": self.iterations,
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            **self.best.state("best"),
            **columns,
            **{f"watch {name}": value for name, value in self.watch.items()},
            **{f"own {name}": value for name, value in self.own.items()},
        }

    @classmethod
    def of(cls, state: State) -> Standing:
        """Back from ``state()``."""
        history = History()
        for name, column in vars(history).items():
            kind = int if name in WHOLE_NUMBERS else float
            column += [kind(value) for value in state.get(f"history {name}", ())]
        parts = {
            part: {name.removeprefix(part): value for name, value in state.items() if name.startswith(part)}
            for part in ("watch ", "own ")
        }
        numbers = state["iterations"], state["evaluations"], state["seconds"]
        return cls(*numbers, Point.of(state, "best"), history, parts["watch "], parts["own "])

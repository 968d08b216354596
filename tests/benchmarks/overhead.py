"""What the trainers' comforts cost: copies, checks, history, callback and progress bar, in percent of an evaluation.

    python -m tests.benchmarks.overhead

The exercise's network is trained with a callback and a progress bar (that nobody reads). Clocks around what the method
calls, ``Run.evaluate`` and ``Run.end_iteration``, and around the objective give the time that is spent between the two. (The
difference of two runs, with and without comforts, is smaller than what two runs differ by.)
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from statistics import median
from typing import Any
from unittest.mock import patch

from minilayer import (
    LBFGS,
    BinaryCrossEntropy,
    Dense,
    GradientDescent,
    Iteration,
    Objective,
    ScipyTrainer,
    Sequential,
    Sigmoid,
    Trainer,
    load_ex4,
)
from minilayer.training.run import Run

from .machine import machine_line
from .problem import EX4_DATA

ROUNDS = 7
TRAINERS: tuple[Trainer, ...] = (
    LBFGS(max_evaluations=100),
    ScipyTrainer(max_evaluations=100),
    ScipyTrainer("CG", max_evaluations=100),
    ScipyTrainer("TNC", max_evaluations=100),
    ScipyTrainer("Newton-CG", max_evaluations=100),
    GradientDescent(1.0, max_evaluations=100),
)


class Clock:
    """Seconds spent in the functions that it is put around."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        def timed(*arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def look(iteration: Iteration) -> None:
    """A callback that does next to nothing."""
    _ = iteration.cost


def main() -> None:
    """Measure and print."""
    X, labels = load_ex4(EX4_DATA)
    model = Sequential([Dense(400, 25), Sigmoid(), Dense(25, 10), Sigmoid()], seed=0)
    objective = Objective(model, X, labels, BinaryCrossEntropy(), l2=1.0)
    start = objective.x0
    print(f"{machine_line()}\n")
    for trainer in TRAINERS:
        outer_seconds, inner_seconds, evaluations = [], [], 1
        for _ in range(ROUNDS):
            outer, inner = Clock(), Clock()
            with (
                redirect_stderr(io.StringIO()),
                patch.object(Run, "evaluate", outer.around(Run.evaluate)),
                patch.object(Run, "product", outer.around(Run.product)),
                patch.object(Run, "end_iteration", outer.around(Run.end_iteration)),
                patch.object(Objective, "__call__", inner.around(Objective.__call__)),
                patch.object(Objective, "hessp", inner.around(Objective.hessp)),
            ):
                result = trainer.minimize(objective, start, callback=look, progress=True)
            evaluations = result.nfev + result.nhev
            outer_seconds.append(outer.seconds)
            inner_seconds.append(inner.seconds)
        spent = (
            median(a - b for a, b in zip(outer_seconds, inner_seconds, strict=True)) / evaluations
        )
        evaluation = median(inner_seconds) / evaluations
        print(
            f"{trainer.name:16} {1e3 * evaluation:5.2f} ms an evaluation, {1e6 * spent:4.0f} us between it and the "
            f"method: {spent / evaluation:.1%}"
        )


if __name__ == "__main__":
    main()

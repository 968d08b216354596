"""The overhead of the trainers, in percent of an evaluation.

    python -m tests.benchmarks.overhead

The overhead is what a run does between the optimizer and the objective: copies, checks, history,
callback and progress bar. The exercise's network is trained with a callback and with a bar that is
written to memory. One clock runs in what the optimizer calls (``Run.evaluate``,
``Run.hessian_product`` and ``Run.end_iteration``), another in the objective. The overhead is their
difference. Two whole runs differ from each other by more than that.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from statistics import median
from typing import Any
from unittest.mock import patch

import minilayer as ml
from minilayer.training.run import Run

from .case import EX4_DATA, EX4_SHAPE, Array
from .frameworks.with_minilayer import make_objective
from .machine import machine_line

ROUNDS = 7
EVALUATIONS = 100
TRAINERS: tuple[ml.Trainer, ...] = (
    ml.LBFGS(max_evaluations=EVALUATIONS),
    ml.ScipyTrainer(max_evaluations=EVALUATIONS),
    ml.ScipyTrainer("CG", max_evaluations=EVALUATIONS),
    ml.ScipyTrainer("TNC", max_evaluations=EVALUATIONS),
    ml.ScipyTrainer("Newton-CG", max_evaluations=EVALUATIONS),
    ml.GradientDescent(1.0, max_evaluations=EVALUATIONS),
)


class Clock:
    """Seconds spent in the functions that it surrounds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed."""

        def timed(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds += time.perf_counter() - start

        return timed


def measure(
    trainer: ml.Trainer, objective: ml.Objective, start: Array, rounds: int = ROUNDS
) -> tuple[float, float]:
    """Measure a trainer.

    Parameters
    ----------
    trainer : Trainer
        The trainer.
    objective : Objective
        What to minimize.
    start : ndarray
        Where each run starts.
    rounds : int, default 7
        Number of runs.

    Returns
    -------
    evaluation_seconds : float
        Seconds of one evaluation by the objective, the median over runs.
    overhead_seconds : float
        Seconds between the optimizer and one evaluation, the median over runs.
    """
    evaluation_seconds = []
    overhead_seconds = []
    for _ in range(rounds):
        outer = Clock()
        inner = Clock()
        with (
            redirect_stderr(io.StringIO()),
            patch.object(Run, "evaluate", outer.around(Run.evaluate)),
            patch.object(Run, "hessian_product", outer.around(Run.hessian_product)),
            patch.object(Run, "end_iteration", outer.around(Run.end_iteration)),
            patch.object(ml.Objective, "__call__", inner.around(ml.Objective.__call__)),
            patch.object(ml.Objective, "hessp", inner.around(ml.Objective.hessp)),
        ):
            result = trainer.minimize(objective, start, callback=read_cost, progress=True)
        evaluations = result.nfev + result.nhev
        evaluation_seconds.append(inner.seconds / evaluations)
        overhead_seconds.append((outer.seconds - inner.seconds) / evaluations)
    return median(evaluation_seconds), median(overhead_seconds)


def read_cost(iteration: ml.Iteration) -> None:
    """Do next to nothing, as a callback."""
    _ = iteration.cost


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line a trainer."""
    options = _parser().parse_args(arguments)
    X, labels = ml.load_ex4(EX4_DATA)
    objective = make_objective(EX4_SHAPE, X, labels)
    start = objective.x0
    print(f"{machine_line()}\n")
    print(f"{'trainer':<18}{'evaluation, ms':>16}{'overhead, us':>14}{'overhead':>11}")
    for trainer in TRAINERS:
        evaluation, overhead = measure(trainer, objective, start, options.rounds)
        figures = f"{1e3 * evaluation:>16.2f}{1e6 * overhead:>14.0f}{overhead / evaluation:>11.1%}"
        print(f"{trainer.name:<18}{figures}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.overhead", description="The overhead of the trainers."
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    return parser


if __name__ == "__main__":
    main()

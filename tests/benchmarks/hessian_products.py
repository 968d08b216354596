"""The cost of a product with the Hessian, in units of one evaluation of cost and gradient.

    python -m tests.benchmarks.hessian_products

Evaluations and products take turns in one process. Each product is at the x of the product before,
as optimizers ask for them, so that it reuses the forward pass. Ratios are medians over turns of the
turns' own ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np

import minilayer as ml

from .case import DTYPES, SHAPES, Array, Shape
from .frameworks.with_minilayer import make_objective
from .machine import machine_line

TURNS = 25
DEFAULT_SHAPES = SHAPES[:-1]
"""The last shape takes a second a turn and behaves like the one before."""


def measure(objective: ml.Objective, turns: int = TURNS) -> tuple[float, float, float]:
    """Measure an objective.

    Parameters
    ----------
    objective : Objective
        What to evaluate.
    turns : int, default 25
        Number of turns.

    Returns
    -------
    evaluation_seconds : float
        Seconds of one cost and gradient.
    hessian_ratio : float
        Time of a product with the Hessian in units of that.
    gauss_newton_ratio : float
        Time of a product with the Gauss-Newton matrix in units of that.
    """
    x = objective.x0
    v = np.random.default_rng(0).standard_normal(x.size)
    seconds = np.array([_take_turn(objective, x, v) for _ in range(turns)])
    ratios = np.median(seconds / seconds[:, :1], axis=0)
    return median(seconds[:, 0]), float(ratios[1]), float(ratios[2])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line a shape and precision."""
    options = _parser().parse_args(arguments)
    print(f"{machine_line()}\n")
    columns = f"{'evaluation, ms':>16}{'Hessian product':>18}{'Gauss-Newton product':>23}"
    print(f"{'(rows, inputs, hidden, outputs)':<34}{columns}")
    rng = np.random.default_rng(0)
    for shape in options.shape or DEFAULT_SHAPES:
        X = rng.standard_normal((shape.rows, shape.inputs))
        labels = rng.integers(0, max(2, shape.outputs), shape.rows)
        for dtype in DTYPES:
            seconds, *ratios = measure(make_objective(shape, X, labels, dtype), options.turns)
            print(f"{shape!s:<24}{dtype:<10}{1e3 * seconds:>16.2f}", end="")
            print(f"{ratios[0]:>18.2f}{ratios[1]:>23.2f}", flush=True)


def _take_turn(objective: ml.Objective, x: Array, v: Array) -> list[float]:
    """Return the seconds of an evaluation, a Hessian product and a Gauss-Newton product."""
    works: list[Callable[[], object]] = [
        lambda: objective(x),
        lambda: objective.hessp(x, v),
        lambda: objective.hessp(x, v, gauss_newton=True),
    ]
    seconds = []
    for work in works:
        work()
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.hessian_products",
        description="The cost of a product with the Hessian.",
    )
    parser.add_argument(
        "--shape",
        type=Shape.parse,
        action="append",
        help="rows,inputs,hidden,outputs; can be repeated",
    )
    parser.add_argument("--turns", type=int, default=TURNS, help=f"default {TURNS}")
    return parser


if __name__ == "__main__":
    main()

"""What a product with the Hessian costs, in units of an evaluation of cost and gradient.

    python -m tests.benchmarks.curvature

Both are taken in turns, in one process, products at the x of the product before, as methods ask for them; ratios are
medians of the turns' own ratios.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from minilayer import BinaryCrossEntropy, Dense, Objective, Sequential, Sigmoid

from .evaluation import DTYPES, SHAPES
from .machine import machine_line

TURNS = 25


def main() -> None:
    """Measure and print."""
    print(f"{machine_line()}\n")
    print(
        "(rows, inputs, hidden, outputs)    evaluation, ms   Hessian product   Gauss-Newton product"
    )
    for shape in SHAPES[:-1]:  # the last takes a second a turn, and is much like the one before
        rng = np.random.default_rng(0)
        X, labels = (
            rng.standard_normal((shape.rows, shape.inputs)),
            rng.integers(0, shape.outputs, shape.rows),
        )
        for dtype in DTYPES:
            layers = [
                Dense(shape.inputs, shape.hidden),
                Sigmoid(),
                Dense(shape.hidden, shape.outputs),
                Sigmoid(),
            ]
            objective = Objective(
                Sequential(layers, seed=0), X, labels, BinaryCrossEntropy(), l2=1.0, dtype=dtype
            )
            x, v = objective.x0, rng.standard_normal(objective.x0.size)
            turns = [_turn(objective, x, v) for _ in range(TURNS)]
            evaluation = median(turn[0] for turn in turns)
            exact, gauss_newton = (median(turn[k] / turn[0] for turn in turns) for k in (1, 2))
            print(
                f"{shape!s:24} {dtype} {1e3 * evaluation:16.2f} {exact:17.2f} {gauss_newton:22.2f}",
                flush=True,
            )


def _turn(objective: Objective, x: np.ndarray, v: np.ndarray) -> list[float]:
    works: list[Callable[[], object]] = [
        lambda: objective(x),
        lambda: objective.hessp(x, v),
        lambda: objective.hessp(x, v, gauss_newton=True),
    ]
    seconds = []
    for work in works:
        work()
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()

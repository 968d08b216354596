"""Bare BLAS: only the matrix products that the network cannot avoid, as fast as NumPy can.

The products are X W1' and A W2' forward, D2' A, D2 W2 and D1' X backward. There is no bias, no
sigmoid, no loss and no sum over shards. Nothing is allocated, and products overwrite each other's
work arrays. Preparation looks for the fastest of about twenty arrangements: rows or columns
contiguous; BLAS's own threads, or one Python thread a CPU; all rows at once, or shards that fit a
cache.

This is no network but a lower bound for everything that uses this BLAS. With the exponential of
each pre-activation it is a lower bound for everything that computes with NumPy. by_hand.py adds the
rest of cost and gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product
from typing import Literal, NamedTuple, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from ..case import Array, Case, CostAndNorm
from ..machine import usable_cpus
from ..turns import median_seconds

Order = Literal["C", "F"]

ROWS_PER_SHARD = (None, 625, 1250, 2500, 10_000)
"""Shard sizes to try; None: all rows of a thread at once."""
TRIAL_SECONDS = 0.15
SCREENING_BYTES = 1 << 26
"""How much of X all arrangements are tried on; the best few are then tried on all of it."""
FINALISTS = 4
FINAL_TURNS = 5


class Arrangement(NamedTuple):
    """One way to arrange the products."""

    order: Order
    has_python_threads: bool
    rows_per_shard: int | None

    def shards(self, rows: int) -> int:
        """Return the number of shards for the rows of a thread."""
        if self.rows_per_shard is None:
            return 1
        return max(1, round(rows / self.rows_per_shard))

    def __str__(self) -> str:
        threads = "Python threads" if self.has_python_threads else "BLAS threads"
        rows = self.rows_per_shard
        shards = "all rows" if rows is None else f"{rows} rows a shard"
        return f"{self.order} order, {threads}, {shards}"


class ThreadTask(Protocol):
    """One thread's part of an evaluation."""

    def run(self) -> None:
        """Compute it."""


class BareBlas:
    """The fastest arrangement of the products."""

    def __init__(self, case: Case) -> None:
        X, self._targets = case.data()
        self._case = case
        orders: tuple[Order, ...] = ("C", "F")
        sizes = [size for size in ROWS_PER_SHARD if size is None or size < len(X)]
        arrangements = [Arrangement(*choice) for choice in product(orders, (False, True), sizes)]
        some = X[: SCREENING_BYTES // X[0].nbytes]
        arrangements.sort(key=lambda arrangement: self._trial(arrangement, some))
        finalists = arrangements[:FINALISTS]
        turns = [[self._trial(finalist, X) for finalist in finalists] for _ in range(FINAL_TURNS)]
        best = finalists[int(np.argmin(np.median(turns, axis=0)))]
        self.evaluate = self._prepare(best, X)
        self.note = str(best)

    def cost_and_norm(self) -> CostAndNorm | None:
        """Return None: no cost is computed."""
        return None

    @staticmethod
    def _make_task(X: Array, Y: Array, case: Case, arrangement: Arrangement) -> ThreadTask:
        return Products(X, case, arrangement)

    def _trial(self, arrangement: Arrangement, X: Array) -> float:
        return median_seconds(self._prepare(arrangement, X), TRIAL_SECONDS)

    def _prepare(self, arrangement: Arrangement, X: Array) -> Callable[[], None]:
        """Return the evaluation of the first rows, which are X."""
        threads = usable_cpus() if arrangement.has_python_threads else 1
        threadpool_limits(usable_cpus() if threads == 1 else 1)
        parts = zip(cut(X, threads), cut(self._targets[: len(X)], threads), strict=True)
        tasks = [self._make_task(*part, self._case, arrangement) for part in parts]
        self._tasks = tasks
        if threads == 1:
            return tasks[0].run
        pool = ThreadPoolExecutor(threads - 1)

        def evaluate() -> None:
            others = [pool.submit(task.run) for task in tasks[1:]]
            tasks[0].run()
            for other in others:
                other.result()

        return evaluate


class BlasAndExponentials(BareBlas):
    """The same with the exponentials of all pre-activations."""

    @staticmethod
    def _make_task(X: Array, Y: Array, case: Case, arrangement: Arrangement) -> ThreadTask:
        return Products(X, case, arrangement, has_exponentials=True)


class Products:
    """The products of one thread's rows.

    Parameters
    ----------
    X : ndarray, shape (rows, inputs)
        The rows.
    case : Case
        Sizes and precision.
    arrangement : Arrangement
        Memory order and shards.
    has_exponentials : bool, default False
        Whether the exponentials of the pre-activations are computed, too.
    """

    def __init__(
        self, X: Array, case: Case, arrangement: Arrangement, has_exponentials: bool = False
    ) -> None:
        shape = case.shape
        self._weight1, self._weight2 = (
            np.ascontiguousarray(theta[:, 1:]) for theta in case.weights()
        )
        self._gradient1 = np.empty_like(self._weight1)
        self._gradient2 = np.empty_like(self._weight2)
        self._order: Order = arrangement.order
        self._shards = [
            np.array(part, order=self._order) for part in cut(X, arrangement.shards(len(X)))
        ]
        most_rows = max(len(part) for part in self._shards)
        self._widths = (shape.hidden, shape.hidden, shape.outputs)
        self._buffers = [np.empty(most_rows * width, X.dtype) for width in self._widths]
        self._has_exponentials = has_exponentials

    def run(self) -> None:
        for X in self._shards:
            hidden, delta1, output = self._views(len(X))
            np.matmul(X, self._weight1.T, out=hidden)
            if self._has_exponentials:
                np.exp(hidden, out=delta1)
            np.matmul(hidden, self._weight2.T, out=output)
            if self._has_exponentials:
                np.exp(output, out=output)
            np.matmul(output.T, hidden, out=self._gradient2)
            np.matmul(output, self._weight2, out=delta1)
            np.matmul(delta1.T, X, out=self._gradient1)

    def _views(self, rows: int) -> Iterator[Array]:
        for buffer, width in zip(self._buffers, self._widths, strict=True):
            yield buffer[: rows * width].reshape((rows, width), order=self._order)


def cut(rows: Array, count: int) -> list[Array]:
    """Return consecutive rows in pieces of nearly equal size."""
    edges = [len(rows) * piece // count for piece in range(count + 1)]
    return [rows[start:stop] for start, stop in pairwise(edges)]

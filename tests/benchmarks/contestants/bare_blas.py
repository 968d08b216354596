"""Bare BLAS: only the matrix products that the network cannot avoid, as fast as NumPy's BLAS computes them.

Forward X W1' and A W2', backward D2' A, D2 W2 and D1' X: no bias, no sigmoid, no loss, no sum over shards. Nothing is
allocated, products run in place of each other's work arrays, and the fastest of several ways is looked for at
preparation: rows or columns contiguous; BLAS's own threads, or one Python thread a CPU with one BLAS thread each; all
rows at once or shards that fit a cache. A floor for anything that uses this BLAS, not a network. With the exponentials
of all pre-activations besides, it is a floor for anything that computes with NumPy. by_hand.py goes on from here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product
from statistics import median
from typing import Literal, NamedTuple, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from ..machine import usable_cpus
from ..problem import Answer, Array, Problem, Weights

Order = Literal["C", "F"]

SHARD_ROWS = (None, 625, 1250, 2500, 10_000)
"""Shard sizes that are tried; None: all the rows of a thread at once."""
TRIAL_SECONDS = 0.15
SCREENING_BYTES = 1 << 26
"""How much of X all ways are tried on; the best few are then tried on all of it."""
FINALISTS, FINAL_TURNS = 4, 5


class Way(NamedTuple):
    """One way to arrange the products."""

    order: Order
    python_threads: bool
    shard_rows: int | None

    def pieces(self, rows: int) -> int:
        """How many shards a thread's rows are cut into."""
        return 1 if self.shard_rows is None else max(1, round(rows / self.shard_rows))

    def __str__(self) -> str:
        threads = "Python threads" if self.python_threads else "BLAS threads"
        shards = "all rows" if self.shard_rows is None else f"{self.shard_rows} rows a shard"
        return f"{self.order} order, {threads}, {shards}"


class BareBlas:
    """The fastest way found."""

    def __init__(self, problem: Problem) -> None:
        X, self._targets = problem.data()
        self._problem = problem
        sizes = [size for size in SHARD_ROWS if size is None or size < len(X)]
        orders: tuple[Order, ...] = ("C", "F")
        ways = [Way(*choice) for choice in product(orders, (False, True), sizes)]
        some = X[: SCREENING_BYTES // X[0].nbytes]
        finalists = sorted(ways, key=lambda way: self._trial(way, some))[:FINALISTS]
        turns = [[self._trial(way, X) for way in finalists] for _ in range(FINAL_TURNS)]
        best = finalists[int(np.argmin(np.median(turns, axis=0)))]
        self.evaluate = self._prepare(best, X)
        self.note = str(best)

    def answer(self) -> Answer | None:
        """There is none: no cost is computed."""
        return None

    @staticmethod
    def _hand(X: Array, Y: Array, problem: Problem, way: Way) -> Hand:
        return Products(X, Y, problem, way)

    def _trial(self, way: Way, X: Array) -> float:
        evaluate = self._prepare(way, X)
        evaluate()
        times: list[float] = []
        began = time.perf_counter()
        while not times or time.perf_counter() - began < TRIAL_SECONDS:
            start = time.perf_counter()
            evaluate()
            times.append(time.perf_counter() - start)
        return median(times)

    def _prepare(self, way: Way, X: Array) -> Callable[[], None]:
        threads = usable_cpus() if way.python_threads else 1
        threadpool_limits(1 if way.python_threads else usable_cpus())
        rows = zip(cut(X, threads), cut(self._targets[: len(X)], threads), strict=True)
        self._hands = hands = [self._hand(*part, self._problem, way) for part in rows]
        if threads == 1:
            return hands[0].work
        pool = ThreadPoolExecutor(threads - 1)

        def evaluate() -> None:
            others = [pool.submit(hand.work) for hand in hands[1:]]
            hands[0].work()
            for other in others:
                other.result()

        return evaluate


class BlasAndExponentials(BareBlas):
    """The same with the exponentials."""

    @staticmethod
    def _hand(X: Array, Y: Array, problem: Problem, way: Way) -> Hand:
        return Products(X, Y, problem, way, exponentials=True)


class Hand(Protocol):
    """One thread at its part of the work."""

    def work(self) -> None:
        """All that one evaluation takes of it."""


class Products:
    """One thread's rows, in shards, and its work arrays."""

    def __init__(
        self, X: Array, Y: Array, problem: Problem, way: Way, exponentials: bool = False
    ) -> None:
        shape = problem.shape
        weights: Weights = problem.weights()
        self._weight1, self._weight2 = (np.ascontiguousarray(theta[:, 1:]) for theta in weights)
        self._gradient1, self._gradient2 = (
            np.empty_like(self._weight1),
            np.empty_like(self._weight2),
        )
        self._shards = [np.array(part, order=way.order) for part in cut(X, way.pieces(len(X)))]
        most = max(len(part) for part in self._shards)
        self._hidden, self._delta1 = (np.empty(most * shape.hidden, X.dtype) for _ in range(2))
        self._output = np.empty(most * shape.outputs, X.dtype)
        self._order: Order = way.order
        self._exponentials = exponentials

    def work(self) -> None:
        for X in self._shards:
            hidden, delta1, output = self._views(len(X))
            np.matmul(X, self._weight1.T, out=hidden)
            if self._exponentials:
                np.exp(hidden, out=delta1)
            np.matmul(hidden, self._weight2.T, out=output)
            if self._exponentials:
                np.exp(output, out=output)
            np.matmul(output.T, hidden, out=self._gradient2)
            np.matmul(output, self._weight2, out=delta1)
            np.matmul(delta1.T, X, out=self._gradient1)

    def _views(self, rows: int) -> Iterator[Array]:
        for buffer in (self._hidden, self._delta1, self._output):
            width = len(self._weight2 if buffer is self._output else self._weight1)
            yield buffer[: rows * width].reshape((rows, width), order=self._order)


def cut(rows: Array, pieces: int) -> list[Array]:
    """Consecutive rows, as many in each piece as can be."""
    edges = [len(rows) * piece // pieces for piece in range(pieces + 1)]
    return [rows[start:stop] for start, stop in pairwise(edges)]

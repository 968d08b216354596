"""Evaluator: a network at work on shards, in several threads, over one vector that each pass sets to its x."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, final

import numpy as np

from ..nn.losses import Loss
from ..nn.sequential import Sequential
from ..nn.workspace import Workspace
from ..utils.types import Array
from .hessian_product import curvature_product
from .ordered_reduction import Combine, Compute, Crew, Keep
from .shards import Batch, Shards


def _nothing(worker: int) -> None:
    """There is nothing to add."""


@final
class Evaluator:
    """Sums over the rows of shards, added in shard order. Calls from several threads take turns.

    Each worker has a replica of the network and work arrays of its own, kept from call to call.
    """

    def __init__(self, model: Sequential, loss: Loss, dtype: np.dtype, workers: int) -> None:
        self._model, self._loss, self._dtype, self._workers = model, loss, dtype, workers
        self._start()

    def _start(self) -> None:
        self._vector, self._direction = np.empty((2, self._model.parameters.size), self._dtype)
        self._point = np.full(self._vector.size, np.nan)  # of the last product, unrounded
        self._passed: list[tuple[int, Array] | None] = [None] * self._workers
        self._replicas = [self._model.replica(self._vector) for _ in range(self._workers)]
        self._work = [Workspace() for _ in range(self._workers)]
        self._crew = Crew(self._workers)
        self._lock = threading.Lock()
        self._process = os.getpid()

    def gradient(self, x: Array, shards: Shards | Batch, total: Array) -> float:
        """The loss at parameters x; its gradient is added to ``total``."""
        costs = [0.0] * len(shards)

        def compute(worker: int, shard: int) -> None:
            replica, work = self._replicas[worker], self._work[worker]
            inputs, target, weight = shards.load(shard, work)
            z = replica.propagate(inputs, link=False)
            costs[shard] = self._loss.evaluate(z, target, work, weight)
            replica.backward(z, link=False)

        self._sum(x, None, len(shards), compute, total)
        return sum(costs)

    def predict(self, x: Array, shards: Shards) -> tuple[float, Array]:
        """The loss at parameters x, and the predictions (rows, outputs), float64."""
        costs, outputs = [0.0] * len(shards), np.empty((shards.edges[-1], self._model.outputs))

        def compute(worker: int, shard: int) -> None:
            replica, work = self._replicas[worker], self._work[worker]
            inputs, target, weight = shards.load(shard, work)
            z = replica.propagate(inputs, link=False)
            outputs[shards.edges[shard] : shards.edges[shard + 1]] = replica.layers[-1].forward(z)
            costs[shard] = self._loss.evaluate(z, target, work, weight)

        self._run(x, None, len(shards), compute)
        return sum(costs), outputs

    def product(self, x: Array, v: Array, shards: Shards, gauss_newton: bool, total: Array) -> None:
        """Add to ``total`` the product of the loss's Hessian (or its Gauss-Newton part) at x with v.

        Methods ask for many products at one x: a worker that has the shard of its last product again, which is so where
        there are as many workers as shards, goes on from the forward pass of that.
        """

        def compute(worker: int, shard: int) -> None:
            replica, work = self._replicas[worker], self._work[worker]
            inputs, target, weight = shards.load(shard, work)
            passed, self._passed[worker] = self._passed[worker], None  # so that an interrupted pass is not used again
            output = passed[1] if passed is not None and passed[0] == shard else replica.propagate(inputs)
            self._passed[worker] = shard, output
            curvature_product(replica, output, target, weight, self._direction, gauss_newton, work)

        self._sum(x, v, len(shards), compute, total)

    def _sum(self, x: Array, v: Array | None, tasks: int, compute: Compute, total: Array) -> None:
        """Add to ``total`` what each task leaves in its replica's gradient, in the order of the tasks."""

        def add(gradient: Array) -> None:
            np.add(total, gradient, out=total)

        def combine(worker: int) -> None:
            add(self._replicas[worker].gradient)

        def keep(worker: int) -> Callable[[], None]:
            gradient = self._replicas[worker].gradient.copy()
            return partial(add, gradient)

        self._run(x, v, tasks, compute, combine, keep)

    def _run(
        self,
        x: Array,
        v: Array | None,
        tasks: int,
        compute: Compute,
        combine: Combine = _nothing,
        keep: Keep = lambda worker: partial(_nothing, worker),
    ) -> None:
        def quietly(worker: int, task: int) -> None:
            with np.errstate(all="ignore"):  # which holds for the thread that says it
                compute(worker, task)

        if self._process != os.getpid():  # neither threads nor locks that they held survive a fork
            self._start()
        with self._lock:
            if v is None or not np.array_equal(x, self._point):
                self._passed = [None] * self._workers
            self._vector[:] = x
            if v is not None:
                self._point[:], self._direction[:] = x, v
            self._crew.run(tasks, quietly, combine, keep)

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("_model", "_loss", "_dtype", "_workers")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

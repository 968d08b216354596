"""Evaluator: a network at work on shards, in several threads."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final

import numpy as np

from ..nn import Dense, Loss, Sequential, Workspace
from ..nn.loss import CanonicalLoss, checked_value, sees_prediction
from ..utils.forks import call_in_child
from ..utils.interrupts import raise_interrupt
from ..utils.types import Array
from .hessian_product import hessian_product
from .ordered_reduction import OrderedReduction
from .ordered_sum import OrderedSum
from .shards import Minibatch, Shards

LOCK_SECONDS = 0.05
"""Between two looks for Ctrl-C while another thread evaluates."""


def forward_to_loss(model: Sequential, x: Array, work: Workspace, *, is_prediction: bool) -> Array:
    """Return what the loss sees for rows x, in an array that the loss may overwrite.

    ``is_prediction`` is what ``sees_prediction`` says of the loss.
    """
    z = model.forward(x) if is_prediction else model.forward_pre_activation(x)
    last = (model.layers if is_prediction else model.inner_layers)[-1:]
    if last and type(last[0]) is Dense:  # other layers may need their output for gradients
        return z
    seen = work.array("seen by the loss", z.shape, z.dtype)
    np.copyto(seen, z)
    return seen


@final
class Evaluator:
    """Sums over the rows of shards, added in shard order. Calls from several threads take turns.

    Each worker has a slot: a replica of the network and a workspace, kept from call to call. All
    replicas see one vector, which each call sets to its x.

    Callers hold ``single_threaded_blas``, so that Ctrl-C cannot strike beside the lock, and ignore
    floating-point errors.
    """

    def __init__(self, model: Sequential, loss: Loss, dtype: np.dtype, workers: int) -> None:
        self._model = model
        self._loss = loss
        self._dtype = dtype
        self._workers = workers
        self._start()

    def _start(self) -> None:
        size = self._model.parameters.size
        self._sees_prediction = sees_prediction(self._loss, self._model.output_activation)
        self._vector = np.empty(size, self._dtype)
        self._direction = np.empty(size, self._dtype)
        self._replicas = [self._model.replica(self._vector) for _ in range(self._workers)]
        self._workspaces = [Workspace() for _ in range(self._workers)]
        self._restart()
        _evaluators.add(self)

    def _restart(self) -> None:
        """Begin without threads and locks, which do not survive a fork."""
        self._reduction = OrderedReduction(self._workers)
        self._lock = threading.Lock()
        self.forget_forward_passes()

    def forget_forward_passes(self) -> None:
        """Begin products anew: the next rows may be others."""
        self._product_point: Array | None = None  # where ``_passes`` were made, unrounded
        self._passes: list[tuple[int, Array] | None] = [None] * self._workers

    def gradient(self, x: Array, shards: Shards | Minibatch, total: Array) -> float:
        """Return the loss at parameters x, and add its gradient to ``total``."""
        sums = OrderedSum(len(shards), total)

        def compute(slot: int, shard: int) -> tuple[float, Array]:
            replica, work = self._replicas[slot], self._workspaces[slot]
            inputs, target, weight = shards.load(shard, work)
            z = forward_to_loss(replica, inputs, work, is_prediction=self._sees_prediction)
            loss = checked_value(self._loss, self._loss.value_and_error_(z, target, work, weight))
            backward = (
                replica.backward if self._sees_prediction else replica.backward_pre_activation
            )
            return loss, backward(z).copy()

        with self._at(x, shards):
            self._reduction.run(len(shards), compute, lambda result: sums.add(*result))
        return sums.loss

    def predict(self, x: Array, shards: Shards) -> tuple[float, Array]:
        """Return the loss at parameters x, and the predictions (rows, outputs), float64."""
        losses: list[float] = []
        outputs = np.empty((shards.edges[-1], self._model.n_outputs))

        def compute(slot: int, shard: int) -> float:
            replica, work = self._replicas[slot], self._workspaces[slot]
            inputs, target, weight = shards.load(shard, work)
            z = forward_to_loss(replica, inputs, work, is_prediction=self._sees_prediction)
            last = None if self._sees_prediction else replica.output_activation
            rows = slice(shards.edges[shard], shards.edges[shard + 1])
            outputs[rows] = z if last is None else last.forward(z)
            return checked_value(self._loss, self._loss.value_and_error_(z, target, work, weight))

        with self._at(x, shards):
            self._reduction.run(len(shards), compute, losses.append)
        return sum(losses), outputs

    def product(self, x: Array, v: Array, shards: Shards, gauss_newton: bool, total: Array) -> None:
        """Add to ``total`` the product of the loss's Hessian (or Gauss-Newton matrix) at x with v.

        Methods ask for many products at one x. If there are no more shards than workers, each slot
        keeps its shard, and later products start from the forward pass of the first.
        """
        depth = len(self._model.layers if self._sees_prediction else self._model.inner_layers)
        sums = OrderedSum(len(shards), total)
        is_whole = self._sees_prediction or isinstance(self._loss, CanonicalLoss)

        def compute(slot: int, shard: int) -> Array:
            replica, work = self._replicas[slot], self._workspaces[slot]
            inputs, target, weight = shards.load(shard, work)
            passed = self._passes[slot]
            self._passes[slot] = None  # not reused if this product is interrupted
            if passed is not None and passed[0] == shard:
                output = passed[1]
            else:
                forward = replica.forward if is_whole else replica.forward_pre_activation
                output = forward(inputs)
            self._passes[slot] = shard, output
            product = hessian_product(
                replica,
                self._loss,
                output,
                depth=depth,
                target=target,
                weight=weight,
                v=self._direction,
                gauss_newton=gauss_newton,
                work=work,
            )
            return product.copy()

        with self._at(x, shards, v):
            self._reduction.run(len(shards), compute, lambda product: sums.add(0.0, product))

    @contextmanager
    def _at(self, x: Array, shards: Shards | Minibatch, v: Array | None = None) -> Iterator[None]:
        """Hold the evaluator, all replicas at parameters x (and direction v).

        DataError if a file of the shards changes until the end.
        """
        while not self._lock.acquire(timeout=LOCK_SECONDS):
            raise_interrupt()
        try:
            point = self._product_point
            if v is None or point is None or not np.array_equal(x, point):
                self.forget_forward_passes()
            self._vector[:] = x
            if v is not None:
                self._product_point = np.array(x, dtype=np.float64)
                self._direction[:] = v
            shards.check_unchanged()
            yield
            shards.check_unchanged()
        finally:
            self._lock.release()

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("_model", "_loss", "_dtype", "_workers")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()


_evaluators: weakref.WeakSet[Evaluator] = weakref.WeakSet()


def _restart_evaluators() -> None:
    for evaluator in _evaluators:
        evaluator._restart()


call_in_child(_restart_evaluators)

"""NumPy by hand: cost and gradient in as few passes over as few arrays as NumPy allows.

There are no layers, no checks, and no protection against overflow: only this network and this loss.
A column of ones in front of the inputs, the exercise's bias units, saves the passes for the biases.
Products of sixteen factors save logarithms. Everything else is computed in place. The arrangement
is searched for as in bare_blas.py.

What general code takes beyond this is the price of being general. What this takes beyond bare BLAS
is the price of NumPy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..case import L2, Array, Case, CostAndNorm, Weights
from .bare_blas import Arrangement, BareBlas, Order, ThreadTask, cut

FACTORS_PER_LOG = 16


class ByHand(BareBlas):
    """The fastest arrangement of the whole evaluation."""

    @staticmethod
    def _make_task(X: Array, Y: Array, case: Case, arrangement: Arrangement) -> ThreadTask:
        return _Rows(X, Y, case, arrangement)

    def cost_and_norm(self) -> CostAndNorm:
        self.evaluate()
        tasks = [task for task in self._tasks if isinstance(task, _Rows)]
        shape = self._case.shape
        weights = self._case.start()
        for theta in Weights.of(weights, shape):
            theta[:, 0] = 0
        cost = sum(task.loss for task in tasks) + L2 / 2 * float(weights @ weights)
        gradient = np.sum([task.gradient for task in tasks], axis=0) + L2 * weights
        return CostAndNorm.of(cost / shape.rows, gradient / shape.rows)


class _Shard(NamedTuple):
    """X with a column of ones in front, Y and 1 - Y."""

    X: Array
    Y: Array
    complement: Array


class _Rows:
    """Loss and gradient of one thread's rows."""

    def __init__(self, X: Array, Y: Array, case: Case, arrangement: Arrangement) -> None:
        start = case.start().astype(X.dtype)
        self.loss = 0.0
        self.gradient = np.empty_like(start)
        self._theta = Weights.of(start, case.shape)
        self._shard_gradient = np.empty_like(start)
        self._shard_gradients = Weights.of(self._shard_gradient, case.shape)
        self._order: Order = arrangement.order
        count = arrangement.shards(len(X))
        self._shards = [
            self._make_shard(x, y) for x, y in zip(cut(X, count), cut(Y, count), strict=True)
        ]
        most_rows = max(len(shard.X) for shard in self._shards)
        hidden = case.shape.hidden
        outputs = case.shape.outputs
        self._widths = (1 + hidden, hidden, hidden, outputs, outputs)
        self._buffers = [np.empty(most_rows * width, X.dtype) for width in self._widths]

    def run(self) -> None:
        self.loss = 0.0
        self.gradient[:] = 0
        for shard in self._shards:
            self.loss += self._evaluate(shard)
            self.gradient += self._shard_gradient

    def _make_shard(self, X: Array, Y: Array) -> _Shard:
        extended = np.ones((len(X), 1 + X.shape[1]), X.dtype, self._order)
        extended[:, 1:] = X
        targets = np.array(Y, order=self._order)
        return _Shard(extended, targets, np.array(1 - Y, order=self._order))

    def _evaluate(self, shard: _Shard) -> float:
        """Return the loss of a shard and leave its gradient in ``_shard_gradient``."""
        theta1, theta2 = self._theta
        gradient1, gradient2 = self._shard_gradients
        rows = len(shard.X)
        extended, delta1, slope, z, e = (
            buffer[: rows * width].reshape((rows, width), order=self._order)
            for buffer, width in zip(self._buffers, self._widths, strict=True)
        )
        extended[:, 0] = 1
        a = extended[:, 1:]
        np.matmul(shard.X, theta1.T, out=a)
        np.negative(a, out=a)
        np.exp(a, out=a)
        a += 1
        np.reciprocal(a, out=a)
        np.matmul(extended, theta2.T, out=z)
        # The loss is log(1 + exp(-z)) + (1 - y) z.
        np.negative(z, out=e)
        loss = -float(np.dot(self._flat(shard.complement), self._flat(e)))
        np.exp(e, out=e)
        e += 1
        loss += _sum_log(self._flat(e))
        np.reciprocal(e, out=e)
        e -= shard.Y
        np.matmul(e.T, extended, out=gradient2)
        product = np.multiply if e.shape[1] == 1 else np.matmul
        product(e, theta2[:, 1:], out=delta1)
        np.subtract(1, a, out=slope)
        slope *= a
        delta1 *= slope
        np.matmul(delta1.T, shard.X, out=gradient1)
        return loss

    def _flat(self, array: Array) -> Array:
        return array.ravel(order=self._order)


def _sum_log(factors: Array) -> float:
    """Return the sum of the logarithms, one of them for sixteen factors."""
    whole = factors.size // FACTORS_PER_LOG * FACTORS_PER_LOG
    grouped = factors[:whole].reshape(FACTORS_PER_LOG, -1)
    products = np.multiply.reduce(grouped, axis=0)
    rest = np.multiply.reduce(factors[whole:])
    return float(np.add.reduce(np.log(products))) + float(np.log(rest))

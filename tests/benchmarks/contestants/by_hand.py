"""NumPy by hand: one evaluation in as few passes over as few arrays as NumPy allows, and nothing around them.

No layers, no checks, no care for numbers that overflow; two layers of sigmoids and this loss only. A column of ones in
front of the inputs, the exercise's bias units, spares the passes for the biases, products of sixteen factors spare
logarithms, and all else is done in place. The arrangement is looked for as bare_blas.py does. What general code adds to
this is its price; what this adds to bare BLAS is NumPy's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..problem import L2, Answer, Array, Problem, Weights
from .bare_blas import BareBlas, Order, Way, cut

FACTORS = 16


class ByHand(BareBlas):
    """The fastest arrangement found."""

    @staticmethod
    def _hand(X: Array, Y: Array, problem: Problem, way: Way) -> _Rows:
        return _Rows(X, Y, problem, way)

    def answer(self) -> Answer:
        self.evaluate()
        hands, shape = (
            [hand for hand in self._hands if isinstance(hand, _Rows)],
            self._problem.shape,
        )
        weights = self._problem.start()
        for theta in Weights.of(weights, shape):
            theta[:, 0] = 0
        cost = sum(hand.loss for hand in hands) + L2 / 2 * float(weights @ weights)
        gradient = np.sum([hand.gradient for hand in hands], axis=0) + L2 * weights
        return Answer(cost / shape.rows, float(np.linalg.norm(gradient)) / shape.rows)


class _Shard(NamedTuple):
    """X with a column of ones in front, Y and 1 - Y."""

    X: Array
    Y: Array
    complement: Array


class _Rows:
    """One thread's rows, in shards, and its work arrays."""

    def __init__(self, X: Array, Y: Array, problem: Problem, way: Way) -> None:
        start = problem.start().astype(X.dtype)
        self._theta = Weights.of(start, problem.shape)
        self._part, self.gradient, self.loss = np.empty_like(start), np.empty_like(start), 0.0
        self._parts = Weights.of(self._part, problem.shape)
        pieces = way.pieces(len(X))
        self._shards = [
            _Shard(
                _with_ones(x, way.order),
                np.array(y, order=way.order),
                np.array(1 - y, order=way.order),
            )
            for x, y in zip(cut(X, pieces), cut(Y, pieces), strict=True)
        ]
        most, (_, _, hidden, outputs) = max(len(shard.X) for shard in self._shards), problem.shape
        self._buffers = [
            np.empty(most * width, X.dtype)
            for width in (1 + hidden, hidden, hidden, outputs, outputs)
        ]
        self._order: Order = way.order

    def work(self) -> None:
        """Loss and gradient of these rows."""
        self.loss = 0.0
        self.gradient[:] = 0
        for shard in self._shards:
            self.loss += self._shard(shard)
            self.gradient += self._part

    def _shard(self, shard: _Shard) -> float:
        (theta1, theta2), (gradient1, gradient2) = self._theta, self._parts
        rows, hidden, outputs = len(shard.X), len(theta1), len(theta2)
        widths = (1 + hidden, hidden, hidden, outputs, outputs)
        extended, delta1, slope, z, e = (
            buffer[: rows * width].reshape((rows, width), order=self._order)
            for buffer, width in zip(self._buffers, widths, strict=True)
        )
        extended[:, 0] = 1
        a = extended[:, 1:]
        np.matmul(shard.X, theta1.T, out=a)
        np.negative(a, out=a)
        np.exp(a, out=a)
        a += 1
        np.reciprocal(a, out=a)
        np.matmul(extended, theta2.T, out=z)
        np.negative(z, out=e)
        loss = -float(
            np.dot(self._flat(shard.complement), self._flat(e))
        )  # log(1 + exp(-z)) + (1 - y) z
        np.exp(e, out=e)
        e += 1
        factors = self._flat(e)
        whole = factors.size // FACTORS * FACTORS
        loss += float(
            np.add.reduce(np.log(np.multiply.reduce(factors[:whole].reshape(FACTORS, -1), axis=0)))
        )
        loss += float(np.log(np.multiply.reduce(factors[whole:])))
        np.reciprocal(e, out=e)
        e -= shard.Y
        np.matmul(e.T, extended, out=gradient2)
        product = np.multiply if outputs == 1 else np.matmul
        product(e, theta2[:, 1:], out=delta1)
        np.subtract(1, a, out=slope)
        slope *= a
        delta1 *= slope
        np.matmul(delta1.T, shard.X, out=gradient1)
        return loss

    def _flat(self, array: Array) -> Array:
        return array.ravel(order=self._order)


def _with_ones(X: Array, order: Order) -> Array:
    extended = np.ones((len(X), 1 + X.shape[1]), X.dtype, order)
    extended[:, 1:] = X
    return extended

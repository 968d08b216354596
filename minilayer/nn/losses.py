"""Losses, each with the activation that it is paired with (its canonical link).

Behind its link, a loss has the output error ``prediction - target`` (the exercise's delta3) and a value that is finite
for pre-activations of any size: both come from the pre-activation z, so that no log(0) and no 0 * inf can arise
(McCullagh and Nelder, Generalized Linear Models, 1989, section 2.2).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, final

import numpy as np

from ..utils.types import Array
from .activations import Activation, Identity, Sigmoid, Softmax
from .workspace import Workspace


class Loss(ABC):
    """A loss of rows of predictions against rows of targets, both (m, n)."""

    link: ClassVar[type[Activation]]
    """The activation that the model must end with."""
    takes_labels: ClassVar[bool] = False
    """Whether targets are classes, so that integer labels may stand for one-hot targets."""

    @abstractmethod
    def evaluate(self, z: Array, target: Array, work: Workspace, weight: Array | None = None) -> float:
        """The sum of the loss over rows and columns at pre-activation z, which becomes link(z) - target, in place.

        With ``weight`` (m, 1) each row's loss and output error count that many times. z: (m, n), a work array
        (Fortran-ordered); target: (m, n) in any order.
        """

    def check_targets(self, targets: Array) -> None:
        """Raise ValueError for finite targets that the loss is not defined for."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@final
class BinaryCrossEntropy(Loss):
    """-sum [y log p + (1 - y) log(1 - p)] with p = sigmoid(z) and y in [0, 1]: the exercise's cost.

    In z it is max(z, 0) - y z + log(1 + exp(-abs(z))); one exponential an element serves the loss and p.

    >>> z = np.array([[0.0, 1e4]])
    >>> round(BinaryCrossEntropy().evaluate(z, np.array([[1.0, 1.0]]), Workspace()), 6), z
    (0.693147, array([[-0.5,  0. ]]))
    """

    link, takes_labels = Sigmoid, True

    def evaluate(self, z: Array, target: Array, work: Workspace, weight: Array | None = None) -> float:
        e, step, t = (work.array(name, z.shape, z.dtype) for name in ("e", "step", "t"))
        np.abs(z, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)
        np.greater(z, 0, out=step)
        np.subtract(step, target, out=t)  # max(z, 0) - y z = z ((z > 0) - y): no difference of large numbers
        if weight is not None:
            t *= weight
        total = _dot(t, z)
        np.maximum(e, step, out=z)  # sigmoid(z) is 1 / (1 + e) for z > 0, else e / (1 + e)
        np.add(e, 1, out=t)
        z /= t
        z -= target
        if weight is None:
            return total + _sum_log1p(e, t, work)
        z *= weight
        np.log1p(e, out=e)
        e *= weight
        return total + float(np.sum(e))

    def check_targets(self, targets: Array) -> None:
        _check_unit_interval(self, targets)


@final
class CategoricalCrossEntropy(Loss):
    """-sum y log p with p = softmax(z) along each row and y >= 0 summing to 1 along each row.

    >>> z = np.array([[0.0, 0.0], [1e4, -1e4]])
    >>> round(CategoricalCrossEntropy().evaluate(z, np.array([[1.0, 0.0], [1.0, 0.0]]), Workspace()), 6), z
    (0.693147, array([[-0.5,  0.5],
           [ 0. ,  0. ]]))
    """

    link, takes_labels = Softmax, True

    def evaluate(self, z: Array, target: Array, work: Workspace, weight: Array | None = None) -> float:
        row, t = work.array("row", (len(z), 1), z.dtype), work.array("t", z.shape, z.dtype)
        np.max(z, axis=1, keepdims=True, out=row)
        z -= row
        np.multiply(target, z, out=t)
        if weight is not None:
            t *= weight
        total = -float(np.sum(t))
        np.exp(z, out=z)
        np.sum(z, axis=1, keepdims=True, out=row)
        z /= row
        z -= target
        np.log(row, out=row)
        if weight is not None:
            z *= weight
            row *= weight
        return total + float(np.sum(row))

    def check_targets(self, targets: Array) -> None:
        _check_unit_interval(self, targets)
        sums = targets.sum(axis=1, dtype=np.float64)
        wrong = np.abs(sums - 1) > 1e-6
        if wrong.any():
            row = int(np.argmax(wrong))
            hint = ": with one output, use Sigmoid and BinaryCrossEntropy" if targets.shape[1] == 1 else ""
            raise ValueError(
                f"Y: CategoricalCrossEntropy expects rows that sum to 1, found {sums[row]:.6g} in row {row}{hint}"
            )


@final
class MeanSquaredError(Loss):
    """1/2 sum (p - y)**2 with p = z: half the squared error, summed over the columns.

    >>> z = np.array([[3.0, 1.0]])
    >>> MeanSquaredError().evaluate(z, np.array([[1.0, 1.0]]), Workspace()), z
    (2.0, array([[2., 0.]]))
    """

    link = Identity

    def evaluate(self, z: Array, target: Array, work: Workspace, weight: Array | None = None) -> float:
        z -= target
        if weight is None:
            return _dot(z, z) / 2
        weighted = work.array("weighted", z.shape, z.dtype)
        np.multiply(z, weight, out=weighted)
        total = _dot(weighted, z) / 2
        np.copyto(z, weighted)
        return total


def _flat(array: Array) -> Array:
    """A work array as one row of numbers, without a copy: work arrays are Fortran-ordered."""
    return array.T.reshape(-1)


def _dot(a: Array, b: Array) -> float:
    """sum a * b of two work arrays, in one pass."""
    return float(np.dot(_flat(a), _flat(b)))


def _sum_log1p(e: Array, one_plus_e: Array, work: Workspace) -> float:
    """sum log(1 + e) for work arrays with e in [0, 1], of which e may be overwritten.

    A logarithm costs some 30 multiplications, so that it is taken of products of 64 factors, which are at most 2**64,
    far from overflow in single precision too. Where the sum is so small that what 1 + e rounds away would be felt in
    it, logarithms are taken one by one.
    """
    factors = _flat(one_plus_e)
    whole = factors.size // 64 * 64
    products = work.array("products", (whole // 64,), e.dtype)
    np.multiply.reduce(factors[:whole].reshape(64, -1), axis=0, out=products)
    total = float(np.add.reduce(np.log(products, out=products))) + math.log(np.multiply.reduce(factors[whole:]))
    if total < factors.size / 128:
        e = _flat(e)
        total = float(np.sum(np.log1p(e, out=e)))
    return total


def _check_unit_interval(loss: Loss, targets: Array) -> None:
    outside = (targets < 0) | (targets > 1)
    if outside.any():
        row, column = (int(k) for k in np.argwhere(outside)[0])
        hint = ": one output tells 0 and 1 apart, more classes take an output each" if targets.shape[1] == 1 else ""
        raise ValueError(
            f"Y: {type(loss).__name__} expects targets in [0, 1], found {targets[row, column]} in row {row}, "
            f"column {column}{hint}"
        )

"""The canonical losses: cross-entropies, the squared error and Poisson's.

The cross-entropies and Poisson's start from the last layer's pre-activation z. Their value is
therefore finite where it can be: no log(0) and no 0 * inf can arise. Their pairs are the canonical
links of generalized linear models (McCullagh and Nelder, 1989, section 2.2): the derivative with
respect to z is ``prediction - target``.
"""

from __future__ import annotations

import math
from typing import final

import numpy as np

from ..utils.types import Array
from .activations import Exp, Sigmoid, Softmax
from .configured import register
from .loss import CanonicalLoss, Loss, write_weighted
from .workspace import Workspace

FACTORS_PER_LOG = 64
"""Factors 1 + e of one logarithm: their product is at most 2**64, which single precision holds."""


@final
@register
class BinaryCrossEntropy(CanonicalLoss):
    """-sum [y log p + (1 - y) log(1 - p)], with p = sigmoid(z) and targets y in [0, 1].

    This is the exercise's cost, summed over output columns. In terms of z it is
    max(z, 0) - y z + log(1 + exp(-abs(z))): one exponential an element serves the loss and p.

    Examples
    --------
    >>> z = np.array([[0.0, 1e4]])
    >>> round(BinaryCrossEntropy().value_and_error_(z, np.array([[1.0, 1.0]]), Workspace()), 6), z
    (0.693147, array([[-0.5,  0. ]]))
    """

    output_activation = Sigmoid
    takes_labels = True

    def value_and_error_(
        self, z: Array, target: Array, work: Workspace, weight: Array | None = None
    ) -> float:
        e = work.array("e", z.shape, z.dtype)
        step = work.array("step", z.shape, z.dtype)
        t = work.array("t", z.shape, z.dtype)
        np.abs(z, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)
        np.greater(z, 0, out=step)
        np.subtract(step, target, out=t)  # z ((z > 0) - y): no difference of large numbers
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
@register
class CategoricalCrossEntropy(CanonicalLoss):
    """-sum y log p, with p = softmax(z) along each row; each row of targets y >= 0 sums to 1.

    Examples
    --------
    >>> z = np.array([[0.0, 0.0], [1e4, -1e4]])
    >>> y = np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> round(CategoricalCrossEntropy().value_and_error_(z, y, Workspace()), 6), z
    (0.693147, array([[-0.5,  0.5],
           [ 0. ,  0. ]]))
    """

    output_activation = Softmax
    takes_labels = True

    def value_and_error_(
        self, z: Array, target: Array, work: Workspace, weight: Array | None = None
    ) -> float:
        row = work.array("row", (len(z), 1), z.dtype)
        t = work.array("t", z.shape, z.dtype)
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
            one_output = ": with one output, use Sigmoid and BinaryCrossEntropy"
            hint = one_output if targets.shape[1] == 1 else ""
            raise ValueError(
                "Y: CategoricalCrossEntropy expects rows that sum to 1, "
                f"found {sums[row]:.6g} in row {row}{hint}"
            )


@final
@register
class SquaredError(CanonicalLoss):
    """1/2 sum (p - y)**2, half the squared error of the predictions p, summed over the columns.

    The model may end with any layer: Identity or Dense for a regression, Sigmoid or Softplus for
    targets in a range. For n columns, Keras' mean squared error and PyTorch's ``MSELoss`` are 2 / n
    times the mean of this loss over the rows. Gauss-Newton products are those of J'J, with J the
    derivative of p by the parameters.

    Examples
    --------
    >>> z = np.array([[3.0, 1.0]])
    >>> SquaredError().value_and_error_(z, np.array([[1.0, 1.0]]), Workspace()), z
    (2.0, array([[2., 0.]]))
    """

    output_activation = None

    def value_and_error_(
        self, z: Array, target: Array, work: Workspace, weight: Array | None = None
    ) -> float:
        z -= target
        if weight is None:
            return _dot(z, z) / 2
        weighted = work.array("weighted", z.shape, z.dtype)
        np.multiply(z, weight, out=weighted)
        total = _dot(weighted, z) / 2
        np.copyto(z, weighted)
        return total


@final
@register
class Poisson(CanonicalLoss):
    """sum [exp(z) - y z]: counts y >= 0 with the mean p = exp(z).

    This is the negative log-likelihood of the Poisson distribution without log(y!), which does not
    depend on the model. The loss is infinite where exp(z) is: for z above 709, in single precision
    above 88.

    References
    ----------
    McCullagh and Nelder, Generalized linear models, 1989, chapter 6.

    Examples
    --------
    >>> z = np.array([[0.0, -1e4]])
    >>> Poisson().value_and_error_(z, np.array([[3.0, 0.0]]), Workspace()), z
    (1.0, array([[-2.,  0.]]))
    """

    output_activation = Exp

    def value_and_error_(
        self, z: Array, target: Array, work: Workspace, weight: Array | None = None
    ) -> float:
        t = work.array("t", z.shape, z.dtype)
        np.multiply(target, z, out=t)
        np.exp(z, out=z)
        np.subtract(z, t, out=t)
        z -= target
        if weight is not None:
            write_weighted(z, weight, out=z)
            write_weighted(t, weight, out=t)
        return float(np.sum(t))

    def check_targets(self, targets: Array) -> None:
        negative = targets < 0
        if negative.any():
            row, column = (int(k) for k in np.argwhere(negative)[0])
            raise ValueError(
                "Y: Poisson expects targets >= 0, "
                f"found {targets[row, column]} in row {row}, column {column}"
            )


def _flat(array: Array) -> Array:
    """Return a work array as one row of numbers, without a copy: it is Fortran-ordered."""
    return array.T.reshape(-1)


def _dot(a: Array, b: Array) -> float:
    """Return sum a * b of two work arrays, in one pass."""
    return float(np.dot(_flat(a), _flat(b)))


def _sum_log1p(e: Array, one_plus_e: Array, work: Workspace) -> float:
    """Return sum log(1 + e) for work arrays with e in [0, 1]; e may be overwritten.

    A logarithm costs some 30 multiplications, so it is taken of products of 64 factors. If the sum
    is so small that the rounding of 1 + e matters, logarithms are taken one by one.
    """
    factors = _flat(one_plus_e)
    whole = factors.size // FACTORS_PER_LOG * FACTORS_PER_LOG
    products = work.array("products", (whole // FACTORS_PER_LOG,), e.dtype)
    np.multiply.reduce(factors[:whole].reshape(FACTORS_PER_LOG, -1), axis=0, out=products)
    total = float(np.add.reduce(np.log(products, out=products)))
    total += math.log(np.multiply.reduce(factors[whole:]))
    if total < factors.size / 128:
        e = _flat(e)
        total = float(np.sum(np.log1p(e, out=e)))
    return total


def _check_unit_interval(loss: Loss, targets: Array) -> None:
    outside = (targets < 0) | (targets > 1)
    if outside.any():
        row, column = (int(k) for k in np.argwhere(outside)[0])
        one_output = ": one output separates classes 0 and 1, more classes need an output each"
        hint = one_output if targets.shape[1] == 1 else ""
        raise ValueError(
            f"Y: {type(loss).__name__} expects targets in [0, 1], "
            f"found {targets[row, column]} in row {row}, column {column}{hint}"
        )

"""Layers of constants: Standardize for the columns of X, Rescale for the columns of Y."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Self, final

import numpy as np
import numpy.typing as npt

from ..utils.checks import check_finite, check_matrix, check_numeric
from ..utils.floating_point import ignores_floating_point_errors
from ..utils.row_source import AnyRows, RowsLike, as_rows, check_row_matrix, read_blocks
from ..utils.target_rows import ColumnRows
from ..utils.types import Array
from .configured import ConfigValue, register
from .layer import Layer

BYTES_PER_BLOCK = 1 << 20
"""Of float64 rows whose statistics are taken at a time: what caches hold."""
MIN_EXPONENT = -1000
"""Of the powers of two that columns are divided by; 2 ** -1000 divides any smaller number too."""
MAX_EXPONENT = 1023
SMALLEST_SCALE = float(np.finfo(np.float64).tiny)


class ColumnConstants(Layer):
    """A mean and a scale for each column. They are constants: not trained and not penalized."""

    def __init__(self, mean: npt.ArrayLike, scale: npt.ArrayLike) -> None:
        self.mean = self._constants("mean", mean)
        self.scale = self._constants("scale", scale)
        self.inputs = len(self.mean)
        name = type(self).__name__
        if len(self.scale) != self.inputs:
            raise ValueError(
                f"scale of {name}: expected as many numbers as mean has, {self.inputs}, "
                f"found {len(self.scale)}"
            )
        if self.scale.min() <= 0:
            column = int(self.scale.argmin())
            raise ValueError(
                f"scale of {name}: expected numbers > 0, "
                f"found {self.scale[column]:g} in column {column}"
            )

    def _constants(self, name: str, value: npt.ArrayLike) -> Array:
        """Return one number a column, a float64 array that cannot be written to."""
        what = f"{name} of {type(self).__name__}"
        given = check_numeric(what, value)
        if given.ndim != 1 or given.size == 0:
            raise ValueError(f"{what}: expected one number a column, found shape {given.shape}")
        constants = np.array(given, dtype=np.float64)
        check_finite(what, constants[:, None])
        constants.flags.writeable = False
        return constants

    @classmethod
    def _of(cls, name: str, values: AnyRows) -> Self:
        return cls(*column_statistics(name, values))

    def jvp(self, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
        if dx is None:
            zeros = self.workspace.array("jvp", self._shape, self._dtype)
            zeros.fill(0)
            return zeros
        return self._times_slope(dx, "jvp")

    def input_gradient(self, dy: Array) -> Array:
        return self._times_slope(dy, "dx")

    def second_order_term(self, dy: Array, dparameters: Mapping[str, Array]) -> Array | None:
        return None  # the layer is linear

    @abstractmethod
    def _times_slope(self, array: Array, name: str) -> Array:
        """Return dy/dx times an array, in the work array of that name."""

    def _output(self, x: Array) -> Array:
        self._shape = x.shape
        self._dtype = x.dtype
        if x.flags.c_contiguous and not x.flags.f_contiguous:  # in its order, which is faster
            return self.workspace.array("y", x.shape[::-1], x.dtype).T
        return self.workspace.array("y", x.shape, x.dtype)

    def config(self) -> Mapping[str, ConfigValue]:
        return {"mean": self.mean, "scale": self.scale}

    def __reduce__(self) -> tuple[type[Self], tuple[Array, Array]]:
        return type(self), (self.mean, self.scale)  # a pickled array could be written to

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.inputs} column{'s' * (self.inputs != 1)})"


@final
@register
class Standardize(ColumnConstants):
    """y = (x - mean) / scale, column by column: the first layer for the columns of a table.

    Networks train best on columns of mean 0 and standard deviation 1. As a layer, the constants
    are part of the model: ``predict`` takes the columns as they are, and ``save`` stores both.
    Objective applies leading layers without parameters once and not in each evaluation, in float64.

    Parameters
    ----------
    mean : array_like, shape (n,)
        Subtracted from the columns.
    scale : array_like, shape (n,)
        Positive numbers that the differences are divided by.

    Attributes
    ----------
    mean, scale : ndarray, shape (n,)
        float64, not writeable.

    Raises
    ------
    TypeError, ValueError
        For constants that are not finite numbers, one a column, and scales that are not positive.

    See Also
    --------
    fit : ``fit(..., standardize=True)`` puts this layer in.

    Examples
    --------
    >>> from minilayer import Dense, Sequential
    >>> X = [[1.0, 40.0], [3.0, 80.0]]
    >>> Standardize.of(X).mean, Standardize.of(X).scale
    (array([ 2., 60.]), array([ 1., 20.]))
    >>> Sequential([Standardize.of(X), Dense(2, 1)])
    Sequential([Standardize(2 columns), Dense(2, 1)])
    """

    @classmethod
    def of(cls, X: RowsLike) -> Standardize:
        """Return the layer that gives the columns of X mean 0 and standard deviation 1.

        Parameters
        ----------
        X : array_like, shape (m, n)
            Rows of any numeric dtype and memory order, or in a file, as Objective takes them. A
            file is read three times. A constant column gets scale 1.

        Returns
        -------
        Standardize
            A new layer.

        Raises
        ------
        TypeError, ValueError
            If X is not a finite matrix; the message names row and column.
        """
        return cls._of("X", check_row_matrix("X", X))

    @ignores_floating_point_errors
    def forward(self, x: Array) -> Array:
        y = self._output(x)
        np.subtract(x, self.mean, out=y)
        y /= self.scale
        return y

    @ignores_floating_point_errors
    def _times_slope(self, array: Array, name: str) -> Array:
        out = self.workspace.array(name, array.shape, array.dtype)
        return np.divide(array, self.scale, out=out)


@final
@register
class Rescale(ColumnConstants):
    """y = mean + scale * x, column by column: the last layer of a regression.

    The network then starts with outputs of the targets' mean and size, and learns numbers of size
    1. Predictions, targets and the loss keep the targets' unit.

    Parameters
    ----------
    mean : array_like, shape (n,)
        Added last.
    scale : array_like, shape (n,)
        Positive factors.

    Attributes
    ----------
    mean, scale : ndarray, shape (n,)
        float64, not writeable.

    Raises
    ------
    TypeError, ValueError
        For constants that are not finite numbers, one a column, and scales that are not positive.

    Examples
    --------
    >>> from minilayer import Dense, Sequential
    >>> model = Sequential([Dense(2, 1), Rescale.of([250.0, 270.0, 290.0])])
    >>> model.parameters[:] = 0
    >>> model.predict([[3.0, 4.0]])
    array([[270.]])
    """

    @classmethod
    def of(cls, Y: RowsLike) -> Rescale:
        """Return the layer that gives numbers of mean 0 and deviation 1 those of the columns of Y.

        Parameters
        ----------
        Y : array_like, shape (m, n) or (m,)
            Targets, in memory or in a file. A constant column gets scale 1.

        Returns
        -------
        Rescale
            A new layer.

        Raises
        ------
        TypeError, ValueError
            If Y is not a finite matrix; the message names row and column.
        """
        source = as_rows("Y", Y)
        if source is not None:
            is_column = source.ndim == 1 and len(source) > 0
            return cls._of("Y", ColumnRows(source) if is_column else check_row_matrix("Y", source))
        values = check_numeric("Y", Y)
        is_column = values.ndim == 1 and values.size > 0
        return cls._of("Y", values[:, None] if is_column else check_matrix("Y", values))

    @ignores_floating_point_errors
    def forward(self, x: Array) -> Array:
        y = self._output(x)
        np.multiply(x, self.scale, out=y)
        y += self.mean
        return y

    @ignores_floating_point_errors
    def _times_slope(self, array: Array, name: str) -> Array:
        out = self.workspace.array(name, array.shape, array.dtype)
        return np.multiply(array, self.scale, out=out)


@ignores_floating_point_errors
def column_statistics(name: str, matrix: AnyRows) -> tuple[Array, Array]:
    """Return mean and standard deviation of each column; a constant one has deviation 1.

    Columns are divided by a power of two near their largest number first, which is exact, so no
    square overflows or vanishes. The variance is Chan, Golub and LeVeque's corrected two-pass sum
    (1983): around a mean that is off by rounding, and corrected for that.
    """
    low, high = _range(name, matrix)
    _, exponents = np.frexp(np.maximum(np.abs(low), np.abs(high)))
    unit = np.exp2(np.clip(exponents, MIN_EXPONENT, MAX_EXPONENT).astype(np.float64))
    mean = sum(block.sum(axis=0) for block in _blocks(matrix, unit)) / len(matrix)
    rest = np.zeros_like(unit)
    squares = np.zeros_like(unit)
    for block in _blocks(matrix, unit):
        block -= mean
        rest += block.sum(axis=0)
        squares += np.einsum("ij,ij->j", block, block)
    rest /= len(matrix)
    scale = unit * np.sqrt(np.maximum(squares / len(matrix) - rest**2, 0))
    is_constant = low == high
    return (
        np.where(is_constant, low, unit * (mean + rest)),
        np.where(is_constant, 1.0, np.maximum(scale, SMALLEST_SCALE)),
    )


def _range(name: str, matrix: AnyRows) -> tuple[Array, Array]:
    """Return the lowest and the highest number of each column; ValueError if one is not finite."""
    low = np.full(matrix.shape[1], np.inf)
    high = np.full(matrix.shape[1], -np.inf)
    for block in _blocks(matrix):
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
    if not (np.isfinite(low) & np.isfinite(high)).all():  # NaN passes through minima
        for start, block in read_blocks(matrix):
            check_finite(name, block, start)
    wide = ~np.isfinite(high - low)
    if wide.any():
        column = int(wide.argmax())
        raise ValueError(
            f"{name}: expected columns whose range float64 holds, "
            f"found {low[column]:g} to {high[column]:g} in column {column}"
        )
    return low, high


def _blocks(matrix: AnyRows, unit: Array | float = 1.0) -> Iterator[Array]:
    """Yield the rows divided by ``unit`` in float64, some at a time: X may exceed the memory."""
    rows = max(1, BYTES_PER_BLOCK // (8 * matrix.shape[1]))
    for _, block in read_blocks(matrix, rows):
        for start in range(0, len(block), rows):
            yield np.divide(block[start : start + rows], unit, dtype=np.float64)

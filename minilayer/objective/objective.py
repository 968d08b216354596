"""Objective: the cost of a model on data, and its gradient, as a function of the parameters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import final

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..nn import Loss, Sequential, Workspace
from ..utils.checks import (
    check_count,
    check_flag,
    check_number,
    check_vector,
)
from ..utils.cpus import default_workers, single_threaded_blas
from ..utils.foreign_names import explains_unknown_arguments
from ..utils.reprs import short_count
from ..utils.row_source import RowsLike
from ..utils.tables import column_names
from ..utils.types import Array
from .evaluator import Evaluator
from .inputs import (
    ClassWeight,
    check_dtype,
    check_output_activation,
    check_row_numbers,
    check_rows,
    row_weights,
    to_be_read,
)
from .penalized_mean import PenalizedMean
from .preconditioner import Preconditioner
from .run_identity import fingerprint, identity
from .scaling import ADVISED_ROWS, advice_on_rows
from .shards import GivenRows, Minibatch, Shards, default_shards_of, through
from .validation_rows import ValidationRows

HEAD_ROWS = 1000
"""Kept as they are beside shards that have passed leading layers."""


@final
class Objective:
    """The cost of a model on data: ``objective(x) -> (cost, gradient)``.

    This is SciPy's own contract for ``fun`` with ``jac=True``. With m rows,

        cost(x) = 1/m sum over rows of loss(row) + l2 / (2 m) sum of weights**2

    The loss of a row is summed over its output columns. Biases are not penalized. The gradient is a
    new float64 array in every call. An evaluation neither reads nor writes the model's own
    parameters: ``set_parameters(x)`` writes them.

    Rows are cut into shards, which ``workers`` threads evaluate. Their sums are added in shard
    order, so the result depends on the sharding (in the last digits) and not on the workers. BLAS
    is held to one thread meanwhile.

    Parameters
    ----------
    model : Sequential
        The network, which must end with the loss's output activation.
    X : array_like, shape (m, n_inputs)
        Rows of any numeric dtype and memory order. Never written to. Rows may be in a file: a
        memory map, an h5py dataset, a zarr array, or an object of your own with ``shape``,
        ``dtype`` and ``X[start:stop]``. README.md beside this file says what that costs. A
        DataFrame of pandas or polars must have columns of numbers without missing values. Its
        column names become ``model.feature_names``, or must equal them.
    Y : array_like, shape (m, n_outputs) or (m,)
        Targets. For the cross-entropies also integer labels (m,), which stand for one-hot targets.
        For a model of one output also (m,) numbers. They may be in a file too.
    loss : Loss
        Such as ``BinaryCrossEntropy()``.
    l2 : float, default 0
        The exercise's lambda; the same number as scikit-learn's ``alpha``.
    sample_weight : array_like, shape (m,), optional
        How many times each row counts: weight 2 equals the row twice. The cost is divided by their
        sum instead of m.
    class_weight : "balanced", sequence or mapping of label to float, optional
        A weight for each class; classes that a mapping leaves out have 1. "balanced" gives each
        class the same total weight, as in scikit-learn: m / (classes * rows of the class).
    shards : int, optional
        Number of pieces; default: a function of the sizes alone.
    workers : int, optional
        Number of threads; default: the CPUs that this process may use.
    dtype : "float64" or "float32", default "float64"
        The precision of the computation. float32 needs half the memory and less time; cost and
        gradient then carry relative errors of some 1e-6. Parameters and gradient stay float64.
    copy : bool, optional
        Whether shards are copies laid out for speed, which have passed leading layers such as
        Standardize already. Without, they are views of X and Y, for data too large to copy, or read
        from files at each use. Each evaluation then converts them if their dtype differs, and
        computes the leading layers. Default: True, but False if X or Y is in a file.

    Attributes
    ----------
    model, loss, l2
        As given.
    rows : int
        m.
    workers : int
        Number of threads.

    Raises
    ------
    TypeError, ValueError
        If X or Y is not a finite matrix of the model's widths with equally many rows, if the loss
        is not defined for targets or weights, if the model's last layer does not fit the loss, or
        if the loss's ``config`` lacks a constructor argument.
    DataError
        If a file cannot be read; later, if it has changed since.

    Examples
    --------
    >>> from minilayer import Dense, Sequential, Sigmoid, BinaryCrossEntropy
    >>> model = Sequential([Dense(1, 1), Sigmoid()])
    >>> model.parameters[:] = 0
    >>> objective = Objective(model, [[1.0], [3.0]], [[0], [1]], loss=BinaryCrossEntropy())
    >>> cost, gradient = objective(model.parameters)
    >>> round(cost, 6), gradient
    (0.693147, array([ 0. , -0.5]))
    """

    @explains_unknown_arguments
    def __init__(
        self,
        model: Sequential,
        X: RowsLike,
        Y: RowsLike,
        loss: Loss,
        l2: float = 0.0,
        *,
        sample_weight: RowsLike | None = None,
        class_weight: ClassWeight | None = None,
        shards: int | None = None,
        workers: int | None = None,
        dtype: npt.DTypeLike = "float64",
        copy: bool | None = None,
    ) -> None:
        is_copied = None if copy is None else check_flag("copy", copy)
        check_output_activation(model, loss)
        inputs, targets = check_rows(model, loss, X, Y)
        weights = row_weights(loss, targets, sample_weight, class_weight)
        self.model = model
        self.loss = loss
        self.rows = len(inputs)
        self.l2 = check_number("l2", l2)
        self.workers = default_workers() if workers is None else check_count("workers", workers)
        count = default_shards_of(self.model, self.rows)
        if shards is not None:
            count = check_count("shards", shards)
        self._network = model.replica()  # stays as it is if the model takes in a layer
        self._trained = model.without_leading_layers()
        # Shards that are copies have passed the leading layers, so that no evaluation repeats them.
        if is_copied is None:
            is_copied = not to_be_read(inputs, targets)
        self._is_raw = not is_copied and bool(self._network.leading_layers)
        self._dtype = check_dtype(dtype)
        rows = (inputs, targets, weights)
        self._shards = self._make_shards(rows, count, copy=is_copied, is_raw=self._is_raw)
        has_passed = bool(self._network.leading_layers) and not self._is_raw
        self._raw_head = inputs[:HEAD_ROWS].astype(np.float64) if has_passed else None
        total_weight = self.rows if weights is None else float(weights.sum())
        self._mean = PenalizedMean(model, self.l2, total_weight)
        self._evaluator = self._make_evaluator(self.shards, is_raw=self._is_raw)
        self._seconds = 0.0  # of the last evaluation
        if model.feature_names is None:
            model.feature_names = column_names(X)

    def _make_shards(self, rows: GivenRows, count: int, *, copy: bool, is_raw: bool) -> Shards:
        """Return shards of rows; ``is_raw`` says whether the evaluator has the leading layers."""
        return Shards(
            rows,
            min(count, len(rows[0])),
            self._dtype,
            copy=copy,
            leading=() if is_raw else self._network.leading_layers,
            input_dtype=np.dtype(np.float64) if is_raw else None,
        )

    def _make_evaluator(self, shards: int, *, is_raw: bool) -> Evaluator:
        network = self._network if is_raw else self._trained
        return Evaluator(network, self.loss, self._dtype, min(self.workers, shards))

    @property
    def shards(self) -> int:
        """Number of pieces that the rows are cut into."""
        return len(self._shards)

    @property
    def dtype(self) -> np.dtype:
        """The precision of the computation."""
        return self._dtype

    @property
    def x0(self) -> Array:
        """A copy of the model's parameters: where training starts."""
        return self.model.parameters.copy()

    def set_parameters(self, x: npt.ArrayLike) -> None:
        """Set the model's parameters.

        Parameters
        ----------
        x : array_like, shape (n_parameters,)
            The new parameters.
        """
        self.model.parameters[:] = check_vector("x", x, self._mean.size)
        self.model.mark_trained()

    def __call__(self, x: npt.ArrayLike) -> tuple[float, Array]:
        """Return cost and gradient at x. Calls from several threads take turns.

        Parameters
        ----------
        x : array_like, shape (n_parameters,)
            A point, in the layout of ``model.parameters``.

        Returns
        -------
        cost : float
            The mean loss of a row, plus the penalty.
        gradient : ndarray, shape (n_parameters,)
            A new float64 array.
        """
        began = time.perf_counter()
        cost, gradient = self._cost_and_gradient(x, self._shards, 1.0)
        self._seconds = time.perf_counter() - began
        return cost, gradient

    def minibatch(self, x: npt.ArrayLike, rows: npt.ArrayLike) -> tuple[float, Array]:
        """Return cost and gradient at x estimated from some rows.

        The mean of the estimate over random rows is the cost itself, l2 and weights included.

        Parameters
        ----------
        x : array_like, shape (n_parameters,)
            A point.
        rows : array_like of int, shape (b,)
            Row numbers.

        Returns
        -------
        cost : float
            The estimated cost.
        gradient : ndarray, shape (n_parameters,)
            The estimated gradient, a new float64 array.

        Raises
        ------
        TypeError, ValueError
            For arguments that are not a vector of parameters and valid row numbers.
        """
        chosen = check_row_numbers(rows, self.rows)
        minibatch = Minibatch(self._shards, chosen, default_shards_of(self.model, len(chosen)))
        return self._cost_and_gradient(x, minibatch, self.rows / len(chosen))

    def shuffled_rows(self, rng: np.random.Generator) -> Iterator[Array]:
        """Return all row numbers once, in random order, for an epoch of minibatches.

        Rows in memory are shuffled all together. From a file, units of rows that lie side by side
        are shuffled, then the rows of units of 8 MB together. Each unit is so read once an epoch.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of randomness.

        Returns
        -------
        iterator of ndarray of int
            Row numbers.
        """
        return self._shards.shuffled_rows(rng)

    def _cost_and_gradient(
        self, x: npt.ArrayLike, rows: Shards | Minibatch, scale: float
    ) -> tuple[float, Array]:
        """Return cost and gradient with the sums over ``rows`` taken ``scale`` times."""
        point = check_vector("x", x, self._mean.size)
        # The penalty's dot product is inside the hold, as BLAS's own threads would spin beside the
        # shards. A cost that is not finite is a result, which trainers report.
        with single_threaded_blas(), np.errstate(all="ignore"):
            return self._mean.cost_and_gradient(
                point, lambda total: self._evaluator.gradient(point, rows, total), scale
            )

    def hessp(self, x: npt.ArrayLike, v: npt.ArrayLike, *, gauss_newton: bool = False) -> Array:
        """Return the product of the cost's Hessian at x with v: SciPy's contract for ``hessp``.

        The product is exact, and the Hessian is never formed. It takes the time of about one
        evaluation if x is the same as in the last product and there are no more shards than
        workers. If not, it takes about 1.6.

        Parameters
        ----------
        x, v : array_like, shape (n_parameters,)
            A point and a direction.
        gauss_newton : bool, default False
            Whether to take the Gauss-Newton matrix instead, for which v @ product is never negative
            (Schraudolph, 2002): J' H J, with H the loss's second derivative with respect to what it
            sees, negative parts left out. For the squared error it is J'J.

        Returns
        -------
        ndarray, shape (n_parameters,)
            A new float64 array.

        Raises
        ------
        CurvatureError
            For a layer of your own without ``jvp`` and ``second_order_term``, and a loss without
            second derivative.
        """
        self.require_hessian_support(gauss_newton)
        point = check_vector("x", x, self._mean.size)
        direction = check_vector("v", v, self._mean.size)
        with single_threaded_blas(), np.errstate(all="ignore"):
            return self._mean.product(
                direction,
                lambda total: self._evaluator.product(
                    point, direction, self._shards, gauss_newton, total
                ),
            )

    def require_hessian_support(self, gauss_newton: bool = False) -> None:
        """Raise CurvatureError for a layer or loss that Hessian products cannot pass.

        Parameters
        ----------
        gauss_newton : bool, default False
            Whether Gauss-Newton products are asked for, which need less.

        Raises
        ------
        CurvatureError
            It names the layer or the loss.
        """
        self.loss.require_hessian_support()
        for layer in self._trained.layers:
            layer.require_hessian_support(gauss_newton)

    def preconditioner(self) -> Preconditioner:
        """Return a preconditioner for LBFGS, made from rows spread evenly over the data.

        Returns
        -------
        Preconditioner
            To be refreshed at a point before its first use.
        """
        some, _ = self._shards.spread(Preconditioner.rows_for(self._trained, self.rows))
        if self._is_raw:
            some = through(self._network.leading_layers, some, self.dtype)
        return Preconditioner(self._trained, some, self.rows)

    def validation_rows(self, X: RowsLike, Y: RowsLike) -> ValidationRows:
        """Return other rows for the same model and loss.

        Parameters
        ----------
        X, Y : array_like
            Rows as the Objective takes them.

        Returns
        -------
        ValidationRows
            A function x -> (mean loss without penalty, predictions).
        """
        inputs, targets = check_rows(self.model, self.loss, X, Y)
        rows = (inputs, targets, None)
        count = default_shards_of(self.model, len(inputs))
        is_read = to_be_read(inputs, targets)
        is_raw = self._is_raw or (is_read and bool(self._network.leading_layers))
        shards = self._make_shards(rows, count, copy=not is_read, is_raw=is_raw)
        evaluator = self._evaluator
        if is_raw != self._is_raw:  # copies have passed the leading layers, these rows have not
            evaluator = self._make_evaluator(len(shards), is_raw=True)
        return ValidationRows(evaluator, shards, len(inputs))

    def head(self, rows: int) -> tuple[Array, Array]:
        """Return the first rows of X and Y as new float64 arrays.

        There are at most those of one shard, and 1000 if the model begins with Standardize.

        Parameters
        ----------
        rows : int
            How many.

        Returns
        -------
        X, Y : ndarray
            Inputs (rows, n_inputs) and targets (rows, n_outputs).
        """
        x, y, _ = self._shards.load(0, Workspace())
        if self._raw_head is not None:
            x = self._raw_head[: len(y)]
        count = min(rows, len(x))
        return np.array(x[:count], dtype=np.float64), np.array(y[:count], dtype=np.float64)

    def advice(self, x: npt.ArrayLike, /, *, success: bool) -> str:
        """Return a sentence for the message of a run that ended at x; "" if there is none.

        It names columns whose sizes are hard for training. After a success it does so only if the
        network explains less than half of the variance of the targets: large columns saturate
        units, and then a minimum can be a poor one. About 1000 rows, spread over the data, decide.

        Parameters
        ----------
        x : array_like, shape (n_parameters,)
            The parameters that the run found.
        success : bool
            Whether it was a success.

        Returns
        -------
        str
            Such as "column 3 of X is 4e+03 in size: use fit(..., standardize=True), or
            Standardize.of(X) as the first layer".
        """
        if self._network.leading_layers:
            return ""
        with suppress(DataError):  # the run has its result, even if its file is gone
            spread = self._shards.spread(ADVISED_ROWS)
            return advice_on_rows(self._network, self.loss, x, *spread, success=success)
        return ""

    def fingerprint(self) -> str:
        """Return a checksum of all that an evaluation depends on, apart from x.

        Returns
        -------
        str
            Of data, layers, loss, l2, sharding and precision.
        """
        return fingerprint(
            self._network,
            self.loss,
            self.l2,
            digest=self._shards.digest(),
            shards=self.shards,
        )

    def identity(self) -> dict[str, str]:
        """Return in words what the fingerprint depends on, apart from the numbers of X and Y.

        Returns
        -------
        dict of str to str
            Layers, loss, l2, number of rows, of shards, precision, and whether data are copied.
        """
        together = self._shards.rows_read_together
        return {
            **identity(
                self._network,
                self.loss,
                self.l2,
                rows=self.rows,
                shards=self.shards,
                dtype=self.dtype,
                copy=self._shards.is_copied,
            ),
            **({"rows read together": str(together)} if together > 1 else {}),
        }

    def progress_note(self) -> str:
        """Return the rows a second of the last evaluation, if rows are in a file.

        Returns
        -------
        str
            Such as "1.2M rows/s"; "" for rows in memory, and before the first evaluation.
        """
        if not self._seconds or not self._shards.is_read:
            return ""
        return f"{short_count(self.rows / self._seconds)} rows/s"

    def __repr__(self) -> str:
        return (
            f"Objective({self.model!r}, {self.rows} rows, {self.loss!r}, l2={self.l2:g}, "
            f"shards={self.shards}, workers={self.workers}, dtype={self.dtype})"
        )

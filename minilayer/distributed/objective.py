"""DaskObjective: the cost of a model on the rows of a cluster."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self, final

import numpy as np
import numpy.typing as npt

from ..errors import ClusterError
from ..nn import Loss, Sequential
from ..objective import ClassWeight, Preconditioner, ValidationRows
from ..objective.evaluator import LOCK_SECONDS, Evaluator
from ..objective.inputs import (
    check_dtype,
    check_output_activation,
    check_row_numbers,
    check_rows,
)
from ..objective.penalized_mean import PenalizedMean
from ..objective.run_identity import fingerprint, identity
from ..objective.scaling import ADVISED_ROWS, advice_on_rows
from ..objective.shards import Shards, default_shards_of, equal_edges, through
from ..utils.checks import check_count, check_number, check_vector
from ..utils.cpus import default_workers, single_threaded_blas
from ..utils.foreign_names import explains_unknown_arguments
from ..utils.interrupts import deferred_interrupts, raise_interrupt
from ..utils.reprs import short_count
from ..utils.types import Array
from .connection import Connection, finishes
from .parts import (
    PartFacts,
    PartSum,
    Recipe,
    Source,
    Span,
    minibatch_gradient,
    part_facts,
    part_gradient,
    part_product,
    spread_rows,
)
from .placement import Placement
from .rounds import Rounds
from .rows import (
    check_arrays,
    check_source,
    check_weight,
    chunk_edges,
    is_dask_array,
    spans,
)
from .work import Task

FETCH_SECONDS = 10.0
"""After which validation rows are asked for again."""
MAX_DEFAULT_PARTS = 64
"""Of a source: more parts take longer to hand out than to add up."""


@final
class DaskObjective:
    """The cost of a model on the rows of a cluster: ``objective(x) -> (cost, gradient)``.

    It computes what ``Objective`` computes, and every trainer takes it. Its rows are cut into
    parts, which the workers of a Dask cluster hold. Each evaluation is one task a part, and the
    client adds the gradients in part order. The result so has the same bits for any number of
    workers, and those of ``Objective(..., copy=False)`` with the same shards, on machines whose
    BLAS takes the same kernel.

    A part is loaded again if its worker is lost, and parts are shared out evenly over workers that
    come and go. Without any worker an evaluation waits for ``worker_timeout`` seconds.

    Parameters
    ----------
    model : Sequential
        The network, which must end with the loss's output activation.
    X : dask array, shape (m, n_inputs), optional
        Rows of any numeric dtype, all columns in one chunk. The client never loads it.
    Y : dask array, shape (m, n_outputs) or (m,), optional
        Targets, as Objective takes them.
    loss : Loss
        Such as ``BinaryCrossEntropy()``.
    l2 : float, default 0
        The exercise's lambda; the same number as scikit-learn's ``alpha``.
    source : callable, optional
        In place of X and Y: ``source(start, stop)`` returns X and Y of the rows from ``start`` to
        ``stop - 1``. It runs on the workers, for files that all of them can read. It must return
        the same rows whenever it is called.
    rows : int, optional
        m, which a source does not tell.
    client : distributed.Client or str, optional
        A client, or the address of a scheduler. Default: the default client; if there is none, a
        LocalCluster with a process for each CPU, which ``close`` ends.
    sample_weight : array_like, shape (m,), optional
        How many times each row counts; it stays in the memory of the client. The cost is divided by
        their sum.
    class_weight : sequence or mapping of label to float, optional
        A weight for each class; classes that a mapping leaves out have 1.
    shards : int, optional
        Number of parts, of nearly equal size. Default: the chunks of X; for a source a function of
        the sizes alone, at most 64.
    dtype : "float64" or "float32", default "float64"
        The precision of the computation.
    worker_timeout : float, default 60
        Seconds to wait for a worker if there is none.

    Attributes
    ----------
    model, loss, l2
        As given.
    rows : int
        m.
    shards : int
        Number of parts.
    client : distributed.Client
        The client.
    slowest_seconds : float
        What the slowest part of the last evaluation took on its worker.

    Raises
    ------
    TypeError, ValueError
        For rows that Objective refuses too; the message names the row and the part.
    ClusterError
        If there is no worker for too long, and if the source raises an exception.

    See Also
    --------
    minilayer.Objective : For rows in memory, or in files of this machine.

    Examples
    --------
    >>> import dask.array as da
    >>> import minilayer as ml
    >>> from distributed import Client
    >>> model = ml.mlp(2, 4, 1, output=ml.Sigmoid, seed=0)
    >>> X = da.random.default_rng(0).standard_normal((1000, 2), chunks=(250, -1))
    >>> Y = (X[:, 0] > X[:, 1]).astype(int)
    >>> client = Client(processes=False, dashboard_address=":0")
    >>> loss = ml.BinaryCrossEntropy()
    >>> with DaskObjective(model, X, Y, loss, l2=1e-3, client=client) as objective:
    ...     result = ml.LBFGS(max_iterations=30).minimize(objective)
    >>> objective.shards, result.fun < 0.1
    (4, True)
    >>> client.shutdown()
    """

    @explains_unknown_arguments
    def __init__(
        self,
        model: Sequential,
        X: Any = None,
        Y: Any = None,
        loss: Loss | None = None,
        l2: float = 0.0,
        *,
        source: Source | None = None,
        rows: int | None = None,
        client: Any = None,
        sample_weight: npt.ArrayLike | None = None,
        class_weight: ClassWeight | None = None,
        shards: int | None = None,
        dtype: npt.DTypeLike = "float64",
        worker_timeout: float = 60.0,
    ) -> None:
        if loss is None:
            raise TypeError("loss: expected a Loss such as BinaryCrossEntropy(), found None")
        check_output_activation(model, loss)
        self.model = model
        self.loss: Loss = loss
        self.l2 = check_number("l2", l2)
        self._dtype = check_dtype(dtype)
        arrays = self._checked_arrays(X, Y, source)
        self.rows = check_source(source, rows) if arrays is None else len(arrays[0])
        if isinstance(class_weight, str):
            raise ValueError(
                f"class_weight: expected a weight for each class, found {class_weight!r}: "
                "give numbers, such as {0: 1, 1: 9}"
            )
        weight = check_weight(sample_weight, self.rows, loss)
        self._spans = spans(self._edges(arrays, shards))
        timeout = check_number("worker_timeout", worker_timeout)
        self._network = model.replica()  # stays as it is if the model takes in a layer
        self._trained = model.without_leading_layers()
        self._is_raw = bool(self._network.leading_layers)
        recipe = Recipe(
            token=uuid.uuid4().hex,
            layers=tuple(layer.unbound_copy() for layer in self._network.layers),
            parameters=model.parameters.size,
            loss=loss,
            dtype=self._dtype,
            input_dtype=np.dtype(np.float64) if self._is_raw else None,
            class_weight=class_weight,
            source=source,
        )
        self._lock = threading.RLock()
        self._is_closed = False
        self._evaluator: Evaluator | None = None  # of validation rows
        self._note = ""
        self.slowest_seconds = 0.0
        self._connection = Connection(client)
        try:
            self._placement = Placement(
                self._connection,
                recipe,
                self._spans,
                arrays=arrays,
                weight=weight,
                worker_timeout=timeout,
            )
            self._rounds = Rounds(self._connection, self._placement, self._spans)
            self._facts = self._load()
        except BaseException:
            self.close()
            raise
        total = sum(facts.total_weight for facts in self._facts)
        if weight is not None and class_weight is None:
            total = float(weight.sum())  # the bits of Objective's
        if not total:
            self.close()
            raise ValueError(
                "sample_weight and class_weight: expected at least one row of positive weight, "
                "found 0 for each"
            )
        self._mean = PenalizedMean(model, self.l2, total)

    def _checked_arrays(self, X: Any, Y: Any, source: Source | None) -> tuple[Any, Any] | None:
        if source is not None:
            if X is not None or Y is not None:
                raise TypeError("source: expected None beside X and Y, found a function")
            return None
        meaning = f"columns (inputs of {self.model.layers[0]!r})"
        return check_arrays(X, Y, self.model.n_inputs, meaning)

    def _edges(self, arrays: tuple[Any, Any] | None, shards: int | None) -> list[int]:
        if shards is not None:
            return equal_edges(self.rows, check_count("shards", shards))
        if arrays is not None:
            return chunk_edges(arrays[0])
        return equal_edges(
            self.rows, min(MAX_DEFAULT_PARTS, default_shards_of(self.model, self.rows))
        )

    def _load(self) -> list[PartFacts]:
        """Load all parts, and remember their checksums for the next time."""
        with self._turn():
            facts = list(self._rounds.run(Task(part_facts)))
        self._placement.digests = [one.digest for one in facts]
        return facts

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Take turns with other threads, as Objective does; Ctrl-C is raised while waiting."""
        with single_threaded_blas(), np.errstate(all="ignore"):  # it defers Ctrl-C
            while not self._lock.acquire(timeout=LOCK_SECONDS):
                raise_interrupt()
            try:
                if self._is_closed:
                    raise ClusterError(
                        "objective: expected an open DaskObjective, found a closed one"
                    )
                yield
            finally:
                self._lock.release()

    def close(self) -> None:
        """Let the workers forget the rows; close a client and a cluster that were opened here."""
        with deferred_interrupts():
            if not self._is_closed:
                self._is_closed = True
                if hasattr(self, "_placement"):
                    self._placement.release()
                self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def shards(self) -> int:
        """Number of parts that the rows are cut into."""
        return len(self._spans)

    @property
    def client(self) -> Any:
        """The client of the cluster."""
        return self._connection.client

    @property
    def parts_of_workers(self) -> dict[str, int]:
        """How many parts each worker holds, by address, as of the last evaluation."""
        return dict(Counter(self._placement.workers))

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
        """Return cost and gradient at x.

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

        Raises
        ------
        ClusterError
            If there is no worker for too long, or a part cannot be loaded or evaluated.
        """
        point = check_vector("x", x, self._mean.size)
        began = time.perf_counter()
        sums: list[PartSum] = []
        with self._turn():
            found = self._mean.cost_and_gradient(
                point, lambda total: self._add(Task(part_gradient, (point,)), total, sums)
            )
        self._write_note(sums, time.perf_counter() - began)
        return found

    def hessp(self, x: npt.ArrayLike, v: npt.ArrayLike, *, gauss_newton: bool = False) -> Array:
        """Return the product of the cost's Hessian at x with v: SciPy's contract for ``hessp``.

        Parameters
        ----------
        x, v : array_like, shape (n_parameters,)
            A point and a direction.
        gauss_newton : bool, default False
            Whether to take the Gauss-Newton matrix instead, as in ``Objective.hessp``.

        Returns
        -------
        ndarray, shape (n_parameters,)
            A new float64 array.

        Raises
        ------
        CurvatureError
            For a layer or loss without second derivatives.
        ClusterError
            As for a call.
        """
        self.require_hessian_support(gauss_newton)
        point = check_vector("x", x, self._mean.size)
        direction = check_vector("v", v, self._mean.size)
        own = dict.fromkeys(range(self.shards), (gauss_newton,))
        task = Task(part_product, (point, direction), own)
        with self._turn():
            return self._mean.product(direction, lambda total: self._add(task, total, []))

    def minibatch(self, x: npt.ArrayLike, rows: npt.ArrayLike) -> tuple[float, Array]:
        """Return cost and gradient at x estimated from some rows: one task for each of their parts.

        Handing out tasks takes some 10 ms or more, so minibatches pay only if they are large.

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
        ClusterError
            As for a call.
        """
        chosen = check_row_numbers(rows, self.rows)
        point = check_vector("x", x, self._mean.size)
        starts = [span.start for span in self._spans]
        of_rows = np.searchsorted(starts, chosen, side="right") - 1
        own = {int(part): (chosen[of_rows == part] - starts[part],) for part in np.unique(of_rows)}
        task = Task(minibatch_gradient, (point,), own)
        with self._turn():
            return self._mean.cost_and_gradient(
                point,
                lambda total: self._add(task, total, [], parts=list(own)),
                self.rows / len(chosen),
            )

    def shuffled_rows(self, rng: np.random.Generator) -> Iterator[Array]:
        """Yield all row numbers once, in random order, as Objective does for rows in memory.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of randomness.

        Yields
        ------
        ndarray of int
            Row numbers.
        """
        yield rng.permutation(self.rows)

    def _add(
        self, task: Task, total: Array, sums: list[PartSum], parts: list[int] | None = None
    ) -> float:
        """Add the vectors of a task's results to ``total``; return the sum of their losses."""
        loss = 0.0
        for found in self._rounds.run(task, parts, sums=True):
            np.add(total, found.vector, out=total)
            loss += found.loss
            sums.append(found._replace(vector=total))
        return loss

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
        some, _ = self._spread(Preconditioner.rows_for(self._trained, self.rows))
        if self._is_raw:
            some = through(self._network.leading_layers, some, self.dtype)
        return Preconditioner(self._trained, some, self.rows)

    def _spread(self, count: int) -> tuple[Array, Array]:
        """Return inputs and targets of about ``count`` rows of positive weight, evenly spread."""
        candidates = [facts.candidates for facts in self._facts]
        step = max(1, sum(candidates) // count)
        passed = np.cumsum([0, *candidates[:-1]])
        own = {part: (int(-before % step), step) for part, before in enumerate(passed)}
        with self._turn():
            inputs, targets = zip(*self._rounds.run(Task(spread_rows, (), own)), strict=True)
        return np.concatenate(inputs), np.concatenate(targets)

    def validation_rows(self, X: Any, Y: Any) -> ValidationRows:
        """Return other rows for the same model and loss, which this process evaluates.

        Parameters
        ----------
        X, Y : array_like or dask array
            Rows as Objective takes them; dask arrays are loaded into memory.

        Returns
        -------
        ValidationRows
            A function x -> (mean loss without penalty, predictions).
        """
        inputs, targets = check_rows(self.model, self.loss, self._fetched(X), self._fetched(Y))
        workers = default_workers()
        if self._evaluator is None:
            network = self._network if self._is_raw else self._trained
            self._evaluator = Evaluator(network, self.loss, self.dtype, workers)
        shards = Shards(
            (inputs, targets, None),
            min(default_shards_of(self.model, len(inputs)), len(inputs)),
            self._dtype,
            copy=True,
            input_dtype=np.dtype(np.float64) if self._is_raw else None,
        )
        return ValidationRows(self._evaluator, shards, len(inputs))

    def _fetched(self, array: Any) -> Any:
        """Return an array in memory."""
        if not is_dask_array(array):
            return array
        future = self.client.compute(array)
        with self._turn():
            while True:
                answer = self._connection.begin(self.client.gather, future, asynchronous=True)
                if finishes(answer, FETCH_SECONDS):
                    return answer.result()
                self._placement.balance()  # it waits if there is no worker

    def advice(self, x: npt.ArrayLike, /, *, success: bool) -> str:
        """Return a sentence for the message of a run that ended at x; "" if there is none.

        Parameters
        ----------
        x : array_like, shape (n_parameters,)
            The parameters that the run found.
        success : bool
            Whether it was a success.

        Returns
        -------
        str
            As ``Objective.advice`` does.
        """
        if self._is_raw:
            return ""
        spread = self._spread(ADVISED_ROWS)
        return advice_on_rows(self._network, self.loss, x, *spread, success=success)

    def progress_note(self) -> str:
        """Return rows a second and the slowest part of the last evaluation.

        Returns
        -------
        str
            Such as "1.2M rows/s, slowest part 3: 0.21 s"; "" before the first evaluation.
        """
        return self._note

    def _write_note(self, sums: list[PartSum], seconds: float) -> None:
        slowest = max(sums, key=lambda one: one.seconds)
        self.slowest_seconds = slowest.seconds
        rate = short_count(self.rows / seconds)
        self._note = f"{rate} rows/s, slowest part {slowest.part}: {slowest.seconds:.2g} s"

    def fingerprint(self) -> str:
        """Return a checksum of all that an evaluation depends on, apart from x.

        Returns
        -------
        str
            Of data, layers, loss, l2, sharding and precision.
        """
        digests = [f"{span.start} {facts.digest}" for span, facts in self._spans_and_facts()]
        digest = hashlib.sha256("|".join(digests).encode()).hexdigest()
        return fingerprint(self._network, self.loss, self.l2, digest=digest, shards=self.shards)

    def _spans_and_facts(self) -> list[tuple[Span, PartFacts]]:
        return list(zip(self._spans, self._facts, strict=True))

    def identity(self) -> dict[str, str]:
        """Return in words what the fingerprint depends on, apart from the numbers of X and Y.

        Returns
        -------
        dict of str to str
            Layers, loss, l2, number of rows, of shards, and precision.
        """
        words = identity(
            self._network,
            self.loss,
            self.l2,
            rows=self.rows,
            shards=self.shards,
            dtype=self.dtype,
            copy=False,
        )
        return {"objective": "DaskObjective", **words}

    def __repr__(self) -> str:
        return (
            f"DaskObjective({self.model!r}, {self.rows} rows, {self.loss!r}, l2={self.l2:g}, "
            f"shards={self.shards}, dtype={self.dtype}, client={self.client!r})"
        )

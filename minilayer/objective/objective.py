"""Objective: the cost of a model on data, and its gradient, as a function of the flat parameter vector."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import final

import numpy as np
import numpy.typing as npt

from ..checkpoint.writer import load_state, save
from ..nn.losses import Loss
from ..nn.sequential import Sequential
from ..nn.workspace import Workspace
from ..utils.checks import check_count, check_flag, check_number, check_numeric, check_vector, shown
from ..utils.cpus import default_workers, single_threaded_blas
from ..utils.types import Array, State
from .evaluator import Evaluator
from .inputs import ClassWeight, check_dtype, check_link, check_rows, row_weights
from .preconditioner import Preconditioner
from .shards import Batch, Shards, default_shards
from .validation_rows import HeldOut


@final
class Objective:
    """``objective(x) -> (cost, gradient)``: SciPy's own contract for ``fun`` with ``jac=True``.

    The cost is the mean over the m rows of the loss summed over the output columns, plus ``l2 / (2 m)`` times the sum
    of the squared weights (biases excluded; l2 is the exercise's lambda). The gradient is a new float64 array at every
    call. An evaluation reads neither the model's parameters nor writes them: ``update(x)`` does that.
    ``hessp(x, v)`` is the product of the Hessian with a vector, exact.

    Y: targets (m, outputs); for the cross-entropies also integer labels (m,), which stand for one-hot targets, and for
    a model of one output also (m,) numbers. ``sample_weight`` (m,) >= 0 says how many times each row counts: 2 is as
    good as the row twice, and m is then the sum of the weights. ``class_weight`` is a weight for each class, as a
    sequence or by label (others 1), or "balanced": each class counts the same, as much in all as without.

    Rows are cut into ``shards``, evaluated by ``workers`` threads (default: the CPUs this process may use) and added in
    shard order: the result depends on the sharding, in the last digits, and not on the workers. BLAS is held to one
    thread meanwhile. With ``copy`` (the default) shards are copies laid out for speed; without it they are views of X
    and Y, converted shard by shard at each evaluation where their dtype is another, for data that is too large to copy.
    X and Y may be of any numeric dtype and memory order, and are never written to.

    ``dtype="float32"`` computes in single precision, for half the memory and less time: cost and gradient then carry
    relative errors of some 1e-6, while parameters and gradient remain float64.

    Raises TypeError or ValueError for X or Y that are not finite matrices of the model's widths with equally many rows,
    for targets or weights that the loss is not defined for, and for a model that does not end with the loss's link.

    >>> from minilayer import Dense, Sequential, Sigmoid, BinaryCrossEntropy
    >>> model = Sequential([Dense(1, 1), Sigmoid()])
    >>> model.parameters[:] = 0
    >>> objective = Objective(model, [[1.0], [3.0]], [[0], [1]], loss=BinaryCrossEntropy())
    >>> cost, gradient = objective(model.parameters)
    >>> round(cost, 6), gradient
    (0.693147, array([ 0. , -0.5]))
    """

    def __init__(
        self,
        model: Sequential,
        X: npt.ArrayLike,
        Y: npt.ArrayLike,
        loss: Loss,
        l2: float = 0.0,
        *,
        sample_weight: npt.ArrayLike | None = None,
        class_weight: ClassWeight | None = None,
        shards: int | None = None,
        workers: int | None = None,
        dtype: npt.DTypeLike = "float64",
        copy: bool = True,
    ) -> None:
        check_link(model, loss)
        inputs, targets = check_rows(model, loss, X, Y)
        weights = row_weights(loss, targets, sample_weight, class_weight)
        self.model, self.loss, self.rows = model, loss, len(inputs)
        self.l2 = check_number("l2", l2)
        self.workers = default_workers() if workers is None else check_count("workers", workers)
        count = self._default_shards(self.rows) if shards is None else check_count("shards", shards)
        self._shards = Shards(
            (inputs, targets, weights), min(count, self.rows), check_dtype(dtype), check_flag("copy", copy)
        )
        self._total = self.rows if weights is None else float(weights.sum())
        self._decay = self.l2 * model.penalized()
        self._evaluator = Evaluator(model, loss, self.dtype, min(self.workers, self.shards))

    def _default_shards(self, rows: int) -> int:
        return default_shards(rows, self.model.parameters.size, sum(layer.units or 0 for layer in self.model.layers))

    @property
    def shards(self) -> int:
        """How many pieces the rows are cut into."""
        return len(self._shards)

    @property
    def dtype(self) -> np.dtype:
        """The precision of the computation."""
        return self._shards.dtype

    @property
    def x0(self) -> Array:
        """A copy of the model's parameters: where training starts."""
        return self.model.parameters.copy()

    def update(self, x: npt.ArrayLike) -> None:
        """Set the model's parameters to x."""
        self.model.parameters[:] = check_vector("x", x, self._decay.size)

    def fingerprint(self) -> str:
        """A digest of all that the result of an evaluation depends on: data, model, loss, l2, sharding, precision."""
        layers = [(type(layer).__name__, layer.config()) for layer in self.model.layers]
        about = f"{layers!r}|{self.loss!r}|{self.l2!r}|{self._shards.digest()}"
        return hashlib.sha256(about.encode()).hexdigest() + f"/{self.shards}"

    def save(self, path: Path, x: Array, state: State) -> None:
        """Write a checkpoint of the model with parameters x and the training state."""
        save(self.model.replica(x), path, state=state)

    def load_state(self, path: Path) -> State:
        """The training state in a checkpoint of this model."""
        return load_state(path)

    def sample(self, rows: int) -> tuple[Array, Array]:
        """The first rows of X and Y, at most a shard of them, as new float64 arrays."""
        x, y, _ = self._shards.load(0, Workspace())
        return np.array(x[:rows], dtype=np.float64), np.array(y[:rows], dtype=np.float64)

    def __call__(self, x: npt.ArrayLike) -> tuple[float, Array]:
        """Cost and gradient at x, of the layout of ``model.parameters``. Calls from several threads take turns."""
        return self._cost_and_gradient(x, self._shards, 1.0)

    def batch(self, x: npt.ArrayLike, rows: npt.ArrayLike) -> tuple[float, Array]:
        """Cost and gradient estimated from some rows alone, given by number (b,): means of b replace means of m.

        The mean over random rows is the cost itself, l2 and weights included.
        """
        chosen = check_numeric("rows", rows)
        if chosen.ndim != 1 or chosen.size == 0 or chosen.dtype.kind not in "ui":
            hint = ": use numpy.flatnonzero(rows)" if chosen.dtype.kind == "b" else ""
            raise ValueError(f"rows: expected a 1-D array of row numbers, found {shown(rows)}{hint}")
        if chosen.min() < 0 or chosen.max() >= self.rows:
            raise ValueError(f"rows: expected numbers from 0 to {self.rows - 1}, found {chosen.min()}..{chosen.max()}")
        batch = Batch(self._shards, chosen, self._default_shards(len(chosen)))
        return self._cost_and_gradient(x, batch, self.rows / len(chosen))

    def _cost_and_gradient(self, x: npt.ArrayLike, rows: Shards | Batch, share: float) -> tuple[float, Array]:
        point = check_vector("x", x, self._decay.size)
        # A cost that is not finite is an answer, which the trainers report. The penalty is in the hold too: one product
        # on BLAS's own threads would leave them spinning beside the shards of the next evaluation.
        with single_threaded_blas(), np.errstate(all="ignore"):
            gradient = np.multiply(self._decay, point, dtype=np.float64)
            penalty = float(gradient @ point) / 2
            if share != 1:
                gradient /= share
            loss = self._evaluator.gradient(point, rows, gradient)
            gradient /= self._total / share
        return (share * loss + penalty) / self._total, gradient

    def hessp(self, x: npt.ArrayLike, v: npt.ArrayLike, *, gauss_newton: bool = False) -> Array:
        """The product of the cost's Hessian at x with v, exact, a new float64 array; SciPy's contract for ``hessp``.

        ``gauss_newton`` leaves out the part that the network's own bend adds, so that v @ product is never negative
        (Schraudolph, 2002). The Hessian is never formed. A product takes the time of about one evaluation where x is
        that of the last product and there are no more shards than workers, else of about 1.6.

        Raises TypeError for a layer of your own without ``tangent`` and ``curvature``.
        """
        point, direction = (check_vector(name, value, self._decay.size) for name, value in (("x", x), ("v", v)))
        with single_threaded_blas(), np.errstate(all="ignore"):
            product = np.multiply(self._decay, direction, dtype=np.float64)
            self._evaluator.product(point, direction, self._shards, gauss_newton, product)
            product /= self._total
        return product

    def preconditioner(self) -> Preconditioner:
        """What LBFGS guides its steps by, made of rows spread over all of them, four times as many as inputs."""
        some = self._shards.spread(Preconditioner.rows_for(self.model, self.rows))
        return Preconditioner(self.model, some, self.rows)

    def check_curvature(self, gauss_newton: bool = False) -> None:
        """Raise CurvatureError, naming it, for a layer that ``hessp`` cannot pass."""
        for layer in self.model.layers:
            layer.check_curvature(gauss_newton)

    def held_out(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> HeldOut:
        """Other rows for the same model and loss: a function x -> (mean loss without penalty, predictions)."""
        inputs, targets = check_rows(self.model, self.loss, X, Y)
        count = min(self._default_shards(len(inputs)), len(inputs))
        return HeldOut(self._evaluator, Shards((inputs, targets, None), count, self.dtype, True), len(inputs))

    def __repr__(self) -> str:
        return (
            f"Objective({self.model!r}, {self.rows} rows, {self.loss!r}, l2={self.l2:g}, "
            f"shards={self.shards}, workers={self.workers}, dtype={self.dtype})"
        )

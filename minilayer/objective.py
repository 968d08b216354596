"""Objective: the cost of a model on data, and its gradient, as a function of the flat parameter vector."""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt

from .checkpoint import load_state, save
from .checkpoint_reader import State
from .checks import Array, check_count, check_finite, check_matrix, check_number, check_vector
from .cpus import default_workers, single_threaded_blas
from .losses import Loss
from .parallel import Crew
from .sequential import Sequential
from .shards import Shards, default_shards
from .workspace import Workspace


@final
class Objective:
    """``objective(x) -> (cost, gradient)``: SciPy's own contract for ``fun`` with ``jac=True``.

    The cost is the mean over the m rows of the loss summed over the output columns, plus ``l2 / (2 m)`` times the sum
    of the squared weights (biases excluded; l2 is the exercise's lambda). The gradient is a new float64 array at every
    call. An evaluation reads neither the model's parameters nor writes them: ``update(x)`` does that.

    Rows are cut into ``shards``, evaluated by ``workers`` threads (default: the CPUs this process may use) and added in
    shard order: the result depends on the sharding, in the last digits, and not on the workers. BLAS is held to one
    thread meanwhile. With ``copy`` (the default) shards are copies laid out for speed; without it they are views of X
    and Y, converted shard by shard at each evaluation where their dtype is another, for data that is too large to copy.
    X, Y: numbers of any dtype and order, never written to.

    ``dtype="float32"`` computes in single precision, for half the memory and less time: cost and gradient then carry
    relative errors of some 1e-6, while parameters and gradient remain float64.

    Raises TypeError or ValueError for X or Y that are not finite matrices of the model's widths with equally many rows,
    for targets that the loss is not defined for, and for a model that does not end with the loss's link.

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
        shards: int | None = None,
        workers: int | None = None,
        dtype: npt.DTypeLike = "float64",
        copy: bool = True,
    ) -> None:
        if not isinstance(model, Sequential):
            raise TypeError(f"model: expected a Sequential, found {model!r}")
        _check_link(model, loss)
        inputs, targets = _check_data(model, loss, X, Y)
        self.model, self.loss = model, loss
        self.l2 = check_number("l2", l2)
        self.rows = len(inputs)
        self.workers = default_workers() if workers is None else check_count("workers", workers)
        units = sum(layer.units or 0 for layer in model.layers)
        default = default_shards(self.rows, model.parameters.size, units)
        count = default if shards is None else check_count("shards", shards)
        self._shards = Shards(inputs, targets, min(count, self.rows), _check_dtype(dtype), copy)
        self._penalized = model.penalized()
        self._start_crew()

    def _start_crew(self) -> None:
        """A replica and a work space for each worker, over one vector that each evaluation sets to its x."""
        crew = min(self.workers, self.shards)
        self._vector = np.empty(self.model.parameters.size, self.dtype)
        self._replicas = [self.model.replica(self._vector) for _ in range(crew)]
        self._work = [Workspace() for _ in range(crew)]
        self._crew = Crew(crew)
        self._lock = threading.Lock()
        self._process = os.getpid()

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
        self.model.parameters[:] = check_vector("x", x, self._vector.size)

    def fingerprint(self) -> str:
        """A digest of all that the result of an evaluation depends on: data, model, loss, l2, sharding, precision."""
        layers = [(type(layer).__name__, layer.config()) for layer in self.model.layers]
        digest = hashlib.sha256(f"{layers!r}|{self.loss!r}|{self.l2!r}|{self.rows}|{self.dtype}".encode())
        for shard in range(self.shards):
            for part in self._shards.load(shard, Workspace()):
                digest.update(np.ascontiguousarray(part).data)
        return digest.hexdigest() + f"/{self.shards}"

    def save(self, path: Path, x: Array, state: State) -> None:
        """Write a checkpoint of the model with parameters x and the training state."""
        save(self.model.replica(x), path, state=state)

    def load_state(self, path: Path) -> State:
        """The training state in a checkpoint of this model."""
        return load_state(path)

    def sample(self, rows: int) -> tuple[Array, Array]:
        """The first rows of X and Y, at most a shard of them, as new float64 arrays."""
        x, y = self._shards.load(0, Workspace())
        return np.array(x[:rows], dtype=np.float64), np.array(y[:rows], dtype=np.float64)

    def __call__(self, x: npt.ArrayLike) -> tuple[float, Array]:
        """Cost and gradient at x, of the layout of ``model.parameters``. Calls from several threads take turns."""
        point = check_vector("x", x, self._vector.size)
        if self._process != os.getpid():  # neither threads nor locks that they held survive a fork
            self._start_crew()
        # A cost that is not finite is an answer, which the trainers report. The penalty is in the hold too: one product
        # on BLAS's own threads would leave them spinning beside the shards of the next evaluation.
        with self._lock, single_threaded_blas(), np.errstate(all="ignore"):
            self._vector[:] = point
            cost, gradient = self._sum_over_shards()
            weights = np.where(self._penalized, point, 0.0)
            cost += self.l2 / 2 * float(weights @ weights)
            gradient += self.l2 * weights
            gradient /= self.rows
        return cost / self.rows, gradient

    def _sum_over_shards(self) -> tuple[float, Array]:
        gradient = np.zeros(self._vector.size)
        costs = [0.0] * self.shards

        def compute(worker: int, shard: int) -> None:
            with np.errstate(all="ignore"):  # which holds for the thread that says it
                costs[shard] = self._evaluate_shard(worker, shard)

        def combine(worker: int, shard: int) -> None:
            np.add(gradient, self._replicas[worker].gradient, out=gradient)

        self._crew.run(self.shards, compute, combine)
        return sum(costs), gradient

    def _evaluate_shard(self, worker: int, shard: int) -> float:
        """The loss summed over a shard's rows; its gradient is left in the worker's replica."""
        replica, work = self._replicas[worker], self._work[worker]
        x, y = self._shards.load(shard, work)
        z = replica.propagate(x, link=False)
        cost = self.loss.evaluate(z, y, work)
        replica.backward(z, link=False)
        return cost

    def __getstate__(self) -> dict[str, Any]:
        transient = {"_vector", "_replicas", "_work", "_crew", "_lock", "_process"}
        return {name: value for name, value in self.__dict__.items() if name not in transient}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start_crew()

    def __repr__(self) -> str:
        return (
            f"Objective({self.model!r}, {self.rows} rows, {self.loss!r}, l2={self.l2:g}, "
            f"shards={self.shards}, workers={self.workers}, dtype={self.dtype})"
        )


def _check_dtype(dtype: npt.DTypeLike) -> np.dtype:
    with suppress(TypeError):
        found = np.dtype(dtype)
        if found.name in ("float64", "float32"):
            return found
    raise ValueError(f"dtype: expected 'float64' or 'float32', found {dtype!r}")


def _check_link(model: Sequential, loss: Loss) -> None:
    if not isinstance(loss, Loss):
        hint = f": write {loss.__name__}()" if isinstance(loss, type) and issubclass(loss, Loss) else ""
        raise TypeError(f"loss: expected a Loss such as BinaryCrossEntropy(), found {loss!r}{hint}")
    last = model.layers[-1]
    if type(last) is not loss.link:
        raise ValueError(f"loss: {loss!r} needs {loss.link.__name__} as the last layer, found {last!r}")


def _check_data(model: Sequential, loss: Loss, X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Array, Array]:
    inputs = check_matrix("X", X, model.inputs, f"columns (inputs of {model.layers[0]!r})")
    targets = check_matrix("Y", Y, model.outputs, "columns (outputs of the model)")
    if len(inputs) != len(targets):
        raise ValueError(f"Y: expected as many rows as X, {len(inputs)}, found {len(targets)}")
    check_finite("X", inputs)
    check_finite("Y", targets)
    loss.check_targets(targets)
    return inputs, targets

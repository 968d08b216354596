"""What runs on the workers: a part of the rows is loaded once, and summed over many times.

These functions are the tasks of a cluster. A part is the result of a task, so that the cluster can
make it again.
"""

from __future__ import annotations

import re
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from ..nn import Layer, Loss, Sequential
from ..nn.sequential import sequential_with
from ..objective.evaluator import Evaluator
from ..objective.inputs import ClassWeight, check_rows, class_weights
from ..objective.shards import Minibatch, Shards
from ..utils.checks import check_numeric, short_repr
from ..utils.cpus import single_threaded_blas
from ..utils.types import Array

Source = Callable[[int, int], tuple[Any, Any]]
"""Returns X and Y of the rows from ``start`` to ``stop - 1``."""


@dataclass(frozen=True)
class Span:
    """Which rows a part holds."""

    part: int
    start: int
    stop: int

    def __str__(self) -> str:
        return f"part {self.part} (rows {self.start} to {self.stop - 1})"


@dataclass(frozen=True)
class Recipe:
    """What a worker needs to know of an objective, apart from rows and parameters."""

    token: str
    layers: tuple[Layer, ...]
    parameters: int
    loss: Loss
    dtype: np.dtype
    input_dtype: np.dtype | None
    class_weight: ClassWeight | None
    source: Source | None

    def network(self) -> Sequential:
        """Return a new network, whose parameters are not set."""
        layers = [layer.unbound_copy() for layer in self.layers]
        return sequential_with(layers, np.empty(self.parameters))

    def evaluator(self) -> Evaluator:
        """Return a new evaluator of one thread."""
        return Evaluator(self.network(), self.loss, self.dtype, 1)


class PartError(Exception):
    """A part that is refused: the kind of exception and the message that the user is to see."""


class PartSum(NamedTuple):
    """What a part adds to a sum over all rows."""

    loss: float
    vector: Array
    seconds: float
    part: int
    """The part that took these seconds; of several the slowest."""


class PartFacts(NamedTuple):
    """What is known of a part once it is loaded."""

    total_weight: float
    candidates: int
    """Rows of positive weight."""
    digest: str


class _EvaluatorPool:
    """Evaluators that wait for the next task; as many as tasks have run at a time."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._lock = threading.Lock()
        self._free: list[tuple[Evaluator, weakref.ref[Part]]] = []

    @contextmanager
    def evaluator(self, part: Part) -> Iterator[Evaluator]:
        """Lend an evaluator, the one that was last at work on this part if it is free."""
        with self._lock:
            own = [pair for pair in self._free if pair[1]() is part]
            chosen = own[0] if own else self._free[-1] if self._free else None
            if chosen is not None:
                self._free.remove(chosen)
        evaluator = self._recipe.evaluator() if chosen is None else chosen[0]
        if not own:
            evaluator.forget_forward_passes()  # they are those of another part
        try:
            yield evaluator
        finally:
            with self._lock:
                self._free.append((evaluator, weakref.ref(part)))


_pools: weakref.WeakValueDictionary[str, _EvaluatorPool] = weakref.WeakValueDictionary()
"""By the token of the recipe. The parts of an objective keep its pool, and it goes with them."""
_pools_lock = threading.Lock()


@final
class Part:
    """Some rows in a worker's memory."""

    def __init__(self, recipe: Recipe, span: Span, shards: Shards) -> None:
        self.recipe = recipe
        self.span = span
        self.shards = shards
        with _pools_lock:
            pool = _pools.get(recipe.token)
            if pool is None:
                pool = _pools[recipe.token] = _EvaluatorPool(recipe)
        self._pool = pool

    @contextmanager
    def evaluator(self) -> Iterator[Evaluator]:
        """Lend an evaluator, in the surroundings that it needs."""
        with (
            self._pool.evaluator(self) as evaluator,
            single_threaded_blas(),
            np.errstate(all="ignore"),
        ):
            yield evaluator

    def empty_sum(self) -> Array:
        """Return zeros to which a gradient is added; -0.0 + g has the bits of any g."""
        return np.full(self.recipe.parameters, -0.0, self.recipe.dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        return Part, (self.recipe, self.span, self.shards)

    def __sizeof__(self) -> int:
        arrays = [rows for rows in self.shards.row_ordered if isinstance(rows, np.ndarray)]
        return sys.getsizeof(arrays) + sum(array.nbytes for array in arrays)


def load_part(
    recipe: Recipe, span: Span, X: Any, Y: Any, weight: Array | None, digest: str | None
) -> Part:
    """Return the rows of a part, checked; without X and Y they come from the source."""
    if recipe.source is not None:
        X, Y = _from_source(recipe.source, span)
    try:
        part = Part(recipe, span, _checked_rows(recipe, span, X, Y, weight))
    except (TypeError, ValueError) as error:
        kind = "TypeError" if isinstance(error, TypeError) else "ValueError"
        raise PartError(kind, f"{_with_rows_of_the_whole(str(error), span)}, in {span}") from None
    if digest is not None and part.shards.digest() != digest:
        raise PartError(
            "ClusterError",
            f"{span}: expected the rows that were loaded first, found others: "
            "X, Y or source must give the same rows whenever they are loaded",
        )
    return part


def _from_source(source: Source, span: Span) -> tuple[Any, Any]:
    try:
        found = source(span.start, span.stop)
    except Exception as error:
        raise PartError(
            "ClusterError", f"{span}: the source raised {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, tuple) or len(found) != 2:
        message = f"source: expected a function that returns (X, Y), found {short_repr(found)}"
        raise PartError("TypeError", f"{message}, in {span}")
    return found


def _checked_rows(recipe: Recipe, span: Span, X: Any, Y: Any, weight: Array | None) -> Shards:
    inputs, targets = check_rows(recipe.network(), recipe.loss, X, Y)
    rows = span.stop - span.start
    if len(inputs) != rows:
        raise ValueError(f"X: expected {rows} rows, found {len(inputs)}")
    weights = None
    if weight is not None or recipe.class_weight is not None:
        own = np.ones(rows) if weight is None else weight
        weights = own[:, None]
        if recipe.class_weight is not None:
            factors = class_weights(recipe.loss, targets, recipe.class_weight, own)
            weights = weights * factors[:, None]
    in_order = np.ascontiguousarray(inputs), np.ascontiguousarray(targets), weights
    return Shards(in_order, 1, recipe.dtype, copy=False, input_dtype=recipe.input_dtype)


def _with_rows_of_the_whole(message: str, span: Span) -> str:
    """Return a message about rows of a part with their numbers in the whole."""
    return re.sub(r"\brow (\d+)", lambda found: f"row {int(found[1]) + span.start}", message)


def part_facts(part: Part) -> PartFacts:
    """Return what the objective needs to know of a part."""
    rows, _, weights = part.shards.row_ordered
    digest = part.shards.digest()
    if weights is None:
        return PartFacts(float(len(rows)), len(rows), digest)
    return PartFacts(float(weights.sum()), int(np.count_nonzero(weights > 0)), digest)


def part_gradient(part: Part, x: Array) -> PartSum:
    """Return the loss and its gradient at x, summed over the part's rows."""
    began = time.perf_counter()
    total = part.empty_sum()
    with part.evaluator() as evaluator:
        loss = evaluator.gradient(x, part.shards, total)
    return PartSum(loss, total, time.perf_counter() - began, part.span.part)


def part_product(part: Part, x: Array, v: Array, gauss_newton: bool) -> PartSum:
    """Return the product of the loss's Hessian at x with v, summed over the part's rows."""
    began = time.perf_counter()
    total = part.empty_sum()
    with part.evaluator() as evaluator:
        evaluator.product(x, v, part.shards, gauss_newton, total)
    return PartSum(0.0, total, time.perf_counter() - began, part.span.part)


def minibatch_gradient(part: Part, x: Array, rows: Array) -> PartSum:
    """Return the loss and its gradient at x, summed over some rows, numbered within the part."""
    began = time.perf_counter()
    total = part.empty_sum()
    with part.evaluator() as evaluator:
        loss = evaluator.gradient(x, Minibatch(part.shards, rows, 1), total)
    return PartSum(loss, total, time.perf_counter() - began, part.span.part)


def spread_rows(part: Part, first: int, step: int) -> tuple[Array, Array]:
    """Return inputs and targets of each ``step``-th row of positive weight, from ``first`` on."""
    inputs, targets, weights = part.shards.row_ordered
    positive = np.arange(len(inputs)) if weights is None else np.flatnonzero(weights[:, 0] > 0)
    chosen = positive[first::step]
    x = check_numeric("X", inputs[chosen]).astype(part.shards.input_dtype)
    return x, targets[chosen].astype(part.shards.dtype)


def add_part_sums(*sums: PartSum) -> PartSum:
    """Return the sum of several parts in their order."""
    return added(sums)


def added(sums: Sequence[PartSum]) -> PartSum:
    """Return the sum of several parts in their order, in float64."""
    slowest = max(sums, key=lambda one: one.seconds)
    total = sums[0].vector.astype(np.float64)
    for one in sums[1:]:
        np.add(total, one.vector, out=total)
    loss = sum(one.loss for one in sums)
    return PartSum(loss, total, slowest.seconds, slowest.part)

"""Placement: which worker holds which part, and where lost parts are loaded anew.

A part is loaded by a task that only its worker may run. If the worker is gone, the part is loaded
by another one. Addresses are looked up before each evaluation and while results are awaited: an
address that the scheduler no longer lists is worth nothing.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from ..errors import ClusterError
from ..utils.extras import require
from ..utils.interrupts import raise_interrupt
from ..utils.types import Array
from .connection import SLICE_SECONDS, Connection
from .parts import Recipe, Span, load_part

dask: Any = require("dask", "dask")

MAX_LOSSES = 10
"""Of one part within an evaluation. A part that its workers never survive must end somewhere."""
AVOIDED_SECONDS = 60.0
"""For which a worker that did not answer gets no parts, as long as there are others."""


class Placement:
    """The parts of an objective on the workers of a cluster.

    Parameters
    ----------
    connection : Connection
        The cluster.
    recipe : Recipe
        What workers need to know of the objective.
    spans : sequence of Span
        The rows of each part.
    arrays : tuple of dask arrays, or None
        X and Y; None if the recipe has a source.
    weight : ndarray, shape (m,), or None
        The weights of all rows.
    worker_timeout : float
        Seconds to wait for a worker if there is none.

    Attributes
    ----------
    futures : list of Future
        The parts, on their workers.
    workers : list of str
        The address of each part's worker.
    digests : list of str or None
        The checksum of each part, once it is known; it is compared when a part is loaded again.
    """

    def __init__(
        self,
        connection: Connection,
        recipe: Recipe,
        spans: Sequence[Span],
        *,
        arrays: tuple[Any, Any] | None,
        weight: Array | None,
        worker_timeout: float,
    ) -> None:
        self._connection = connection
        self._recipe = recipe
        self._spans = spans
        self._arrays = arrays
        self._weight = weight
        self._worker_timeout = worker_timeout
        self.futures: list[Any] = [None] * len(spans)
        self.workers = [""] * len(spans)
        self.digests: list[str | None] = [None] * len(spans)
        self._losses: Counter[int] = Counter()
        self._avoided: dict[str, float] = {}

    def balance(self) -> None:
        """Place lost parts, and move parts to workers that have fewer than their share."""
        self._losses.clear()
        running = self._usable(self._wait_for_workers())
        self._move(self._lost(running), running)
        counts = self._counts(running)
        moved = []
        for part, worker in enumerate(self.workers):
            emptiest = _emptiest(counts, running)
            if (counts[worker] - 1) / running[worker] > counts[emptiest] / running[emptiest]:
                counts[worker] -= 1
                counts[emptiest] += 1
                moved.append(part)
        if moved:
            for part in moved:
                self.workers[part] = ""
            self._move(moved, running)

    def replace_lost(self) -> list[int]:
        """Place the parts whose worker is gone; return their numbers."""
        running = self._wait_for_workers()
        lost = self._lost(running)
        for part in lost:
            self._losses[part] += 1
            if self._losses[part] > MAX_LOSSES:
                raise ClusterError(
                    f"{self._spans[part]}: its worker died {self._losses[part]} times within one "
                    "evaluation: do the parts fit into the memory of a worker? "
                    "More shards make them smaller"
                )
        self._move(lost, self._usable(running))
        return lost

    def replace(self, parts: Collection[int], *, is_late: bool) -> None:
        """Load parts again; if they are late, their workers are avoided for a while."""
        running = self._wait_for_workers()
        if is_late:
            until = time.monotonic() + AVOIDED_SECONDS
            self._avoided.update({self.workers[part]: until for part in parts})
        for part in parts:
            self.workers[part] = ""
        self._move(parts, self._usable(running))

    def trust_workers(self) -> None:
        """Avoid no worker that has just evaluated its parts."""
        for worker in self.workers:
            self._avoided.pop(worker, None)

    def release(self) -> None:
        """Let the workers forget the parts."""
        self.futures = []

    def _wait_for_workers(self) -> dict[str, int]:
        """Return the workers that run; ClusterError if there is none for too long."""
        end = time.monotonic() + self._worker_timeout
        while True:
            running = self._connection.running_workers()
            if running:
                return running
            if time.monotonic() > end:
                address = self._connection.client.scheduler_info(n_workers=0).get("address", "")
                raise ClusterError(
                    f"client: expected a worker, found none for {self._worker_timeout:g} s: "
                    f"start one with `dask worker {address}`, or wait longer with worker_timeout="
                )
            raise_interrupt()
            time.sleep(SLICE_SECONDS)

    def _usable(self, running: dict[str, int]) -> dict[str, int]:
        """Return the workers that are not to be avoided; without any, those late at first."""
        now = time.monotonic()
        until = {one: self._avoided.get(one, 0.0) for one in running}
        latest = max(until.values())
        usable = {one: running[one] for one in running if until[one] <= now}
        return usable or {one: running[one] for one in running if until[one] < latest} or running

    def _lost(self, running: dict[str, int]) -> list[int]:
        return [part for part, worker in enumerate(self.workers) if worker not in running]

    def _counts(self, running: dict[str, int]) -> Counter[str]:
        """Return how many parts each running worker has."""
        return Counter(worker for worker in self.workers if worker in running)

    def _move(self, parts: Collection[int], running: dict[str, int]) -> None:
        """Load parts on the workers that have the fewest for their threads."""
        counts = self._counts(running)
        chosen: dict[str, list[int]] = {}
        for part in parts:
            worker = _emptiest(counts, running)
            counts[worker] += 1
            chosen.setdefault(worker, []).append(part)
        rows = self._rows(parts)
        for worker, own in chosen.items():
            for part, future in zip(own, self._load(own, rows, worker), strict=True):
                self.futures[part] = future
                self.workers[part] = worker

    def _rows(self, parts: Collection[int]) -> dict[int, tuple[Any, Any]]:
        """Return the rows of X and Y of each part as futures; None for those of a source."""
        if self._arrays is None:
            return dict.fromkeys(parts, (None, None))
        X, Y = self._arrays
        rows = {}
        for part in parts:
            own = slice(self._spans[part].start, self._spans[part].stop)
            rows[part] = tuple(self._connection.client.compute(dask.optimize(X[own], Y[own])))
        return rows

    def _load(
        self, parts: Sequence[int], rows: dict[int, tuple[Any, Any]], worker: str
    ) -> Sequence[Any]:
        spans = [self._spans[part] for part in parts]
        weights = [
            None if self._weight is None else self._weight[span.start : span.stop] for span in spans
        ]
        futures: Sequence[Any] = self._connection.client.map(
            load_part,
            [self._recipe] * len(parts),
            spans,
            [rows[part][0] for part in parts],
            [rows[part][1] for part in parts],
            weights,
            [self.digests[part] for part in parts],
            key=new_keys("load_part", len(parts)),
            workers=[worker],
            pure=False,
        )
        return futures


def new_keys(name: str, count: int) -> list[str]:
    """Return keys that no task had before, so that a task of old is never taken for a new one."""
    return [f"{name}-{uuid.uuid4().hex}" for _ in range(count)]


def _emptiest(counts: Counter[str], running: dict[str, int]) -> str:
    return min(running, key=lambda worker: (counts[worker] / running[worker], worker))

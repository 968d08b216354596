"""Ordered reduction: several threads compute tasks, their results are combined in task order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

import numpy as np

from ..utils.interrupts import interruptible, raise_interrupt

Result = TypeVar("Result")

RESULTS_PER_WORKER = 6
"""Tasks that are under way or wait for their turn to be combined. The caller wakes up when half of
them are done, as each wake-up takes the interpreter's lock from a thread at work."""


class OrderedReduction:
    """A pool of ``workers`` threads whose results do not depend on the number of threads.

    Tasks start in order, and the caller's thread combines their results in order. A sum over tasks
    so has the same bits for any number of workers. A slow task does not hold up the others: up to
    six results a worker may wait for their turn. Threads start at the first run that needs them.
    They ignore floating-point errors.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._limit = RESULTS_PER_WORKER * workers
        self._free_slots = deque(range(workers))
        self._pool: ThreadPoolExecutor | None = None

    def run(
        self,
        tasks: int,
        compute: Callable[[int, int], Result],
        combine: Callable[[Result], None],
    ) -> None:
        """Compute and combine tasks 0 to tasks - 1.

        ``compute(slot, task)`` runs in any thread; no two running tasks have the same slot, which
        is a number below ``workers``. Its result must be its own: the slot is reused.
        ``combine(result)`` runs in the caller's thread. An exception of either is raised once no
        task is running any more. So is Ctrl-C, which the caller defers: between two results, or
        within a task that runs in the caller's thread.
        """
        if min(tasks, self.workers) == 1:
            for task in range(tasks):
                with interruptible():
                    result = compute(0, task)
                combine(result)
            return
        pending: deque[Future[Result]] = deque()
        try:
            if tasks <= self.workers:
                self._run_few(tasks, compute, combine, pending)
            else:
                self._run_many(tasks, self._in_free_slot(compute), combine, pending)
            while pending:
                self._combine_oldest(pending, combine)
        finally:
            for future in pending:
                future.cancel()
            wait(pending)

    def _run_few(
        self,
        tasks: int,
        compute: Callable[[int, int], Result],
        combine: Callable[[Result], None],
        pending: deque[Future[Result]],
    ) -> None:
        """Start all tasks but the first, which the caller computes: one hand-over less."""
        pool = self._started_pool()
        pending.extend(pool.submit(compute, task, task) for task in range(1, tasks))
        with interruptible():
            result = compute(0, 0)
        combine(result)

    def _run_many(
        self,
        tasks: int,
        compute: Callable[[int, int], Result],
        combine: Callable[[Result], None],
        pending: deque[Future[Result]],
    ) -> None:
        """Start all tasks, and combine results as long as there are too many."""
        pool = self._started_pool()
        for task in range(tasks):
            if len(pending) == self._limit:
                wait([pending[self._limit // 2 - 1]])
                for _ in range(self._limit // 2):
                    self._combine_oldest(pending, combine)
            pending.append(pool.submit(compute, task, task))

    @staticmethod
    def _combine_oldest(pending: deque[Future[Result]], combine: Callable[[Result], None]) -> None:
        """Combine the oldest result; it stays pending until then, so that nothing runs unseen."""
        combine(pending[0].result())
        pending.popleft()
        raise_interrupt()

    def _in_free_slot(self, compute: Callable[[int, int], Result]) -> Callable[[int, int], Result]:
        """Return the function with a slot that no other thread uses; there are enough."""

        def compute_in_free_slot(_: int, task: int) -> Result:
            slot = self._free_slots.pop()
            try:
                return compute(slot, task)
            finally:
                self._free_slots.append(slot)

        return compute_in_free_slot

    def _started_pool(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.workers, "minilayer", _ignore_errors)
        return self._pool


def _ignore_errors() -> None:
    np.seterr(all="ignore")  # the thread's own state

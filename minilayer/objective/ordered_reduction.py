"""Work on shards by several threads, with results taken in shard order."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

Compute = Callable[[int, int], None]
Combine = Callable[[int], None]
Keep = Callable[[int], Callable[[], None]]


class Crew:
    """``workers`` threads, the caller's among them, that compute tasks in any order and combine them in order.

    A task is computed by ``compute(worker, task)`` and then taken up by ``combine(worker)``, the combines strictly in
    the order of the tasks, one at a time, so that a sum over tasks does not depend on the number of workers. A worker
    that is done before its turn sets the result aside (``keep(worker)`` gives a function that combines it later) and
    goes on; with as many results aside as there are workers it waits. Threads start at the first run with more than one
    worker.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ThreadPoolExecutor | None = None

    def run(self, tasks: int, compute: Compute, combine: Combine, keep: Keep) -> None:
        """Compute and combine tasks 0..tasks - 1. The first exception stops the others and is raised."""
        helpers = min(self.workers, tasks) - 1
        if helpers == 0:
            for task in range(tasks):
                compute(0, task)
                combine(0)
            return
        shift = _Shift(tasks, compute, combine, keep, room=self.workers)
        futures = [self._executor().submit(shift.work, worker) for worker in range(1, helpers + 1)]
        try:
            shift.work(0)
        finally:
            for future in futures:
                future.result()  # nobody may still write when the caller goes on
        if shift.failure is not None:
            raise shift.failure

    def _executor(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.workers - 1, "minilayer", initializer=_leave_a_cpu_to_the_caller)
        return self._pool


def _leave_a_cpu_to_the_caller() -> None:
    """Keep this thread off the first CPU, where the system can be told so.

    A scheduler likes to wake a thread on the CPU of the one that woke it, and to move it only after some milliseconds:
    longer than a whole evaluation may take, with the other CPU idle all the while.
    """
    if hasattr(os, "sched_setaffinity"):
        others = sorted(os.sched_getaffinity(0))[1:]
        if others:
            with suppress(OSError):
                os.sched_setaffinity(0, others)


class _Shift:
    """One run of a crew: which task is next, whose turn it is to combine, what went wrong."""

    def __init__(self, tasks: int, compute: Compute, combine: Combine, keep: Keep, room: int) -> None:
        self.tasks, self.compute, self.combine, self.keep, self.room = tasks, compute, combine, keep, room
        self.aside: dict[int, Callable[[], None]] = {}
        self.next = self.turn = 0
        self.failure: BaseException | None = None
        self.changed = threading.Condition()

    def work(self, worker: int) -> None:
        try:
            while (task := self._take()) is not None:
                self.compute(worker, task)
                with self.changed:
                    # The earlier tasks were taken earlier and are being worked on, so that this wait ends.
                    while self.turn != task and len(self.aside) == self.room and self.failure is None:
                        self.changed.wait()
                    if self.failure is not None:
                        return
                    if self.turn != task:
                        self.aside[task] = self.keep(worker)
                        continue
                    self.combine(worker)
                    self.turn += 1
                    while self.turn in self.aside:
                        self.aside.pop(self.turn)()
                        self.turn += 1
                    self.changed.notify_all()
        except BaseException as failure:  # KeyboardInterrupt too: it reaches the caller's thread in the middle of work
            with self.changed:
                self.failure = self.failure or failure
                self.changed.notify_all()

    def _take(self) -> int | None:
        with self.changed:
            if self.failure is not None or self.next == self.tasks:
                return None
            self.next += 1
            return self.next - 1

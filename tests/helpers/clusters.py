"""Clusters of this machine, rows that their workers make, and disturbances of a run."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from distributed import Client, LocalCluster

import minilayer as ml
from minilayer.distributed import DaskObjective
from minilayer.utils.types import Array

ROWS = 1200
INPUTS = 20
CLASSES = 3
WAIT_SECONDS = 120.0
"""For workers to come, on a machine that is slow."""


@contextmanager
def local_cluster(workers: int = 2) -> Iterator[Client]:
    """Start worker processes, and yield a client of them."""
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def rows_of_classes(start: int, stop: int) -> tuple[Array, Array]:
    """Return rows that are the same in every process: inputs and labels."""
    number = np.arange(start, stop)[:, None]
    column = np.arange(1, INPUTS + 1)
    X = np.sin(number * np.sqrt(column)) + 0.1 * np.cos(number * column)
    labels = (X[:, 0] > 0).astype(int) + (X[:, 1] + X[:, 2] > 0)
    return X, labels


def new_model(seed: int = 0, units: int = 8) -> ml.Sequential:
    """Return a network for these rows."""
    return ml.mlp(INPUTS, units, CLASSES, output=ml.Softmax, seed=seed)


def on_one_machine(**options: Any) -> ml.Objective:
    """Return the objective whose bits a cluster must repeat."""
    X, labels = rows_of_classes(0, ROWS)
    arguments = {"loss": ml.CategoricalCrossEntropy(), "l2": 1.0, "shards": 4, **options}
    return ml.Objective(new_model(), X, labels, copy=False, **arguments)


def on_cluster(
    client: Client | str | None, model: ml.Sequential | None = None, **options: Any
) -> DaskObjective:
    """Return the same objective on a cluster."""
    arguments = {"loss": ml.CategoricalCrossEntropy(), "l2": 1.0, "shards": 4, **options}
    if "X" not in arguments:
        arguments = {"source": rows_of_classes, "rows": ROWS, **arguments}
    return DaskObjective(new_model() if model is None else model, client=client, **arguments)


def kill(client: Client, count: int) -> None:
    """End so many workers as the kernel does when memory runs out."""
    processes: dict[str, int] = client.run(os.getpid)
    for process in list(processes.values())[:count]:
        os.kill(process, signal.SIGKILL)


def add_worker(client: Client) -> None:
    """Start one more worker."""
    client.cluster.scale(len(client.nthreads()) + 1)


def retire_worker(client: Client) -> None:
    """Ask a worker to hand over its data and leave."""
    client.retire_workers([next(iter(client.nthreads()))])


class Disturbed(ml.ProblemWrapper):
    """An objective that something happens to, a moment after an evaluation has begun."""

    def __init__(
        self, objective: DaskObjective, at: int, delay: float, happens: Callable[[], object]
    ) -> None:
        super().__init__(objective)
        self._at = at
        self._delay = delay
        self._happens = happens
        self.evaluations = 0
        self.thread: threading.Thread | None = None

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        self.evaluations += 1
        if self.evaluations == self._at:
            self.thread = threading.Thread(target=self._disturb)
            self.thread.start()
        return super().__call__(x)

    def _disturb(self) -> None:
        time.sleep(self._delay)
        self._happens()

    @property
    def is_disturbing(self) -> bool:
        """Whether the disturbance has begun and not ended."""
        return self.thread is not None and self.thread.is_alive()

    def rest(self) -> None:
        """Wait for the disturbance to end; RuntimeError if it never began."""
        if self.thread is None:
            raise RuntimeError(f"the run ended before evaluation {self._at}")
        self.thread.join()


def parts_of_workers(objective: DaskObjective) -> dict[str, int]:
    """Return how many parts each running worker has in memory, as the scheduler says."""
    client = objective.client
    counts = dict.fromkeys(client.nthreads(), 0)
    for key, owners in client.who_has().items():
        if str(key).startswith("load_part"):
            for owner in owners:
                counts[owner] += 1
    return counts


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; AssertionError if it never does."""
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)

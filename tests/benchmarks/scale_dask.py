"""Clusters: the overhead of a round, the efficiency of two workers, and other libraries.

    python -m tests.benchmarks.scale dask
    python -m tests.benchmarks.scale dask --only overhead

All clusters are processes of this machine, each with one thread. A *round* is an evaluation: x goes
out, cost and gradient come back.

overhead
    The median of a round whose parts have one row each, less the time of the slowest part.
efficiency
    An evaluation that takes one worker about 0.05, 0.2 and 1 s, in eight parts. Clusters of one and
    of two workers take turns. The efficiency is the median over turns of t1 / (2 t2).
model
    t = work / workers + a + b * parts, with a and b fitted to the overhead of 82 kB. It assumes
    one part a worker, and workers that do not share CPUs.
logistic
    Logistic regression by L-BFGS on one cluster of two workers: minilayer (a network of one layer),
    dask-glm and dask-ml; and scikit-learn's partial_fit, which this process runs for as long as
    minilayer took. The cost is the mean loss and the penalty of all parameters.
"""

from __future__ import annotations

import argparse
import logging
import math
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

import minilayer as ml
from minilayer.distributed import DaskObjective

from .case import Array
from .machine import machine_line
from .report import Table

PARTS = (2, 8, 32, 128)
NETWORKS = {"82 kB": (400, 25, 10), "1 MB": (1000, 130, 1), "8 MB": (1000, 1000, 1)}
ROUNDS = 9
WORK_SECONDS = (0.05, 0.2, 1.0)
WORK_INPUTS = 32
WORK_UNITS = 256
MODEL_WORK_SECONDS = (2.0, 20.0, 200.0)
MODEL_WORKERS = (1, 10, 100)
LOGISTIC_ROWS = 400_000
LOGISTIC_INPUTS = 50
LOGISTIC_PARTS = 8
LOGISTIC_ITERATIONS = 20
BATCH_ROWS = 1000


def new_client(workers: int) -> Client:
    """Start processes of one thread each."""
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        dashboard_address=":0",
        silence_logs=logging.CRITICAL,
    )
    return Client(cluster, set_as_default=False)


def random_rows(inputs: int, outputs: int, start: int, stop: int) -> tuple[Array, Array]:
    """Return rows of a source."""
    rng = np.random.default_rng(start)
    X = rng.standard_normal((stop - start, inputs))
    Y = (rng.random((stop - start, outputs)) < 0.5).astype(float)
    return X, Y


def new_objective(client: Client, shape: Sequence[int], rows: int, parts: int) -> DaskObjective:
    """Return the cost of a network on random rows."""
    model = ml.mlp(*shape, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=0)
    return DaskObjective(
        model,
        loss=ml.BinaryCrossEntropy(),
        source=partial(random_rows, shape[0], shape[-1]),
        rows=rows,
        shards=parts,
        client=client,
    )


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


# Overhead


def round_seconds(client: Client, shape: Sequence[int], parts: int) -> float:
    """Return the overhead of a round: the median over rounds, after one."""
    with new_objective(client, shape, parts, parts) as objective:
        x = objective.x0
        objective(x)
        return median(overhead_of(objective, x) for _ in range(ROUNDS))


def overhead_of(objective: DaskObjective, x: Array) -> float:
    """Return the seconds of a round that no part needs."""
    seconds = seconds_of(lambda: objective(x))
    return seconds - objective.slowest_seconds


def overhead() -> dict[int, float]:
    """Print the table; return the seconds at 82 kB by the number of parts."""
    table = Table("overhead of a round, ms", ("parts", *NETWORKS, ""))
    smallest = {}
    with new_client(2) as client:
        for parts in PARTS:
            seconds = [round_seconds(client, shape, parts) for shape in NETWORKS.values()]
            smallest[parts] = seconds[0]
            table.rows.append((str(parts), *(f"{1e3 * one:.0f}" for one in seconds), ""))
        client.cluster.close()
    print(table, flush=True)
    return smallest


def model(smallest: dict[int, float]) -> None:
    """Print the cost model."""
    slope, latency = np.polyfit(list(smallest), list(smallest.values()), 1)
    latency = max(latency, 0.0)
    table = Table(
        f"model: work / workers + {1e3 * latency:.0f} ms + {1e3 * slope:.1f} ms * parts",
        ("work", *(f"{workers} workers, s" for workers in MODEL_WORKERS), "efficiency of 100"),
    )
    for work in MODEL_WORK_SECONDS:
        seconds = [work / workers + latency + slope * workers for workers in MODEL_WORKERS]
        efficiency = work / (MODEL_WORKERS[-1] * seconds[-1])
        cells = [f"{one:.3g}" for one in seconds]
        table.rows.append((f"{work:g} s", *cells, f"{efficiency:.0%}"))
    print(table, flush=True)


# Efficiency


def efficiency() -> None:
    """Print the table of one worker against two."""
    table = Table(
        "one evaluation, one worker and two",
        ("rows", "1 worker, s", "2 workers, s", "efficiency", ""),
    )
    shape = (WORK_INPUTS, WORK_UNITS, 1)
    with new_client(1) as one, new_client(2) as two:
        rows_per_second = calibrated(one, shape)
        for work in WORK_SECONDS:
            rows = int(work * rows_per_second)
            turns = turns_of(one, two, shape, rows)
            share = median(t1 / (2 * t2) for t1, t2 in turns)
            seconds = [median(column) for column in zip(*turns, strict=True)]
            cells = [f"{one:.3f}" for one in seconds]
            table.rows.append((f"{rows:,}", *cells, f"{share:.0%}", ""))
        one.cluster.close()
        two.cluster.close()
    print(table, flush=True)


def turns_of(
    one: Client, two: Client, shape: Sequence[int], rows: int
) -> list[tuple[float, float]]:
    """Return the seconds of one worker and of two, turn by turn."""
    with new_objective(one, shape, rows, 8) as alone, new_objective(two, shape, rows, 8) as both:
        x = alone.x0
        alone(x)
        both(x)
        return [(seconds_of(lambda: alone(x)), seconds_of(lambda: both(x))) for _ in range(ROUNDS)]


def calibrated(client: Client, shape: Sequence[int]) -> float:
    """Return the rows that one worker evaluates in a second."""
    rows = 40_000
    with new_objective(client, shape, rows, 8) as objective:
        x = objective.x0
        objective(x)
        return rows / median(seconds_of(lambda: objective(x)) for _ in range(ROUNDS))


# Logistic regression


def logistic() -> None:
    """Print the table of logistic regressions."""
    table = Table(
        f"logistic regression, {LOGISTIC_ROWS:,} rows of {LOGISTIC_INPUTS}, two workers",
        ("library", "s", "iterations", "cost", ""),
    )
    rng = np.random.default_rng(0)
    X = rng.standard_normal((LOGISTIC_ROWS, LOGISTIC_INPUTS))
    truth = rng.standard_normal(LOGISTIC_INPUTS)
    y = (X @ truth + rng.logistic(size=LOGISTIC_ROWS) > 0).astype(int)
    with new_client(2) as client:
        size = LOGISTIC_ROWS // LOGISTIC_PARTS
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a large graph: the rows are made here
            arrays = client.persist([da.from_array(X, chunks=(size, -1)), da.from_array(y, size)])
        client.run(lambda: None)
        runs: dict[str, Callable[..., tuple[Array, int]]] = {
            "minilayer": with_minilayer,
            "dask-glm": with_dask_glm,
            "dask-ml": with_dask_ml,
        }
        seconds = {}
        for name, train in runs.items():
            began = time.perf_counter()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of dask-glm, about dask's settings
                    theta, iterations = train(client, *arrays)
            except Exception as error:
                table.rows.append((name, "-", "-", "-", f"{type(error).__name__}: {error}"))
                continue
            seconds[name] = time.perf_counter() - began
            cells = f"{seconds[name]:.2f}", str(iterations), f"{logistic_cost(theta, X, y):.6f}"
            table.rows.append((name, *cells, ""))
        client.cluster.close()
    theta, passes = with_partial_fit(X, y, seconds["minilayer"])
    cells = f"{seconds['minilayer']:.2f}", f"{passes:.2f}", f"{logistic_cost(theta, X, y):.6f}"
    table.rows.append(("scikit-learn partial_fit", *cells, "passes, one process"))
    print(table, flush=True)


def logistic_cost(theta: Array, X: Array, y: Array) -> float:
    """Return the mean loss and the penalty; theta has the bias last."""
    z = X @ theta[:-1] + theta[-1]
    loss = np.logaddexp(0, z) - y * z
    return float(loss.mean() + theta @ theta / (2 * len(y)))


def with_minilayer(client: Client, X: Any, y: Any) -> tuple[Array, int]:
    """Return parameters and iterations of LBFGS."""
    network = ml.Sequential([ml.Dense(LOGISTIC_INPUTS, 1), ml.Sigmoid()], seed=0)
    with DaskObjective(network, X, y, ml.BinaryCrossEntropy(), 1.0, client=client) as objective:
        result = ml.LBFGS(max_iterations=LOGISTIC_ITERATIONS).minimize(objective)
    return np.r_[result.x[1:], result.x[0]], result.nit


def with_dask_glm(client: Client, X: Any, y: Any) -> tuple[Array, int]:
    """Return parameters of dask-glm's L-BFGS."""
    from dask_glm.algorithms import lbfgs
    from dask_glm.utils import add_intercept

    with client.as_current():
        theta = lbfgs(
            add_intercept(X), y, regularizer="l2", lamduh=1.0, max_iter=LOGISTIC_ITERATIONS
        )
    return np.asarray(theta), LOGISTIC_ITERATIONS


def with_dask_ml(client: Client, X: Any, y: Any) -> tuple[Array, int]:
    """Return parameters of dask-ml's LogisticRegression."""
    from dask_ml.linear_model import LogisticRegression

    with client.as_current():
        estimator = LogisticRegression(solver="lbfgs", C=1.0, max_iter=LOGISTIC_ITERATIONS)
        estimator.fit(X, y)
    return np.r_[estimator.coef_.ravel(), np.ravel(estimator.intercept_)], LOGISTIC_ITERATIONS


def with_partial_fit(X: Array, y: Array, seconds: float) -> tuple[Array, float]:
    """Return parameters of SGDClassifier after so many seconds, and its passes over the rows."""
    from sklearn.linear_model import SGDClassifier

    classifier = SGDClassifier(loss="log_loss", alpha=1 / len(X), random_state=0)
    order = np.random.default_rng(0)
    began = time.perf_counter()
    batches = 0
    while time.perf_counter() - began < seconds:
        start = int(order.integers(0, math.ceil(len(X) / BATCH_ROWS))) * BATCH_ROWS
        rows = slice(start, start + BATCH_ROWS)
        classifier.partial_fit(X[rows], y[rows], classes=[0, 1])
        batches += 1
    theta = np.r_[classifier.coef_.ravel(), classifier.intercept_]
    return theta, batches * BATCH_ROWS / len(X)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale dask")
    parser.add_argument("--only", choices=["overhead", "efficiency", "logistic"])
    options = parser.parse_args(arguments)
    print(machine_line())
    if options.only in (None, "overhead"):
        model(overhead())
    if options.only in (None, "efficiency"):
        efficiency()
    if options.only in (None, "logistic"):
        logistic()

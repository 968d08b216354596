"""Scores and seconds of minilayer's MLPClassifier and MLPRegressor against scikit-learn's.

    python -m tests.benchmarks.estimators

The data sets are scikit-learn's own. A split keeps a quarter of the rows for the test. Each class
has its default arguments, apart from ``random_state`` and what the row names:

default
    The columns as they are. The default solver is lbfgs here and adam there.
lbfgs, adam
    The same solver for both, and columns of mean 0 and deviation 1. With adam both compute the same
    weights, so the scores are equal.

A score is the percentage of right classes, or 100 times R squared, averaged over the splits.
Seconds are medians over the splits of one ``fit``, and the ratio is the median over splits of their
ratio. Each library has a process of its own, and they take turns. scikit-learn runs with the
default threads of BLAS and with one; the faster run counts.
"""

from __future__ import annotations

import argparse
import importlib
import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from threadpoolctl import threadpool_limits

from .data_sets import DATA_SETS
from .framework_processes import select_names
from .machine import machine_line
from .report import Table
from .tables import Split
from .worker_process import WorkerProcess

SPLITS = 5
NAMES = ("iris", "wine", "breast cancer", "digits", "diabetes")
MODULES = {"minilayer": "minilayer.estimators", "scikit-learn": "sklearn.neural_network"}
BLAS_THREADS = {"minilayer": (None,), "scikit-learn": (1, None)}
"""What to try; None is the default."""
SOLVERS = ("default", "lbfgs", "adam")
COLUMNS = ("data", "arguments", "score", "of scikit-learn", "seconds", "of scikit-learn", "ratio")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One fit: score of the test rows, and seconds."""

    score: float
    seconds: float


def fit(_: object, split: Split, library: str, solver: str) -> Outcome:
    """Train a library's network on a split."""
    networks = importlib.import_module(MODULES[library])
    make = networks.MLPClassifier if split.has_classes else networks.MLPRegressor
    arguments: dict[str, Any] = {"random_state": split.seed}
    X, X_test = split.X, split.X_test
    if solver != "default":
        arguments["solver"] = solver
        scaler = importlib.import_module("sklearn.preprocessing").StandardScaler().fit(X)
        X, X_test = scaler.transform(X), scaler.transform(X_test)
    seconds = math.inf
    for threads in BLAS_THREADS[library]:
        network = make(**arguments)
        with warnings.catch_warnings(), threadpool_limits(threads, user_api="blas"):
            warnings.simplefilter("ignore")  # of runs that end by their budget
            start = time.perf_counter()
            network.fit(X, split.y)
            seconds = min(seconds, time.perf_counter() - start)
    return Outcome(score=split.score(network.predict(X_test)), seconds=seconds)


def row(name: str, solver: str, ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> list[str]:
    """Return the line of the table for one data set and solver."""
    ratios = [a.seconds / b.seconds for a, b in zip(ours, theirs, strict=True)]
    scores = [f"{fmean(one.score for one in each):.1f}" for each in (ours, theirs)]
    seconds = [f"{median(one.seconds for one in each):.3f}" for each in (ours, theirs)]
    return [name, solver, *scores, *seconds, f"{median(ratios):.2f}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.estimators")
    parser.add_argument("--splits", type=int, default=SPLITS, help="of each data set (5)")
    parser.add_argument("--only", help="these data sets, names separated by commas")
    options = parser.parse_args(arguments)
    names = select_names(list(NAMES), options.only.split(",") if options.only else [])
    print(f"estimators: {machine_line()}\n", flush=True)
    processes = {library: WorkerProcess(object) for library in MODULES}
    table = Table("test scores in percent, and seconds of a fit", COLUMNS)
    for name in names:
        splits = [Split.of(DATA_SETS[name](), seed) for seed in range(options.splits)]
        for solver in SOLVERS:
            outcomes: dict[str, list[Outcome]] = {library: [] for library in MODULES}
            for split in splits:
                for library, process in processes.items():
                    outcomes[library].append(process.call(fit, split, library, solver))
                    process.rest()
            table.rows.append(tuple(row(name, solver, *outcomes.values())))
            print("  ".join(table.rows[-1]), flush=True)
    for process in processes.values():
        process.close()
    print(f"\n{table}")


if __name__ == "__main__":
    main()

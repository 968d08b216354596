"""Test scores, seconds and evaluations of fit and of scikit-learn's MLP on tables of others.

    python -m tests.benchmarks.tables

The network has one hidden layer of 100 units, as scikit-learn's default. All other arguments are
the defaults of ``ml.fit``, MLPClassifier and MLPRegressor. "scaled" is ``fit(standardize=True)``,
and StandardScaler in a pipeline; "l2" is ``fit(standardize=True, l2=0.1)``. A split keeps a quarter
of the rows for the test.

score
    The mean over splits, in percent: the share of right classes, or R squared, averaged over the
    outputs.
seconds
    The median over splits of one fit. Each library has a process of its own, and they take turns.
    scikit-learn's lbfgs runs with the default threads of BLAS and with one; the faster run counts.
x scikit-learn
    The median over splits of the ratio of the seconds, both scaled, against lbfgs.
evaluations
    The median over splits; of adam, epochs, and of scikit-learn's lbfgs, iterations.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np
from threadpoolctl import threadpool_limits

from .case import Array
from .data_sets import DATA_SETS, DataSet, NotInstalledError
from .framework_processes import select_names
from .machine import machine_line
from .report import Table
from .worker_process import WorkerProcess

SPLITS = 10
HIDDEN = 100
TEST_SHARE = 0.25
ACTIVATIONS = ("tanh", "relu")
SMALL_PENALTY = 0.1
MINILAYER = ("fit", "fit, scaled", "fit, scaled, l2")
SCIKIT_LEARN = ("lbfgs", "lbfgs, scaled", "adam", "adam, scaled")
METHODS = (*MINILAYER, *SCIKIT_LEARN)
COLUMNS = ("data", "activation", *METHODS, "x scikit-learn", "")


@dataclass(frozen=True, kw_only=True)
class Split:
    """A data set cut into rows for training and for the test."""

    X: Array
    y: Array
    X_test: Array
    y_test: Array
    has_classes: bool
    seed: int

    @classmethod
    def of(cls, data: DataSet, seed: int) -> Split:
        """Return the split of that seed; each class has the same share of the test rows."""
        split = importlib.import_module("sklearn.model_selection").train_test_split
        X, X_test, y, y_test = split(
            data.X,
            data.y,
            test_size=TEST_SHARE,
            random_state=seed,
            stratify=data.y if data.has_classes else None,
        )
        return cls(X=X, y=y, X_test=X_test, y_test=y_test, has_classes=data.has_classes, seed=seed)

    def score(self, predictions: Array) -> float:
        """Return the percentage of right classes, or 100 R squared."""
        if self.has_classes:
            return 100 * float(np.mean(predictions == self.y_test))
        y = self.y_test.reshape(len(self.y_test), -1)
        errors = np.sum((predictions.reshape(y.shape) - y) ** 2, axis=0)
        return 100 * float(np.mean(1 - errors / np.sum((y - y.mean(axis=0)) ** 2, axis=0)))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One fit. ``is_cut_off`` says that it ended by its budget."""

    score: float
    seconds: float
    evaluations: int
    is_cut_off: bool


def fit_minilayer(_: object, split: Split, activation: str, method: str) -> Outcome:
    """Train minilayer's network."""
    ml = importlib.import_module("minilayer")
    classes = int(split.y.max()) + 1 if split.has_classes else 0
    output = {0: None, 2: ml.Sigmoid}.get(classes, ml.Softmax)
    width = split.y.shape[1] if split.y.ndim == 2 else 1
    model = ml.mlp(
        split.X.shape[1],
        HIDDEN,
        classes if classes > 2 else width,
        hidden={"tanh": ml.Tanh, "relu": ml.ReLU}[activation],
        output=output,
        seed=split.seed,
    )
    start = time.perf_counter()
    l2 = SMALL_PENALTY if method == "fit, scaled, l2" else 0.0
    result = ml.fit(model, split.X, split.y, l2, standardize=method != "fit")
    seconds = time.perf_counter() - start
    predictions = model.predict(split.X_test)
    if split.has_classes:
        predictions = model.predict_class(split.X_test)
    return Outcome(
        score=split.score(predictions),
        seconds=seconds,
        evaluations=result.nfev,
        is_cut_off=result.status in (ml.Status.MAX_ITERATIONS, ml.Status.MAX_EVALUATIONS),
    )


def fit_scikit_learn(_: object, split: Split, activation: str, method: str) -> Outcome:
    """Train scikit-learn's network."""
    networks = importlib.import_module("sklearn.neural_network")
    make = networks.MLPClassifier if split.has_classes else networks.MLPRegressor
    solver, _, scaled = method.partition(", ")
    network = make(
        hidden_layer_sizes=(HIDDEN,), activation=activation, solver=solver, random_state=split.seed
    )
    whole = network
    if scaled:
        scaler = importlib.import_module("sklearn.preprocessing").StandardScaler()
        whole = importlib.import_module("sklearn.pipeline").make_pipeline(scaler, network)
    limits = [None, 1] if solver == "lbfgs" else [None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of runs that end by their budget
        seconds = min(_timed(lambda: whole.fit(split.X, split.y), limit) for limit in limits)
    return Outcome(
        score=split.score(whole.predict(split.X_test)),
        seconds=seconds,
        evaluations=network.n_iter_,
        is_cut_off=network.n_iter_ >= network.max_iter,
    )


def _timed(work: Callable[[], object], blas_threads: int | None) -> float:
    """Return the seconds of a call, with at most so many threads of BLAS."""
    with threadpool_limits(blas_threads, user_api="blas"):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start


def measure(
    processes: dict[str, WorkerProcess], data: DataSet, activation: str, splits: int
) -> dict[str, list[Outcome]]:
    """Return the outcomes of each method, one for each split."""
    outcomes: dict[str, list[Outcome]] = {method: [] for method in METHODS}
    for seed in range(splits):
        split = Split.of(data, seed)
        for method in METHODS:
            is_ours = method in MINILAYER
            process = processes["minilayer" if is_ours else "scikit-learn"]
            fit = fit_minilayer if is_ours else fit_scikit_learn
            outcomes[method].append(process.call(fit, split, activation, method))
            process.rest()
    return outcomes


def rows(data: str, activation: str, outcomes: dict[str, list[Outcome]]) -> list[tuple[str, ...]]:
    """Return the lines of the table for one data set and activation."""

    def of_each(what: str, digits: str, middle: object = median) -> list[str]:
        assert callable(middle)
        columns = ([getattr(one, what) for one in outcomes[method]] for method in METHODS)
        return [format(middle(column), digits) for column in columns]

    cut_off = [sum(one.is_cut_off for one in outcomes[method]) for method in METHODS]
    ours, theirs = outcomes["fit, scaled"], outcomes["lbfgs, scaled"]
    ratios = [a.seconds / b.seconds for a, b in zip(ours, theirs, strict=True)]
    return [
        (data, activation, *of_each("score", ".1f", fmean), "", "score"),
        ("", "", *of_each("seconds", ".3f"), f"{median(ratios):.2f}", "seconds"),
        ("", "", *of_each("evaluations", ".0f"), "", "evaluations"),
        ("", "", *map(str, cut_off), "", "ended by their budget"),
    ]


def summary(all_outcomes: Sequence[dict[str, list[Outcome]]]) -> list[str]:
    """Return in how many rows the scaled fits are at least as good, and as fast."""
    lines = []
    for method, rival in itertools.product(MINILAYER[1:], ("lbfgs, scaled", "adam, scaled")):
        gains = []
        ratios = []
        for outcomes in all_outcomes:
            pairs = list(zip(outcomes[method], outcomes[rival], strict=True))
            gains.append(fmean(a.score - b.score for a, b in pairs))
            ratios.append(median(a.seconds / b.seconds for a, b in pairs))
        as_good = sum(gain >= -0.3 for gain in gains)
        as_fast = sum(ratio <= 1.5 for ratio in ratios)
        mean = math.exp(fmean(map(math.log, ratios)))
        lines.append(
            f"{method}, against {rival}: at most 0.3 points less in {as_good} of {len(gains)} "
            f"rows (least {min(gains):+.1f}); at most 1.5 times the seconds in {as_fast} "
            f"(geometric mean {mean:.2f}, most {max(ratios):.2f})"
        )
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table and its summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.tables")
    parser.add_argument("--splits", type=int, default=SPLITS, help="of each data set (10)")
    parser.add_argument("--only", help="these data sets, names separated by commas")
    options = parser.parse_args(arguments)
    names = select_names(list(DATA_SETS), options.only.split(",") if options.only else [])
    print(f"tables: {machine_line()}\n", flush=True)
    processes = {name: WorkerProcess(object) for name in ("minilayer", "scikit-learn")}
    table = Table("test scores in percent, seconds and evaluations", COLUMNS)
    every: list[dict[str, list[Outcome]]] = []
    for name in names:
        try:
            data = DATA_SETS[name]()
        except NotInstalledError as error:
            table.remarks.append(f"{name} is left out: {error}")
            continue
        for activation in ACTIVATIONS:
            every.append(measure(processes, data, activation, options.splits))
            new = rows(name, activation, every[-1])
            table.rows += new
            print(*("  ".join(row) for row in new), sep="\n", flush=True)
    for process in processes.values():
        process.close()
    print(f"\n{table}\n")
    print(*summary(every), sep="\n")


if __name__ == "__main__":
    main()

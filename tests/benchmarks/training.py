"""Comparison of training: exercise 4 from the article's start to cost 0.339 at lambda 1.

The clock starts after imports and loading of the data. It covers making the model and the
objective, and the optimizer up to the first evaluation that is low enough (target_timer.py).
Afterwards one plain function computes cost and accuracy for all frameworks. Frameworks take turns,
seed by seed, after a few evaluations that are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from .case import EX4_SHAPE, RELATIVE_TOLERANCE, Array, exercise, exercise_start
from .framework_processes import FrameworkProcesses, select
from .frameworks import BASELINE, TRAININGS, Training
from .frameworks.with_numpy import accuracy, cost_and_gradient
from .report import Report, Table
from .target_timer import TargetTimer

TARGET_COST = 0.339
COST_TOLERANCE = 1e-9
"""The relative rounding of a cost that is computed again."""
WARM_UP_SEED = 99
WARM_UP_EVALUATIONS = 3
ARTICLE = "article"
EXTRAPOLATED = "EXTRAPOLATED: seconds of one evaluation times the evaluations of vectorized TNC"
COLUMNS = ("framework", "seconds", "x minilayer", "evaluations", "cost", "accuracy", "note")


def measure(only: Sequence[str] = (), seeds: int = 5, full: bool = False) -> Report:
    """Train with every framework from every seed and print the table.

    Parameters
    ----------
    only : sequence of str, optional
        Names of the frameworks to measure; all if it is empty.
    seeds : int, default 5
        Number of starts.
    full : bool, default False
        Whether the article's loop runs to the end; else its time is extrapolated.

    Returns
    -------
    Report
        All figures.
    """
    report = Report("training")
    report.begin()
    with FrameworkProcesses(select(TRAININGS, only)) as processes:
        for process in processes.running.values():
            process.call(_train, exercise_start(WARM_UP_SEED), WARM_UP_EVALUATIONS)
            process.rest()
        for seed in range(seeds):
            report.records += _train_all(processes, seed, full)
        report.summary.append(f"a waiting process used at most {processes.idle_share:.1%} of a CPU")
    _add_checked_figures(report.records)
    report.show(_table(report, processes, seeds))
    report.end()
    return report


def _train_all(processes: FrameworkProcesses, seed: int, full: bool) -> list[dict[str, Any]]:
    """Train with every framework from one seed, in an order that rotates with the seed."""
    records = []
    names = list(processes.running)
    first = seed % len(names) if names else 0
    for name in names[first:] + names[:first]:
        is_extrapolated = name == ARTICLE and not full
        function = _extrapolate if is_extrapolated else _train
        outcome = processes.running[name].call(function, exercise_start(seed), None)
        record = {
            "name": name,
            "title": processes.titles[name],
            "seed": seed,
            "note": EXTRAPOLATED if is_extrapolated else "",
            **outcome,
        }
        records.append(record)
        processes.running[name].rest()
    return records


def _add_checked_figures(records: list[dict[str, Any]]) -> None:
    """Add cost and accuracy at the end of each run, and the ratio to minilayer from its seed."""
    X, Y = exercise()
    dtypes = {entry.name: entry.dtype for entry in TRAININGS}
    baseline = {record["seed"]: record["seconds"] for record in records if _is_baseline(record)}
    for record in records:
        vector = record.pop("parameters")
        if vector is not None:
            cost = cost_and_gradient(vector, X, Y, EX4_SHAPE)[0]
            tolerance = RELATIVE_TOLERANCE[dtypes[record["name"]]]
            record["cost"] = cost
            record["agrees"] = abs(cost - record["own_cost"]) <= tolerance * cost
            record["accuracy"] = accuracy(vector, X, Y, EX4_SHAPE)
        highest = TARGET_COST * (1 + COST_TOLERANCE)
        record["reached"] = vector is not None and record["cost"] <= highest
        record["ratio"] = record["seconds"] / baseline[record["seed"]] if baseline else None


def _is_baseline(record: dict[str, Any]) -> bool:
    """Return whether a record is of the framework that ratios refer to."""
    return bool(record["name"] == BASELINE)


def _table(report: Report, processes: FrameworkProcesses, seeds: int) -> Table:
    title = f"ex4 to cost <= {TARGET_COST}, lambda 1, medians over seeds 0 to {seeds - 1} (range)"
    table = Table(title, COLUMNS)
    for name, title in processes.titles.items():
        if name in processes.missing:
            table.rows.append((title, *["-"] * 5, processes.missing[name]))
            continue
        runs = [record for record in report.records if record["name"] == name]
        wrong = _seeds(run for run in runs if run.get("agrees") is False)
        if wrong:
            report.summary.append(
                f"{title} DISAGREES: its own cost is not the exercise's from seed {wrong}"
            )
        failed = _seeds(run for run in runs if not run["reached"])
        if failed:
            message = f"DID NOT REACH the cost from seed {failed}"
            table.rows.append((title, *["-"] * 5, message))
            continue
        has_ratio = runs[0]["ratio"] is not None
        row = (
            title,
            _span(runs, "seconds", ".3g"),
            _span(runs, "ratio", ".3g") if has_ratio else "-",
            _span(runs, "evaluations", ".0f"),
            _span(runs, "cost", ".5f"),
            _span(runs, "accuracy", ".2%"),
            runs[0]["note"],
        )
        table.rows.append(row)
        if has_ratio and name != BASELINE:
            ratio = median(run["ratio"] for run in runs)
            report.ratios[title] = {f"time to cost {TARGET_COST}": ratio}
    return table


def _seeds(runs: Iterable[dict[str, Any]]) -> str:
    return ", ".join(str(run["seed"]) for run in runs)


def _span(runs: list[dict[str, Any]], key: str, form: str) -> str:
    values = [run[key] for run in runs]
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def _train(framework: Training, start: Array, limit: int | None) -> dict[str, Any]:
    timer = TargetTimer(TARGET_COST, limit)
    framework.train(start, timer)
    return _outcome(timer)


def _extrapolate(framework: Any, start: Array, limit: int | None) -> dict[str, Any]:
    timer = TargetTimer(TARGET_COST, limit)
    framework.extrapolate(start, timer)
    return _outcome(timer)


def _outcome(timer: TargetTimer) -> dict[str, Any]:
    return {
        "seconds": timer.seconds,
        "evaluations": timer.evaluations,
        "own_cost": timer.cost,
        "parameters": timer.parameters,
    }

"""Race (b): the exercise trained from the article's start to cost 0.339 at lambda 1.

Timed is all that a script does after imports and loading the data: making model and objective, and the optimizer up to
the first evaluation that is low enough (watch.py). Cost and accuracy are then computed anew, by one plain function for
all. Contestants take turns seed by seed, after a few evaluations that are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import Any

from .contestants import REFERENCE, TRAININGS, Training
from .contestants.with_numpy import accuracy, cost_and_gradient
from .field import Field, choose
from .problem import EX4_SHAPE, TOLERANCE, Array, exercise, exercise_start
from .report import Report, Table
from .watch import Watch

TARGET_COST = 0.339
WARM_UP_SEED, WARM_UP_EVALUATIONS = 99, 3
COLUMNS = ("contestant", "seconds", "x minilayer", "evaluations", "cost", "accuracy", "note")
EXTRAPOLATED = "EXTRAPOLATED: seconds of one evaluation times the evaluations of vectorized TNC"


def race(only: Sequence[str] = (), seeds: int = 5, full: bool = False) -> Report:
    """Train with every contestant from every seed; ``full`` runs the article's loop to the end."""
    report = Report("training")
    report.begin()
    with Field(choose(TRAININGS, only)) as field:
        for seat in field.seats.values():
            seat.call(_train, exercise_start(WARM_UP_SEED), TARGET_COST, WARM_UP_EVALUATIONS)
            seat.rest()
        for seed in range(seeds):
            order = list(field.seats)
            for name in order[seed % len(order) :] + order[: seed % len(order)]:
                extrapolated = name == "article" and not full
                function = _extrapolate if extrapolated else _train
                outcome = field.seats[name].call(function, exercise_start(seed), TARGET_COST, None)
                note = EXTRAPOLATED if extrapolated else ""
                report.records.append(
                    {
                        "name": name,
                        "title": field.titles[name],
                        "seed": seed,
                        "note": note,
                        **outcome,
                    }
                )
                field.seats[name].rest()
        report.summary.append(
            f"the busiest waiting contestant used {field.idle_share:.1%} of a CPU"
        )
    _judge(report.records)
    report.show(_table(report, field, seeds))
    report.end()
    return report


def _judge(records: list[dict[str, Any]]) -> None:
    """Cost and accuracy at the parameters that each run ended with, and the ratio to minilayer from the same seed."""
    X, Y = exercise()
    precision = {entry.name: entry.dtype for entry in TRAININGS}
    reference = {
        record["seed"]: record["seconds"] for record in records if record["name"] == REFERENCE
    }
    for record in records:
        vector = record.pop("parameters")
        if vector is not None:
            record["cost"] = cost_and_gradient(vector, X, Y, EX4_SHAPE)[0]
            tolerance = TOLERANCE[precision[record["name"]]]
            record["agrees"] = (
                abs(record["cost"] - record["own_cost"]) <= tolerance * record["cost"]
            )
            record["accuracy"] = accuracy(vector, X, Y, EX4_SHAPE)
        record["reached"] = vector is not None and record["cost"] <= TARGET_COST * (1 + 1e-9)
        record["ratio"] = record["seconds"] / reference[record["seed"]] if reference else None


def _table(report: Report, field: Field, seeds: int) -> Table:
    table = Table(
        f"ex4 to cost <= {TARGET_COST}, lambda 1, medians over seeds 0 to {seeds - 1} (range)",
        COLUMNS,
    )
    for name, title in field.titles.items():
        if name in field.absent:
            table.rows.append((title, *["-"] * 5, field.absent[name]))
            continue
        runs = [record for record in report.records if record["name"] == name]
        wrong = [str(run["seed"]) for run in runs if run.get("agrees") is False]
        if wrong:
            report.summary.append(
                f"{title} DISAGREES: its own cost is not the exercise's from seed {', '.join(wrong)}"
            )
        failed = [str(run["seed"]) for run in runs if not run["reached"]]
        if failed:
            table.rows.append(
                (title, *["-"] * 5, f"DID NOT REACH the cost from seed {', '.join(failed)}")
            )
            continue
        span = partial(_span, runs)
        table.rows.append(
            (
                title,
                span("seconds", ".3g"),
                span("ratio", ".3g") if runs[0]["ratio"] else "-",
                span("evaluations", ".0f"),
                span("cost", ".5f"),
                span("accuracy", ".2%"),
                runs[0]["note"],
            )
        )
        if name != REFERENCE and runs[0]["ratio"]:
            report.ratios.setdefault(title, {})["time to cost 0.339"] = median(
                run["ratio"] for run in runs
            )
    return table


def _span(runs: list[dict[str, Any]], key: str, form: str) -> str:
    values = [run[key] for run in runs]
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def _train(contestant: Training, start: Array, target: float, limit: int | None) -> dict[str, Any]:
    watch = Watch(target, limit)
    contestant.train(start, watch)
    return _outcome(watch)


def _extrapolate(contestant: Any, start: Array, target: float, limit: int | None) -> dict[str, Any]:
    watch = Watch(target, limit)
    contestant.extrapolate(start, watch)
    return _outcome(watch)


def _outcome(watch: Watch) -> dict[str, Any]:
    return {
        "seconds": watch.seconds,
        "evaluations": watch.evaluations,
        "own_cost": watch.cost,
        "parameters": watch.parameters,
    }

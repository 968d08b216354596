"""Comparison of one cost and gradient: five shapes in float64 and float32."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from operator import attrgetter, methodcaller
from statistics import geometric_mean, median
from typing import Any

from .case import DTYPES, RELATIVE_TOLERANCE, SHAPES, Case, CostAndNorm, DType, Shape
from .framework_processes import FrameworkProcesses, select
from .frameworks import BASELINE, EVALUATIONS
from .report import Report, Table
from .turns import ratio, take_turns

REFERENCE = "numpy"
"""Costs are compared with this framework's, or with the first one's if it is not selected."""
COLUMNS = (
    "framework",
    "ms/evaluation",
    "x minilayer",
    "cost",
    "gradient norm",
    "agreement",
    "note",
)


def measure(
    seconds: float,
    only: Sequence[str] = (),
    shapes: Sequence[Shape] = SHAPES,
    dtypes: Sequence[DType] = DTYPES,
) -> Report:
    """Measure all cases and print their tables.

    Parameters
    ----------
    seconds : float
        Seconds for each framework in each case.
    only : sequence of str, optional
        Names of the frameworks to measure; all if it is empty.
    shapes : sequence of Shape, optional
        Sizes of the cases.
    dtypes : sequence of str, optional
        Precisions of the cases.

    Returns
    -------
    Report
        All figures.
    """
    report = Report("evaluation")
    report.begin()
    for dtype, shape in product(dtypes, shapes):
        case = Case(shape, dtype)
        records = _measure_case(case, seconds, only)
        report.records.extend(records)
        report.show(_table(case, records))
        report.ratios[f"{shape} {dtype}"] = {
            record["title"]: record["ratio"]
            for record in records
            if record["ratio"] and record["name"] != BASELINE
        }
    report.summary += _summary(report.records)
    report.end()
    return report


def _measure_case(case: Case, seconds: float, only: Sequence[str]) -> list[dict[str, Any]]:
    entries = [entry for entry in select(EVALUATIONS, only) if entry.only in (None, case)]
    with FrameworkProcesses(entries, case) as processes:
        results: dict[str, CostAndNorm | None] = {}
        notes: dict[str, str] = {}
        for name, process in processes.running.items():
            results[name] = process.call(methodcaller("cost_and_norm"))
            notes[name] = process.call(attrgetter("note"))
        times = take_turns(processes.running, seconds)
        idle_cpus = processes.idle_share
    reference = results.get(REFERENCE) or next(filter(None, results.values()), None)
    records = []
    for name, title in processes.titles.items():
        own = times.get(name)
        result = results.get(name)
        record: dict[str, Any] = {
            "shape": list(case.shape),
            "dtype": case.dtype,
            "name": name,
            "title": title,
            "note": notes[name] if own else processes.missing[name],
            "ms": median(own) * 1e3 if own else None,
            "ratio": ratio(own, times[BASELINE]) if own and BASELINE in times else None,
            "rounds_ms": [seconds * 1e3 for seconds in own or ()],
            "cost": result.cost if result else None,
            "gradient_norm": result.gradient_norm if result else None,
            "agrees": None,
            "idle_cpus": idle_cpus,
        }
        if result and reference:
            record["agrees"] = result.agrees_with(reference, case.dtype)
        records.append(record)
    return records


def _table(case: Case, records: list[dict[str, Any]]) -> Table:
    title = f"(rows, inputs, hidden, outputs) = {case.shape}, {case.dtype}"
    agreement = {
        True: f"to {RELATIVE_TOLERANCE[case.dtype]:g}",
        False: "DISAGREES",
        None: "-",
    }
    table = Table(title, COLUMNS)
    for record in records:
        row = (
            record["title"],
            _number(record["ms"], ".3f"),
            _number(record["ratio"], ".2f"),
            _number(record["cost"], ".10g"),
            _number(record["gradient_norm"], ".10g"),
            agreement[record["agrees"]],
            record["note"],
        )
        table.rows.append(row)
    rounds = max(len(record["rounds_ms"]) for record in records)
    idle = max(record["idle_cpus"] for record in records)
    table.remarks.append(f"{rounds} rounds; a waiting process used at most {idle:.1%} of a CPU")
    return table


def _summary(records: list[dict[str, Any]]) -> list[str]:
    """Return the geometric means over the cases of each precision, and who disagrees."""
    lines = []
    for dtype, entry in product(DTYPES, EVALUATIONS):
        ratios = [
            record["ratio"]
            for record in records
            if record["ratio"] and record["dtype"] == dtype and record["name"] == entry.name
        ]
        if ratios and entry.name != BASELINE:
            lines.append(
                f"{dtype}: {entry.title} takes {geometric_mean(ratios):.2f} times minilayer's time "
                f"(geometric mean of {len(ratios)}; {min(ratios):.2f} to {max(ratios):.2f})"
            )
    wrong = [
        f"{record['title']} at {Shape(*record['shape'])} {record['dtype']}"
        for record in records
        if record["agrees"] is False
    ]
    if wrong:
        lines.append(f"DISAGREES: {'; '.join(wrong)}")
    else:
        lines.append("all costs and gradient norms agree")
    return lines


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)

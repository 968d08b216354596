"""minilayer's time and memory as the rows grow, with one worker and with two.

All row counts of a network take turns. A machine whose speed drifts therefore changes neither the
exponent (the slope of log time over log rows) nor the ratio of two workers to one.

Memory is the peak of a fresh process after a few evaluations, less its memory once the data is
there. With ``copy=True`` the objective's own copy of the data is part of it, so the table also
shows the memory without that copy.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import product
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple

import numpy as np

from .case import Case, Shape
from .frameworks.with_minilayer import make_objective
from .machine import usable_cpus
from .report import Report, Table
from .turns import ratio, take_turns
from .worker_process import WorkerProcess

ROWS = (10_000, 30_000, 60_000, 100_000, 300_000, 1_000_000)
SHAPES = (*(Shape(rows, 32, 16, 1) for rows in ROWS), Shape(60_000, 784, 100, 10))
WORKERS = (1, 2)
WARM_UP_EVALUATIONS = 3
BYTES_PER_MEGABYTE = 1e6
BYTES_PER_FLOAT64 = 8
COLUMNS = (
    "X as given",
    "workers",
    "ms/evaluation",
    "x 1 worker's speed",
    "MB beyond X and Y",
    "note",
)


class DataOptions(NamedTuple):
    """The memory order of X, and whether the objective copies X and Y."""

    order: Literal["C", "F"]
    copy: bool

    def __str__(self) -> str:
        return f"{self.order} order, copy={self.copy}"


ALL_DATA_OPTIONS = (DataOptions("C", True), DataOptions("C", False), DataOptions("F", False))


class MeasuredObjective:
    """An objective in a fresh process.

    Parameters
    ----------
    shape : Shape
        Sizes of the data and of the network.
    workers : int
        Number of threads.
    options : DataOptions
        How X is given.

    Attributes
    ----------
    extra_bytes : int
        Peak memory of the process after a few evaluations, less that before the objective.
    """

    def __init__(self, shape: Shape, workers: int, options: DataOptions) -> None:
        case = Case(shape)
        X, Y = case.data(options.order)
        self._start = case.start()
        before = _memory_bytes("VmRSS")
        self._objective = make_objective(shape, X, Y, workers=workers, copy=options.copy)
        for _ in range(WARM_UP_EVALUATIONS):
            self.evaluate()
        self.extra_bytes = _memory_bytes("VmHWM") - before

    def evaluate(self) -> object:
        """Compute cost and gradient."""
        return self._objective(self._start)


def measure(seconds: float, shapes: Sequence[Shape] = SHAPES) -> Report:
    """Measure all shapes and print their tables.

    Parameters
    ----------
    seconds : float
        Seconds for each combination of shape, workers and data options.
    shapes : sequence of Shape, optional
        Sizes of the data and of the network.

    Returns
    -------
    Report
        All figures.
    """
    report = Report("growth", axis="speed with 2 workers, in units of 1 worker's", log_axis=False)
    report.begin()
    if usable_cpus() < max(WORKERS):
        report.summary.append(
            f"{usable_cpus()} usable CPU: two workers cannot be faster than one here"
        )
    for network in dict.fromkeys(shape[1:] for shape in shapes):
        family = [shape for shape in shapes if shape[1:] == network]
        records = []
        for options in ALL_DATA_OPTIONS:
            records += _measure_family(family, options, seconds)
        report.records += records
        for shape in family:
            own = [record for record in records if record["shape"] == list(shape)]
            report.show(_table(shape, own))
            report.ratios[str(shape)] = {
                record["data"]: record["speedup"] for record in own if record["workers"] == 2
            }
    report.summary += _exponents(report.records)
    report.end()
    return report


def _measure_family(
    shapes: Sequence[Shape], options: DataOptions, seconds: float
) -> list[dict[str, Any]]:
    """Measure one network at all its row counts, with one worker and with two."""
    processes: dict[tuple[Shape, int], WorkerProcess] = {}
    extra_mb: dict[tuple[Shape, int], float] = {}
    try:
        for key in product(shapes, WORKERS):
            processes[key] = WorkerProcess(MeasuredObjective, *key, options)
            extra_bytes = processes[key].call(attrgetter("extra_bytes"))
            extra_mb[key] = extra_bytes / BYTES_PER_MEGABYTE
        times = take_turns(processes, seconds)
    finally:
        for process in processes.values():
            process.close()
    records = []
    for shape, workers in processes:
        own = times[shape, workers]
        record = {
            "shape": list(shape),
            "data": str(options),
            "copy": options.copy,
            "workers": workers,
            "extra_mb": extra_mb[shape, workers],
            "ms": median(own) * 1e3,
            "speedup": ratio(times[shape, 1], own),
            "rounds_ms": [seconds * 1e3 for seconds in own],
        }
        records.append(record)
    return records


def _table(shape: Shape, records: list[dict[str, Any]]) -> Table:
    numbers = shape.rows * (shape.inputs + shape.outputs)
    data_mb = numbers * BYTES_PER_FLOAT64 / BYTES_PER_MEGABYTE
    title = f"(rows, inputs, hidden, outputs) = {shape}, float64, X and Y {data_mb:.1f} MB"
    table = Table(title, COLUMNS)
    for record in records:
        note = f"{record['extra_mb'] - data_mb:.1f} MB without its copy" if record["copy"] else ""
        row = (
            record["data"],
            str(record["workers"]),
            f"{record['ms']:.3f}",
            f"{record['speedup']:.2f}",
            f"{record['extra_mb']:.1f}",
            note,
        )
        table.rows.append(row)
    return table


def _exponents(records: list[dict[str, Any]]) -> list[str]:
    """Return the exponents of time ~ rows ** exponent, over shapes that differ in rows only."""
    lines = []
    for options, workers in product(ALL_DATA_OPTIONS, WORKERS):
        chosen = [
            record
            for record in records
            if record["data"] == str(options) and record["workers"] == workers
        ]
        family = [record for record in chosen if record["shape"][1:] == chosen[0]["shape"][1:]]
        if len(family) > 1:
            log_rows = np.log([record["shape"][0] for record in family])
            log_ms = np.log([record["ms"] for record in family])
            slope = np.polyfit(log_rows, log_ms, 1)[0]
            plural = "s" if workers > 1 else ""
            lines.append(
                f"{options}, {workers} worker{plural}: "
                f"time ~ rows ** {slope:.3f} ({len(family)} shapes)"
            )
    return lines


def _memory_bytes(name: Literal["VmRSS", "VmHWM"]) -> int:
    """Return this process's memory now or at its peak; without /proc always the peak.

    getrusage is the second choice: its peak includes that of the parent, from before the exec.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

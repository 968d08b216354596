"""Race (c): minilayer's time and memory as the rows grow, with one worker and with two.

All sizes of a network take turns, so that a host whose speed drifts bends neither the exponent, which is the slope of
log time over log rows, nor the ratio of two workers to one. Memory is what a fresh process has at its peak (its
high-water mark), after a few evaluations, less what it had when the data was there. With ``copy=True`` the objective's
own copy of the data is part of it, so that is shown as well.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple

import numpy as np

from .contestants.with_minilayer import objective
from .machine import usable_cpus
from .problem import Problem, Shape
from .report import Report, Table
from .turns import Seat, ratio, take_turns

ROWS = (10_000, 30_000, 60_000, 100_000, 300_000, 1_000_000)
SHAPES = (*(Shape(rows, 32, 16, 1) for rows in ROWS), Shape(60_000, 784, 100, 10))
WORKERS = (1, 2)
MEGABYTE = 1e6
COLUMNS = (
    "X as handed in",
    "workers",
    "ms/evaluation",
    "x 1 worker's speed",
    "MB beyond X and Y",
    "note",
)


class Handling(NamedTuple):
    """How the data is handed in, and whether the objective copies it."""

    order: Literal["C", "F"]
    copy: bool

    def __str__(self) -> str:
        return f"{self.order} order, copy={self.copy}"


HANDLINGS = (Handling("C", True), Handling("C", False), Handling("F", False))


class Grower:
    """An objective in a fresh process, with the memory that it took."""

    def __init__(self, shape: Shape, workers: int, handling: Handling) -> None:
        problem = Problem(shape)
        data = problem.data(handling.order)
        self._start = problem.start()
        before = _memory("VmRSS")
        self._objective = objective(shape, *data, workers=workers, copy=handling.copy)
        for _ in range(3):
            self.evaluate()
        self.extra_bytes = _memory("VmHWM") - before

    def evaluate(self) -> object:
        return self._objective(self._start)


def race(seconds: float, shapes: Sequence[Shape] = SHAPES) -> Report:
    """Run all sizes; ``seconds`` is what each combination of size, workers and handling gets."""
    report = Report("growth", axis="speed with 2 workers, in units of 1 worker's", log_axis=False)
    report.begin()
    if usable_cpus() < max(WORKERS):
        report.summary.append(
            f"{usable_cpus()} usable CPU: two workers cannot be faster than one here"
        )
    for network in dict.fromkeys(shape[1:] for shape in shapes):
        family = [shape for shape in shapes if shape[1:] == network]
        records = [record for handling in HANDLINGS for record in _turns(family, handling, seconds)]
        report.records.extend(records)
        for shape in family:
            own = [record for record in records if record["shape"] == list(shape)]
            report.show(_table(shape, own))
            report.ratios[str(shape)] = {
                str(r["handling"]): r["speedup"] for r in own if r["workers"] == 2
            }
    report.summary += _exponents(report.records)
    report.end()
    return report


def _turns(shapes: Sequence[Shape], handling: Handling, seconds: float) -> list[dict[str, Any]]:
    seats: dict[str, Seat] = {}
    records: list[dict[str, Any]] = []
    try:
        for shape, workers in product(shapes, WORKERS):
            seat = seats[f"{shape} {workers}"] = Seat(Grower, shape, workers, handling)
            extra = seat.call(_extra_bytes) / MEGABYTE
            records.append(
                {
                    "shape": list(shape),
                    "handling": str(handling),
                    "workers": workers,
                    "extra_mb": extra,
                }
            )
        times = take_turns(seats, seconds)
    finally:
        for seat in seats.values():
            seat.close()
    for record in records:
        own, single = (
            times[f"{Shape(*record['shape'])} {workers}"] for workers in (record["workers"], 1)
        )
        record["ms"] = median(own) * 1e3
        record["speedup"] = ratio(single, own)
        record["rounds_ms"] = [seconds * 1e3 for seconds in own]
    return records


def _table(shape: Shape, records: list[dict[str, Any]]) -> Table:
    data_mb = shape.rows * (shape.inputs + shape.outputs) * 8 / MEGABYTE
    title = f"(rows, inputs, hidden, outputs) = {shape}, float64, X and Y {data_mb:.1f} MB"
    table = Table(title, COLUMNS)
    for record in records:
        copied = record["handling"].endswith("True")
        note = f"{record['extra_mb'] - data_mb:.1f} MB beyond its copy too" if copied else ""
        row = (
            record["handling"],
            str(record["workers"]),
            f"{record['ms']:.3f}",
            f"{record['speedup']:.2f}",
        )
        table.rows.append((*row, f"{record['extra_mb']:.1f}", note))
    return table


def _exponents(records: list[dict[str, Any]]) -> list[str]:
    """Time ~ rows ** exponent, over the sizes that differ in rows only."""
    lines = []
    for handling, workers in product(HANDLINGS, WORKERS):
        chosen = [r for r in records if (r["handling"], r["workers"]) == (str(handling), workers)]
        family = [r for r in chosen if r["shape"][1:] == chosen[0]["shape"][1:]]
        if len(family) > 1:
            slope = np.polyfit(
                np.log([r["shape"][0] for r in family]), np.log([r["ms"] for r in family]), 1
            )[0]
            plural = "s" if workers > 1 else ""
            lines.append(
                f"{handling}, {workers} worker{plural}: time ~ rows ** {slope:.3f} ({len(family)} sizes)"
            )
    return lines


def _memory(name: Literal["VmRSS", "VmHWM"]) -> int:
    """This process's memory in bytes, now or at its peak; the peak where the system has no /proc.

    Not getrusage where it can be helped: its peak includes the parent's, from before the exec.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def _extra_bytes(grower: Grower) -> int:
    return grower.extra_bytes

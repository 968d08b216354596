"""The result of a comparison: tables to print, records for JSON, ratios for a chart."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .machine import busy_cpus, machine, machine_line

MAX_BUSY_CPUS = 0.15
"""CPUs that other processes may keep busy before the report warns."""
SETTLING_SECONDS = 1.0
"""The system takes back the memory of ended processes meanwhile: that is not others' work."""


@dataclass
class Table:
    """Aligned plain text: the first and the last column to the left, the others to the right."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        last = len(widths) - 1
        text = [self.title]
        for line in lines:
            cells = []
            for place, (cell, width) in enumerate(zip(line, widths, strict=True)):
                is_text = place in (0, last)
                cells.append(cell.ljust(width) if is_text else cell.rjust(width))
            text.append("  ".join(cells).rstrip())
        return "\n".join([*text, *self.remarks])


def load_warning(busy: float | None, when: str) -> list[str]:
    """Return a line that warns of other processes, or none.

    Parameters
    ----------
    busy : float or None
        CPUs that other processes keep busy; None if that is not known.
    when : str
        "before" or "after".

    Returns
    -------
    list of str
        At most one line.
    """
    if busy is None or busy <= MAX_BUSY_CPUS:
        return []
    return [f"NOT A QUIET MACHINE: others kept {busy:.2f} CPUs busy {when} the measurement"]


@dataclass
class Report:
    """The result of one command.

    Attributes
    ----------
    name : str
        The command: evaluation, training or growth.
    records : list of dict
        All figures.
    summary : list of str
        Lines to print at the end.
    ratios : dict of dict
        For the chart: ratio by framework, by row of the chart.
    busy_cpus : dict
        CPUs that other processes kept busy before and after.
    axis : str
        The label of the chart's axis.
    log_axis : bool
        Whether that axis is logarithmic.
    """

    name: str
    records: list[dict[str, Any]] = field(default_factory=list)
    summary: list[str] = field(default_factory=list)
    ratios: dict[str, dict[str, float]] = field(default_factory=dict)
    busy_cpus: dict[str, float | None] = field(default_factory=dict)
    axis: str = "time in units of minilayer's (log scale; right of 1 is slower)"
    log_axis: bool = True

    def begin(self) -> None:
        """Print what runs, and on which machine."""
        print(f"{self.name}: {machine_line()}\n", flush=True)
        self._measure_load("before")

    def show(self, table: Table) -> None:
        """Print a table as soon as it is known."""
        print(f"{table}\n", flush=True)

    def end(self) -> None:
        """Print the summary."""
        time.sleep(SETTLING_SECONDS)
        self._measure_load("after")
        print("\n".join(self.summary))

    def _measure_load(self, when: str) -> None:
        busy = busy_cpus()
        self.busy_cpus[when] = busy
        self.summary += load_warning(busy, when)

    def write_json(self, path: Path) -> None:
        """Write all figures and the machine that they belong to."""
        content = {
            "benchmark": self.name,
            "machine": machine(),
            "busy_cpus": self.busy_cpus,
            "summary": self.summary,
            "records": self.records,
        }
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

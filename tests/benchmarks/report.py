"""What a race gives: tables to print, records for JSON, ratios for a chart."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .machine import busy_cpus, machine, machine_line

QUIET = 0.15
"""CPUs that other processes may use before the figures are called in question."""
SETTLING = 1.0
"""Seconds after the last contestant has left, whose memory the system takes back: that is not others' work."""


@dataclass
class Table:
    """Aligned plain text: the first column to the left, notes to the left at the end, numbers to the right."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.columns))]
        text = [self.title]
        for line in lines:
            cells = [
                cell.ljust(width) if place in (0, len(widths) - 1) else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            text.append("  ".join(cells).rstrip())
        return "\n".join([*text, *self.remarks])


@dataclass
class Report:
    """The outcome of one command."""

    race: str
    records: list[dict[str, Any]] = field(default_factory=list)
    summary: list[str] = field(default_factory=list)
    ratios: dict[str, dict[str, float]] = field(default_factory=dict)
    """For the chart: ratios by contestant, by row."""
    load: dict[str, float | None] = field(default_factory=dict)
    """CPUs that other processes kept busy before and after."""
    axis: str = "time, in units of minilayer's (log scale; to the right is slower)"
    log_axis: bool = True

    def begin(self) -> None:
        """Say what is run, and where."""
        print(f"{self.race}: {machine_line()}\n", flush=True)
        self._note_load("before")

    def show(self, table: Table) -> None:
        """Print a table as soon as it is known."""
        print(f"{table}\n", flush=True)

    def end(self) -> None:
        """Print the summary."""
        time.sleep(SETTLING)
        self._note_load("after")
        print("\n".join(self.summary))

    def _note_load(self, input_gram: str) -> None:
        self.load[input_gram] = busy = busy_cpus()
        if busy is not None and busy > QUIET:
            self.summary.append(
                f"NOT A QUIET MACHINE: others kept {busy:.2f} CPUs busy {input_gram} the race"
            )

    def write_json(self, path: Path) -> None:
        """All figures, with the machine that they belong to."""
        head = {"race": self.race, "machine": machine(), "busy_cpus": self.load}
        content = {**head, "summary": self.summary, "records": self.records}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

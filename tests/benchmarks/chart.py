"""A chart of ratios for the README: a row a cell, a mark a contestant, minilayer the line at 1."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .report import Report

COLORS = ("#4d4d4d", "#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#a6761d")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")


def draw(report: Report, path: Path) -> None:
    """Write the report's ratios as a picture; the ending names the format."""
    rows = list(report.ratios)
    names = list(dict.fromkeys(name for row in report.ratios.values() for name in row))
    figure = Figure(figsize=(8, 1.3 + 0.34 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for place in range(len(rows)):
        axes.axhline(place, color="#e6e6e6", linewidth=0.8, zorder=0)
    axes.axvline(1, color="black", linewidth=1.4, zorder=1)
    for index, name in enumerate(names):
        points = [
            (report.ratios[row][name], place)
            for place, row in enumerate(rows)
            if name in report.ratios[row]
        ]
        across, down = zip(*points, strict=True)
        color, marker = COLORS[index % len(COLORS)], MARKERS[index % len(MARKERS)]
        axes.plot(
            across, down, linestyle="none", marker=marker, color=color, markersize=7, label=name
        )
    if report.log_axis:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(report.axis)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=min(len(names), 4), frameon=False)
    figure.savefig(path, dpi=130)

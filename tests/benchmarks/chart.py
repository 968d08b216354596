"""A chart of ratios: one row a case, one marker a framework, minilayer the line at 1."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .report import Report

COLORS = ("#4d4d4d", "#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#a6761d")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
WIDTH_INCHES = 8.0
LEGEND_INCHES = 1.3
ROW_INCHES = 0.34
DOTS_PER_INCH = 150


def draw(report: Report, path: Path) -> None:
    """Draw the ratios of a report.

    Parameters
    ----------
    report : Report
        What to draw.
    path : Path
        The picture's file; its ending names the format.
    """
    rows = list(report.ratios)
    names = list(dict.fromkeys(name for row in rows for name in report.ratios[row]))
    height = LEGEND_INCHES + ROW_INCHES * len(rows)
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    axes = figure.add_subplot()
    for place in range(len(rows)):
        axes.axhline(place, color="#e6e6e6", linewidth=0.8, zorder=0)
    axes.axvline(1, color="black", linewidth=1.4, zorder=1)
    for index, name in enumerate(names):
        places = [place for place, row in enumerate(rows) if name in report.ratios[row]]
        axes.plot(
            [report.ratios[rows[place]][name] for place in places],
            places,
            linestyle="none",
            marker=MARKERS[index % len(MARKERS)],
            color=COLORS[index % len(COLORS)],
            markersize=7,
            label=name,
        )
    if report.log_axis:
        _use_log_scale(axes)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(report.axis)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=min(len(names), 4), frameon=False)
    figure.savefig(path, dpi=DOTS_PER_INCH)


def _use_log_scale(axes: Axes) -> None:
    """Label a logarithmic axis with plain numbers."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())

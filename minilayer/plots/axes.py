"""Axes: given or new, their logarithmic scales, and the files that they are saved in.

No other module imports matplotlib.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isqrt
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..utils.checks import check_instance, check_path
from ..utils.types import Array

try:
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
    from matplotlib.transforms import blended_transform_factory
except ImportError as error:
    raise ImportError("minilayer.plots needs matplotlib: pip install 'minilayer[plots]'") from error

__all__ = [
    "Axes",
    "LineCollection",
    "class_colours",
    "colours",
    "given_or_new",
    "label_line",
    "plain_log_scale",
    "save_figures",
    "width_in_points",
]

DOTS_PER_INCH = 150
PANEL_INCHES = 4.5
"""Width and height of one drawing in a file."""
POINTS_PER_INCH = 72
MAX_LABELLED_DECADES = 8
LEGEND_COLUMNS = 5


def given_or_new(ax: Axes | None) -> Axes:
    """Return ``ax``, or the Axes of a new figure."""
    if ax is not None:
        check_instance("ax", ax, Axes, "the Axes of a figure, such as plt.subplots()[1]")
    return ax or plt.subplots(layout="constrained")[1]


def width_in_points(axes: Axes) -> float:
    """Return the width of the Axes on paper, the unit of font sizes, before any layout."""
    return float(axes.bbox.width / axes.figure.dpi * POINTS_PER_INCH)


def colours(name: str, values: npt.ArrayLike) -> Array:
    """Return red, green and blue, shape (..., 3), of the colour map ``name`` at values in 0..1."""
    return np.asarray(plt.get_cmap(name)(np.asarray(values, dtype=np.float64)))[..., :3]


def class_colours(classes: int) -> Array:
    """Return a colour for each class, shape (classes, 3)."""
    if classes <= 10:
        return colours("tab10", (np.arange(classes) + 0.5) / 10)
    return colours("turbo", np.linspace(0, 1, classes))


class PlainLogLocator(LogLocator):
    """Ticks of a logarithmic axis: more of each decade, the fewer decades there are."""

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        """Return the places of the ticks between two positive numbers."""
        low, high = sorted((vmin, vmax))
        decades = np.log10(high / low)
        if decades < 0.5:
            return list(MaxNLocator(5).tick_values(low, high))
        if decades < 2:
            multiples = [1.0, 2.0, 3.0, 5.0]
        elif decades < 3:
            multiples = [1.0, 3.0]
        else:
            multiples = [1.0]
        first = int(np.floor(np.log10(low)))
        last = int(np.ceil(np.log10(high)))
        stride = 1 + int(decades / MAX_LABELLED_DECADES)
        powers = 10.0 ** np.arange(first, last + 1, stride)
        return [float(tick) for tick in np.outer(powers, multiples).ravel()]


def plain_number(value: float, position: object = None) -> str:
    """Return a tick's label without an exponent: 0.3, not 3x10^-1."""
    return np.format_float_positional(value, precision=6, fractional=False, trim="-")


def plain_log_scale(axes: Axes, direction: Literal["x", "y"]) -> None:
    """Make one direction logarithmic, its ticks labelled with plain numbers."""
    axes.set(**{f"{direction}scale": "log"})
    axis = {"x": axes.xaxis, "y": axes.yaxis}[direction]
    axis.set_major_locator(PlainLogLocator())
    axis.set_major_formatter(FuncFormatter(plain_number))
    axis.set_minor_formatter(NullFormatter())


def label_line(axes: Axes, height: float, text: str, *, above: bool) -> None:
    """Write the name of a horizontal line at its left end, above or below the line."""
    axes.annotate(
        text,
        (0.02, height),
        xycoords=blended_transform_factory(axes.transAxes, axes.transData),
        xytext=(0, 2 if above else -2),
        textcoords="offset points",
        va="bottom" if above else "top",
        size=9,
        color="#555555",
    )


def save_figures(
    folder: str | Path, drawings: Mapping[str, Callable[[Axes], object]]
) -> list[Path]:
    """Draw pictures into PNG files: one for each, and an overview if there are several.

    The overview has as many rows as suit the number of drawings; three stand in one row. Of rows
    that differ in length, the short ones are centred. If all drawings have the same legend, the
    overview has one for all. Nothing is shown on a screen, and none is needed.

    Parameters
    ----------
    folder : path
        Where the files go; made if it does not exist.
    drawings : mapping of str to callable
        A function that draws into the Axes that it is given, by the name of its file without
        ``.png``.

    Returns
    -------
    list of Path
        The files in the order of ``drawings``, then ``overview.png``, if there are several
        drawings; 150 dots an inch.

    Raises
    ------
    ValueError
        If there are no drawings.
    OSError
        If the folder or a file cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from minilayer import plots
    >>> drawings = {
    ...     "line": lambda ax: ax.plot([1, 2]),
    ...     "heatmap": lambda ax: plots.confusion_heatmap([[3, 1], [0, 4]], ax=ax),
    ... }
    >>> with TemporaryDirectory() as folder:
    ...     [file.name for file in plots.save_figures(folder, drawings)]
    ['line.png', 'heatmap.png', 'overview.png']
    """
    if not drawings:
        raise ValueError("drawings: expected at least one, found none")
    folder = check_path("folder", folder)
    folder.mkdir(parents=True, exist_ok=True)
    sheets = {name: [drawing] for name, drawing in drawings.items()}
    if len(drawings) > 1:
        sheets["overview"] = list(drawings.values())
    files = []
    for name, sheet in sheets.items():
        files.append(folder / f"{name}.png")
        draw_sheet(sheet).savefig(files[-1], dpi=DOTS_PER_INCH)
    return files


def draw_sheet(drawings: list[Callable[[Axes], object]]) -> Figure:
    """Return a figure with a panel for each drawing, in rows without an empty place."""
    rows = row_lengths(len(drawings))
    longest = max(rows)
    figure = Figure(
        figsize=(PANEL_INCHES * longest, PANEL_INCHES * len(rows)), layout="constrained"
    )
    halves = figure.add_gridspec(len(rows), 2 * longest)  # so that a short row can be centred
    places = (
        halves[row, start : start + 2]
        for row, length in enumerate(rows)
        for start in range(longest - length, longest + length, 2)
    )
    for drawing, place in zip(drawings, places, strict=True):
        drawing(figure.add_subplot(place))
    if len(drawings) > 1:
        _share_legend(figure)
    return figure


def row_lengths(panels: int) -> list[int]:
    """Return the number of panels in each row: wider than high, and none longer by more than 1."""
    rows = isqrt(panels)
    return [(panels + rows - 1 - row) // rows for row in range(rows)]


def _share_legend(figure: Figure) -> None:
    """Replace legends by one above all panels, if every panel has the same."""
    legends = [legend for axes in figure.axes if (legend := axes.get_legend()) is not None]
    names = [[text.get_text() for text in legend.get_texts()] for legend in legends]
    if len(legends) < len(figure.axes) or any(other != names[0] for other in names):
        return
    handles = [handle for handle in legends[0].legend_handles if handle is not None]
    for legend in legends:
        legend.remove()
    figure.legend(
        handles, names[0], loc="outside upper center", ncols=LEGEND_COLUMNS, frameon=False
    )

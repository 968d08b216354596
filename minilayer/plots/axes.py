"""Where pictures go: into Axes that are given or new, and into files. No other module knows matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil, sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..utils.types import Array

try:
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError("minilayer.plots needs matplotlib: pip install 'minilayer[plots]'") from error

__all__ = ["Axes", "LineCollection", "colours", "given_or_new", "save_figures"]


def given_or_new(ax: Axes | None) -> Axes:
    """``ax``, or the Axes of a new figure."""
    return ax or plt.subplots(layout="constrained")[1]


def colours(name: str, values: npt.ArrayLike) -> Array:
    """(..., 3) red, green and blue of matplotlib's colour map ``name`` at values in 0..1."""
    return np.asarray(plt.get_cmap(name)(np.asarray(values, dtype=np.float64)))[..., :3]


def save_figures(
    folder: str | Path, drawings: Mapping[str, Callable[[Axes], object]]
) -> list[Path]:
    """Draw each into ``folder/name.png``, and all of them side by side into ``folder/overview.png``; the files written.

    Nothing is shown on a screen, and none is needed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    across = ceil(sqrt(len(drawings)))
    sheets = {name: {name: drawing} for name, drawing in drawings.items()} | {"overview": drawings}
    files = []
    for name, sheet in sheets.items():
        side = across if name == "overview" else 1
        figure = Figure(figsize=(5 * side, 5 * ceil(len(sheet) / side)), layout="constrained")
        for place, drawing in enumerate(sheet.values(), start=1):
            drawing(figure.add_subplot(ceil(len(sheet) / side), side, place))
        files.append(folder / f"{name}.png")
        figure.savefig(files[-1], dpi=110)
    return files

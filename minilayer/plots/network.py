"""A network itself: what it is made of, and what it predicts for each point of a plane."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..labels import check_class_labels, check_class_names
from ..nn import Dense, Layer, Sequential
from ..utils.checks import check_finite, check_instance, check_matrix
from ..utils.types import Array
from .axes import Axes, LineCollection, class_colours, given_or_new

MAX_DRAWN_UNITS = 10
"""A wider column has an ellipsis in its middle."""
TOP = MAX_DRAWN_UNITS / 2
"""Height of the uppermost unit of a wide column; that of its middle is 0."""
UNIT_POINTS = 13.0
ELLIPSIS = "\u22ee"
POSITIVE = "#2a6f97"
NEGATIVE = "#d1495b"
WITHOUT_WEIGHT = "#999999"
TINY = 1e-300

GRID_POINTS = 300
"""Along each side of a decision surface."""
MARGIN_SHARE = 0.2
"""Of the range of the data, around them."""
TINT = 0.45
"""Strength of the background's colours beside those of the points."""


def network_diagram(model: Sequential, ax: Axes | None = None) -> Axes:
    """Draw the model as columns of units, from the inputs on the left to the outputs on the right.

    A column of more than ten units shows ten of them, evenly spread, and an ellipsis. The lines
    into a Dense layer are its weights: blue above zero, red below. A line is the wider and darker,
    the larger the weight, relative to the largest one drawn of its layer. Biases are not drawn.
    Layers that keep the width, such as activations, are named below their column.

    Parameters
    ----------
    model : Sequential
        The network.
    ax : matplotlib Axes, optional
        Where to draw; default: the Axes of a new figure.

    Returns
    -------
    matplotlib Axes
        The Axes with the picture.

    Raises
    ------
    TypeError
        For a model that is not a Sequential.

    Examples
    --------
    >>> from minilayer import Sigmoid, mlp, plots
    >>> plots.network_diagram(mlp(2, 4, 1, output=Sigmoid, seed=0)).get_title()
    '2-4-1: 17 parameters'
    """
    check_instance("model", model, Sequential, "a Sequential")
    columns = _columns(model)
    axes = given_or_new(ax)
    spread = min(2.5, MAX_DRAWN_UNITS / min(MAX_DRAWN_UNITS, max(c.width for c in columns)))
    for x, column in enumerate(columns):
        if x > 0:
            _draw_lines(axes, x, columns[x - 1], column, spread)
        _draw_units(axes, x, column, spread)
        axes.text(
            x,
            -TOP - 0.9,
            "\n".join(column.names),
            ha="center",
            va="top",
            size=10 if len(columns) < 6 else 8,
        )
    axes.plot([], [], color=POSITIVE, linewidth=2, label="positive weight")
    axes.plot([], [], color=NEGATIVE, linewidth=2, label="negative weight")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.02), ncols=2, frameon=False)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(-TOP - 2.6, TOP + 1.4))
    widths = "-".join(str(column.width) for column in columns)
    axes.set_title(f"{widths}: {_count(model.parameters.size, 'parameter')}")
    axes.set_axis_off()
    return axes


def decision_surface(
    model: Sequential,
    X: npt.ArrayLike,
    labels: npt.ArrayLike,
    ax: Axes | None = None,
    *,
    class_names: Iterable[str] | None = None,
) -> Axes:
    """Draw what a model of two inputs predicts for each point of the plane, and the data on top.

    The background of a model with one output is its value: a shade between the colour of class 0,
    for 0, and that of class 1, for 1, with a line where it is 0.5. With several outputs it is the
    colour of the class with the highest output. The points are rows of X in the colour of their
    class.

    Parameters
    ----------
    model : Sequential
        A classifier with two inputs and one output, or one output for each class.
    X : array_like, shape (m, 2)
        The data.
    labels : array_like of int, shape (m,)
        The true classes, 0..classes - 1; for one output 0 or 1.
    ax : matplotlib Axes, optional
        Where to draw; default: the Axes of a new figure.
    class_names : iterable of str, optional
        The name of each class, two for a model with one output; default: those of the
        model, else "class 0", "class 1", ...

    Returns
    -------
    matplotlib Axes
        The Axes with the picture.

    Raises
    ------
    TypeError, ValueError
        For a model with another number of inputs, an X that is not a finite matrix of two columns,
        labels that are not one class number a row, and class names that are not one string a class.

    Examples
    --------
    >>> from minilayer import Sigmoid, mlp, plots
    >>> model = mlp(2, 4, 1, output=Sigmoid, seed=0)
    >>> axes = plots.decision_surface(model, [[0, 0], [1, 1]], [0, 1], class_names=["no", "yes"])
    >>> axes.get_title()
    'prediction (background) and data (points)'
    """
    points, truth = _checked_points(model, X, labels)
    classes = max(2, model.n_outputs)
    known = model.class_names if class_names is None else class_names
    names = check_class_names(known, classes) or [f"class {label}" for label in range(classes)]
    low, high = _range_with_margin(points)
    across = np.linspace(low[0], high[0], GRID_POINTS)
    up = np.linspace(low[1], high[1], GRID_POINTS)
    grid = np.stack(np.meshgrid(across, up), axis=-1)
    surface = model.predict(grid.reshape(-1, 2)).reshape(GRID_POINTS, GRID_POINTS, -1)
    palette = class_colours(classes)
    axes = given_or_new(ax)
    axes.imshow(
        1 - TINT * (1 - _surface_colours(surface, palette)),
        origin="lower",
        extent=(low[0], high[0], low[1], high[1]),
        aspect="auto",
        interpolation="nearest",
    )
    if model.n_outputs == 1 and surface.min() < 0.5 < surface.max():
        axes.contour(across, up, surface[..., 0], levels=[0.5], colors="#333333", linewidths=1.5)
        axes.plot([], [], color="#333333", linewidth=1.5, label="prediction 0.5")
    for label in np.unique(truth):
        axes.plot(
            *points[truth == label].T,
            "o",
            color=palette[label],
            markeredgecolor="white",
            markersize=8,
            label=names[label],
        )
    axes.legend(  # below the axis, never on top of the data
        loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=3.8, ncols=5, frameon=False
    )
    axes.set(
        xlabel="first input",
        ylabel="second input",
        title="prediction (background) and data (points)",
    )
    return axes


@dataclass
class _Column:
    """A column of units, the layer that leads to it, and the text below it."""

    width: int
    layer: Layer | None = None
    names: list[str] = field(default_factory=list)

    @property
    def drawn(self) -> Array:
        """Numbers of the units that are drawn."""
        count = min(self.width, MAX_DRAWN_UNITS)
        return np.linspace(0, self.width - 1, count).round().astype(int)

    def heights(self, spread: float) -> Array:
        """Return where they are drawn, the first on top; an ellipsis has its gap at height 0."""
        if self.width <= MAX_DRAWN_UNITS:
            return spread * np.arange(self.width - 1, -self.width, -2) / 2
        places = np.arange(MAX_DRAWN_UNITS, -MAX_DRAWN_UNITS - 1, -2) / 2
        return spread * np.delete(places, MAX_DRAWN_UNITS // 2)


def _columns(model: Sequential) -> list[_Column]:
    columns = [_Column(model.n_inputs, names=[_count(model.n_inputs, "input")])]
    for layer in model.layers:
        if layer.units is None:
            columns[-1].names.append(type(layer).__name__)
            continue
        columns.append(_Column(layer.units, layer, [_count(layer.units, "unit")]))
        if not isinstance(layer, Dense):
            columns[-1].names.append(type(layer).__name__)
    if len(columns) > 1:
        columns[-1].names[0] = _count(model.n_outputs, "output")
    return columns


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _draw_units(axes: Axes, x: int, column: _Column, spread: float) -> None:
    heights = column.heights(spread)
    axes.scatter(
        np.full(len(heights), x),
        heights,
        s=UNIT_POINTS**2 * spread,
        color="white",
        edgecolor="#333333",
        zorder=3,
    )
    if column.width > MAX_DRAWN_UNITS:
        axes.text(x, 0, ELLIPSIS, ha="center", va="center", size=16, zorder=3)


def _draw_lines(axes: Axes, x: int, left: _Column, right: _Column, spread: float) -> None:
    """Draw lines from the column before x to that at x, the strongest on top."""
    lines = [
        ((x - 1, start), (x, end))
        for end in right.heights(spread)
        for start in left.heights(spread)
    ]
    if not isinstance(right.layer, Dense):
        axes.add_collection(LineCollection(lines, colors=WITHOUT_WEIGHT, linewidths=0.5))
        return
    weight = right.layer.weight[np.ix_(right.drawn, left.drawn)].ravel()
    strength = np.abs(weight) / max(float(np.abs(weight).max()), TINY)
    order = np.argsort(strength, kind="stable")
    axes.add_collection(
        LineCollection(
            [lines[k] for k in order],
            colors=[POSITIVE if weight[k] > 0 else NEGATIVE for k in order],
            linewidths=0.4 + 2.6 * strength[order],
            alpha=0.15 + 0.8 * strength[order],
        )
    )


def _checked_points(
    model: Sequential, X: npt.ArrayLike, labels: npt.ArrayLike
) -> tuple[Array, Array]:
    """Return X and labels as arrays that suit each other and the model."""
    check_instance("model", model, Sequential, "a Sequential")
    if model.n_inputs != 2:
        raise ValueError(f"model: expected 2 inputs, found {model.n_inputs}")
    points = check_matrix("X", X, 2)
    truth = check_class_labels("labels", labels)
    check_finite("X", points)
    if len(truth) != len(points):
        raise ValueError(
            f"labels: expected one for each of {len(points)} rows of X, found {len(truth)}"
        )
    classes = max(2, model.n_outputs)
    if truth.max() >= classes:
        outputs = "1 output" if model.n_outputs == 1 else f"{classes} outputs"
        raise ValueError(f"labels: expected 0..{classes - 1} for {outputs}, found {truth.max()}")
    return points, truth


def _range_with_margin(points: Array) -> tuple[Array, Array]:
    """Return the lowest and the highest corner of the plane that is drawn."""
    low = points.min(axis=0).astype(float)
    high = points.max(axis=0).astype(float)
    margin = np.where(high > low, MARGIN_SHARE * (high - low), 1.0)
    return low - margin, high + margin


def _surface_colours(surface: Array, palette: Array) -> Array:
    """Return red, green and blue for outputs (..., 1) or (..., classes)."""
    if surface.shape[-1] > 1:
        return np.asarray(palette[surface.argmax(axis=-1)])
    share = surface.clip(0, 1)
    return np.asarray((1 - share) * palette[0] + share * palette[1])

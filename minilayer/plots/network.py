"""Pictures of a network itself: what it is made of, and where it draws its lines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..labels import check_class_labels
from ..nn.dense import Dense
from ..nn.layer import Layer
from ..nn.sequential import Sequential
from ..utils.checks import check_finite, check_matrix
from ..utils.types import Array
from .axes import Axes, LineCollection, colours, given_or_new

SHOWN = 10
"""Units that a column of the diagram has room for; a longer one has an ellipsis in its middle."""
POSITIVE, NEGATIVE, PLAIN = "#2a6f97", "#d1495b", "#999999"
GRID = 300
"""Points along each side at which a decision surface is computed."""


def network_diagram(model: Sequential, ax: Axes | None = None) -> Axes:
    """The model as columns of units, from the inputs on the left to the outputs on the right.

    Of more than ten units ten are drawn, evenly spread over the column, and an ellipsis. The lines into a Dense layer
    are its weights: blue above zero, red below, the wider and darker the larger, relative to the largest drawn of that
    layer. Biases are not drawn. Layers that keep the width, such as activations, are named below the column.
    """
    columns: list[tuple[int, Layer | None, list[str]]] = [
        (model.n_inputs, None, [_count(model.n_inputs, "input")])
    ]
    for layer in model.layers:
        name = type(layer).__name__
        if layer.units is None:
            columns[-1][2].append(name)
        else:
            columns.append(
                (
                    layer.units,
                    layer,
                    [_count(layer.units, "unit")] + [name] * (not isinstance(layer, Dense)),
                )
            )
    if len(columns) > 1:
        columns[-1][2][0] = _count(model.n_outputs, "output")
    axes = given_or_new(ax)
    gap = min(2.5, SHOWN / min(SHOWN, max(width for width, *_ in columns)))
    left: tuple[Array, Array] | None = None
    for x, (width, into, names) in enumerate(columns):
        right = _shown(width), _heights(width) * gap
        if left is not None and into is not None:
            _connect(axes, x, left, right, into)
        axes.scatter(
            [x] * len(right[1]), right[1], s=160 * gap, color="white", edgecolor="#333333", zorder=3
        )
        if width > SHOWN:
            axes.text(x, 0, "\u22ee", ha="center", va="center", size=16, zorder=3)
        axes.text(
            x,
            -SHOWN / 2 - 0.9,
            "\n".join(names),
            ha="center",
            va="top",
            size=10 if len(columns) < 6 else 7,
        )
        left = right
    for colour, sign in ((POSITIVE, "positive weight"), (NEGATIVE, "negative weight")):
        axes.plot([], [], color=colour, linewidth=2, label=sign)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.02), ncols=2, frameon=False)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(-SHOWN / 2 - 2.6, SHOWN / 2 + 1.4))
    axes.set_title(
        f"{'-'.join(str(width) for width, *_ in columns)}: {_count(model.parameters.size, 'parameter')}"
    )
    axes.set_axis_off()
    return axes


def decision_surface(
    model: Sequential, X: npt.ArrayLike, labels: npt.ArrayLike, ax: Axes | None = None
) -> Axes:
    """What a model of 2 inputs predicts for each point of the plane, with the data (m, 2) and their labels on top.

    One output: its value from 0 to 1 as a shade between the colours of class 0 and class 1, with a line at 0.5.
    Several: the region of each class, that of the highest output.

    Raises TypeError or ValueError for a model of another number of inputs, for X that is not a finite matrix of two
    columns, and for labels that are not one class number a row.
    """
    if model.n_inputs != 2:
        raise ValueError(f"model: expected 2 inputs, found {model.n_inputs}")
    points, truth = check_matrix("X", X, 2), check_class_labels("labels", labels)
    check_finite("X", points)
    classes = max(2, model.n_outputs)
    if len(truth) != len(points):
        raise ValueError(
            f"labels: expected one for each of {len(points)} rows of X, found {len(truth)}"
        )
    if truth.max() >= classes:
        outputs = "1 output" if model.n_outputs == 1 else f"{classes} outputs"
        raise ValueError(f"labels: expected 0..{classes - 1} for {outputs}, found {truth.max()}")
    low, high = points.min(axis=0).astype(float), points.max(axis=0).astype(float)
    margin = np.where(high > low, 0.2 * (high - low), 1.0)
    low, high = low - margin, high + margin
    across, up = np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID)
    surface = model.predict(np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)).reshape(
        GRID, GRID, -1
    )
    palette = _palette(classes)
    if model.n_outputs == 1:
        share = surface.clip(0, 1)
        shade = (1 - share) * palette[0] + share * palette[1]
    else:
        shade = palette[surface.argmax(axis=2)]
    axes = given_or_new(ax)
    extent = (low[0], high[0], low[1], high[1])
    axes.imshow(
        1 - 0.45 * (1 - shade),
        origin="lower",
        extent=extent,
        aspect="auto",
        interpolation="nearest",
    )
    if model.n_outputs == 1 and surface.min() < 0.5 < surface.max():
        axes.contour(across, up, surface[..., 0], levels=[0.5], colors="#333333", linewidths=1.5)
        axes.plot([], [], color="#333333", linewidth=1.5, label="prediction 0.5")
    for label in np.unique(truth):
        chosen = points[truth == label]
        axes.plot(
            *chosen.T,
            "o",
            color=palette[label],
            markeredgecolor="white",
            markersize=8,
            label=f"class {label}",
        )
    # Below the axis label, never on top of the data.
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=3.8, ncols=5, frameon=False
    )
    axes.set(
        xlabel="first input",
        ylabel="second input",
        title="prediction (background) and data (points)",
    )
    return axes


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _shown(width: int) -> Array:
    """Which units of a column are drawn."""
    return np.linspace(0, width - 1, min(width, SHOWN)).round().astype(int)


def _heights(width: int) -> Array:
    """Where they are drawn, the first on top, a gap for the ellipsis around 0."""
    if width <= SHOWN:
        return np.arange(width - 1, -width, -2) / 2
    return np.delete(np.arange(SHOWN, -SHOWN - 1, -2) / 2, SHOWN // 2)


def _connect(
    axes: Axes, x: int, left: tuple[Array, Array], right: tuple[Array, Array], layer: Layer
) -> None:
    """Lines from the column before x to that at x, the strongest on top."""
    (inputs, start), (units, end) = left, right
    ends = [(a, b) for b in range(len(units)) for a in range(len(inputs))]
    lines = [((x - 1, start[a]), (x, end[b])) for a, b in ends]
    if not isinstance(layer, Dense):
        axes.add_collection(LineCollection(lines, colors=PLAIN, linewidths=0.5))
        return
    weight = layer.weight[np.ix_(units, inputs)].ravel()
    size = np.abs(weight) / max(float(np.abs(weight).max()), 1e-300)
    order = np.argsort(size, kind="stable")
    axes.add_collection(
        LineCollection(
            [lines[k] for k in order],
            colors=[POSITIVE if weight[k] > 0 else NEGATIVE for k in order],
            linewidths=0.4 + 2.6 * size[order],
            alpha=0.15 + 0.8 * size[order],
        )
    )


def _palette(classes: int) -> Array:
    """(classes, 3): a colour for each class."""
    if classes <= 10:
        return colours("tab10", (np.arange(classes) + 0.5) / 10)
    return colours("turbo", np.linspace(0, 1, classes))

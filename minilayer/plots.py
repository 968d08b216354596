"""Pictures of data, networks and runs (extra ``plots``: matplotlib). Each function draws one Axes and returns it."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from .canvas import Axes, colours, given_or_new, save_figures
from .diagrams import decision_surface, network_diagram
from .labels import check_class_labels
from .nn.dense import Dense
from .nn.sequential import Sequential
from .training import History
from .utils.checks import check_instance, check_matrix
from .utils.types import Array

__all__ = [
    "confident_mistakes",
    "confusion_heatmap",
    "cost_curve",
    "decision_surface",
    "digit_grid",
    "hidden_units",
    "network_diagram",
    "save_figures",
]


def digit_grid(X: npt.ArrayLike, count: int = 100, seed: int = 0, ax: Axes | None = None) -> Axes:
    """``count`` random rows of X (m, k*k) as images, each unrolled column by column as in ex4."""
    images = check_matrix("X", X)
    rows = np.random.default_rng(seed).choice(len(images), min(count, len(images)), replace=False)
    return _show(_tiles(images[np.sort(rows)]), f"{len(rows)} of {len(images)} digits", ax)


def hidden_units(model: Sequential, ax: Axes | None = None) -> Axes:
    """What each unit of the first Dense layer sees: its weights as an image, scaled to its own range."""
    first = next((layer for layer in model.layers if isinstance(layer, Dense)), None)
    if first is None:
        raise ValueError(f"model: expected a Dense layer, found {model!r}")
    weight = first.weight / np.abs(first.weight).max(axis=1, keepdims=True).clip(1e-300)
    return _show(_tiles(weight, scale=1.0), f"what each of {first.units} hidden units sees", ax)


def cost_curve(history: History, ax: Axes | None = None) -> Axes:
    """Cost against evaluations, on a logarithmic scale, a dot for each iteration; beside it that of a validation."""
    check_instance("history", history, History, "a History such as result.history")
    axes = given_or_new(ax)
    axes.plot(history.evaluations, history.cost, marker=".", color="#2a6f97", label="training")
    if history.validation_cost:
        axes.plot(history.evaluations, history.validation_cost, marker=".", color="#d1495b", label="validation")
        axes.legend(frameon=False)
    axes.set(xlabel="evaluations of cost and gradient", ylabel="cost", yscale="log", title="training")
    axes.grid(which="both", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def confusion_heatmap(matrix: npt.ArrayLike, ax: Axes | None = None) -> Axes:
    """The confusion matrix as a picture, the counts written in: what is right in blue, mistakes in red.

    Each cell is coloured by its share of the row, mistakes on a scale of their own that ends at the largest of them:
    on one scale with the diagonal, a class taken for another in one of twenty cases would be invisible.

    Raises TypeError or ValueError for what is not a square matrix of counts.
    """
    counts = check_matrix("matrix", matrix)
    classes = len(counts)
    if counts.shape != (classes, classes):
        raise ValueError(f"matrix: expected as many columns as rows, {classes}, found {counts.shape[1]}")
    if counts.dtype.kind not in "ui":
        raise TypeError(f"matrix: expected integers, found dtype {counts.dtype}")
    if counts.min() < 0:
        raise ValueError(f"matrix: expected counts from 0 up, found {counts.min()}")
    diagonal = np.eye(classes, dtype=bool)
    share = counts / counts.sum(axis=1, keepdims=True).clip(1)
    worst = share[~diagonal].max(initial=0)
    mistakes = colours("Reds", 0.75 * share / max(worst, 1e-300))
    axes = given_or_new(ax)
    axes.imshow(np.where(diagonal[..., None], colours("Blues", 0.6 * share), mistakes))
    for (true, predicted), count in np.ndenumerate(counts):
        strong = true != predicted and share[true, predicted] > 0.7 * worst
        colour = "white" if strong else "black" if count else "#bbbbbb"
        written, size = f"{count}" if count else ".", min(9, 90 / classes)
        axes.text(predicted, true, written, ha="center", va="center", size=size, color=colour)
    total, right = counts.sum(), counts[diagonal].sum()
    axes.set(xlabel="predicted class", ylabel="true class", xticks=range(classes), yticks=range(classes))
    scale = f"red: mistakes, up to {worst:.1%} of a row" if worst else "no mistakes"
    axes.set_title(f"blue: right, {right} of {total}\n{scale}")
    axes.tick_params(length=0)
    return axes


def confident_mistakes(
    X: npt.ArrayLike, labels: npt.ArrayLike, predictions: npt.ArrayLike, count: int = 25, ax: Axes | None = None
) -> Axes:
    """The wrongly classified rows with the highest activation of the wrong class, captioned ``true>predicted``."""
    images, scores = check_matrix("X", X), check_matrix("predictions", predictions)
    truth, guess = check_class_labels("labels", labels), scores.argmax(axis=1)
    wrong = np.flatnonzero(guess != truth)
    worst = wrong[np.argsort(-scores[wrong, guess[wrong]], kind="stable")][:count]
    if len(worst) == 0:
        return _show(np.zeros((1, 1)), "no mistakes", ax)
    axes = _show(_tiles(images[worst]), f"the {len(worst)} most confident of {len(wrong)} mistakes", ax)
    side, across = _geometry(images[worst])
    for place, row in enumerate(worst):
        x, y = (place % across) * (side + 1) + 1, (place // across) * (side + 1) + 1
        caption = f"{truth[row]}>{guess[row]} {scores[row, guess[row]]:.2f}"
        axes.text(x, y, caption, fontsize=6, va="top", color="#ffd166")
    return axes


def _geometry(images: Array) -> tuple[int, int]:
    """Pixels along an image's side, and images in a row."""
    side = round(sqrt(images.shape[1]))
    if side * side != images.shape[1]:
        raise ValueError(f"X: expected square images, found {images.shape[1]} pixels")
    return side, ceil(sqrt(len(images)))


def _tiles(images: Array, scale: float | None = None) -> Array:
    """One picture of all images, a dark line between them."""
    side, across = _geometry(images)
    low, high = (-scale, scale) if scale is not None else (float(images.min()), float(images.max()))
    down = ceil(len(images) / across)
    canvas = np.zeros((down * (side + 1) + 1, across * (side + 1) + 1))
    for place, image in enumerate(images):
        top, left = (place // across) * (side + 1) + 1, (place % across) * (side + 1) + 1
        canvas[top : top + side, left : left + side] = (image.reshape(side, side).T - low) / max(high - low, 1e-300)
    return canvas


def _show(canvas: Array, title: str, ax: Axes | None) -> Axes:
    axes = given_or_new(ax)
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=1)
    axes.set_title(title)
    axes.set_axis_off()
    return axes

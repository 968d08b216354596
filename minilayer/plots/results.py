"""What a run gave: its cost curve, and the confusion matrix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..training.history import History
from ..utils.checks import check_instance, check_matrix
from .axes import Axes, colours, given_or_new


def cost_curve(history: History, ax: Axes | None = None) -> Axes:
    """Cost against evaluations, on a logarithmic scale, a dot for each iteration; beside it that of a validation."""
    check_instance("history", history, History, "a History such as result.history")
    axes = given_or_new(ax)
    axes.plot(history.evaluations, history.cost, marker=".", color="#2a6f97", label="training")
    if history.validation_cost:
        axes.plot(
            history.evaluations,
            history.validation_cost,
            marker=".",
            color="#d1495b",
            label="validation",
        )
        axes.legend(frameon=False)
    axes.set(
        xlabel="evaluations of cost and gradient", ylabel="cost", yscale="log", title="training"
    )
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
        raise ValueError(
            f"matrix: expected as many columns as rows, {classes}, found {counts.shape[1]}"
        )
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
    axes.set(
        xlabel="predicted class", ylabel="true class", xticks=range(classes), yticks=range(classes)
    )
    scale = f"red: mistakes, up to {worst:.1%} of a row" if worst else "no mistakes"
    axes.set_title(f"blue: right, {right} of {total}\n{scale}")
    axes.tick_params(length=0)
    return axes

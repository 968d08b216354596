"""What runs gave: cost curves of one run or of several, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..labels import check_class_names
from ..training.history import History
from ..utils.checks import check_instance, check_matrix, check_number, short_repr
from ..utils.types import Array
from .axes import Axes, class_colours, colours, given_or_new, label_line, plain_log_scale

TRAINING = "#2a6f97"
VALIDATION = "#d1495b"
MARKERS = "osD^vP*X<>"
MARKER_DISTANCE = 0.12
"""Between two markers of a curve, as a share of the diagonal of the Axes."""
AXIS_LABELS = {"evaluations": "evaluations of cost and gradient", "seconds": "seconds"}
TICK_CHARACTERS = 24
"""Of all class names together that fit below a heatmap without being turned."""
TINY = 1e-300


def cost_curve(history: History, ax: Axes | None = None) -> Axes:
    """Draw the cost of a run against its evaluations, a dot for each iteration.

    The cost has a logarithmic scale. If the run had validation rows, their mean loss is drawn too,
    with a legend. It says which curve contains the l2 penalty: the training cost does, the
    validation does not.

    Parameters
    ----------
    history : History
        The history of a run, such as ``result.history``.
    ax : matplotlib Axes, optional
        Where to draw; default: the Axes of a new figure.

    Returns
    -------
    matplotlib Axes
        The Axes with the picture.

    Raises
    ------
    TypeError
        For an argument that is not a History.

    Examples
    --------
    >>> from minilayer import LBFGS, plots
    >>> result = LBFGS().minimize(lambda x: (float(x @ x), 2 * x), [1.0])
    >>> plots.cost_curve(result.history).get_yscale()
    'log'
    """
    _check_history("history", history, "a History such as result.history")
    axes = given_or_new(ax)
    style: dict[str, Any] = {"marker": ".", "markersize": 4}
    label = "training (any l2 penalty included)"
    axes.plot(history.evaluations, history.cost, color=TRAINING, label=label, **style)
    if history.validation_cost:
        axes.plot(
            history.evaluations,
            history.validation_cost,
            color=VALIDATION,
            label="validation (no penalty)",
            **style,
        )
        axes.legend(frameon=False)
    axes.set(xlabel=AXIS_LABELS["evaluations"], ylabel="cost", title="training")
    plain_log_scale(axes, "y")
    _draw_grid(axes)
    return axes


def cost_comparison(
    histories: Mapping[str, History],
    ax: Axes | None = None,
    *,
    against: Literal["evaluations", "seconds"] = "evaluations",
    targets: Mapping[str, float] | None = None,
) -> Axes:
    """Draw the lowest cost so far of several runs in one picture, both scales logarithmic.

    The lowest cost so far never rises, so that the steps back of one method do not hide the curves
    of the others.

    Parameters
    ----------
    histories : mapping of str to History
        The history of each run by the name that the legend gives it.
    ax : matplotlib Axes, optional
        Where to draw; default: the Axes of a new figure.
    against : "evaluations" or "seconds", default "evaluations"
        What the cost is drawn against.
    targets : mapping of str to float, optional
        Costs to mark by a dotted line, each by the name that is written beside it.

    Returns
    -------
    matplotlib Axes
        The Axes with the picture.

    Raises
    ------
    TypeError, ValueError
        For no histories, values that are not a History, another ``against``, and targets that are
        not positive numbers.

    Examples
    --------
    >>> from minilayer import LBFGS, GradientDescent, plots
    >>> def square(x):
    ...     return float(x @ x), 2 * x
    >>> histories = {
    ...     "LBFGS": LBFGS().minimize(square, [1.0]).history,
    ...     "descent": GradientDescent(0.1, max_iterations=9).minimize(square, [1.0]).history,
    ... }
    >>> axes = plots.cost_comparison(histories, targets={"good enough": 0.1})
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['LBFGS', 'descent']
    """
    if not histories:
        raise ValueError("histories: expected at least one, found none")
    if against not in AXIS_LABELS:
        raise ValueError(
            f"against: expected 'evaluations' or 'seconds', found {short_repr(against)}"
        )
    for name, history in histories.items():
        _check_history(f"histories[{name!r}]", history, "a History")
    axes = given_or_new(ax)
    palette = class_colours(len(histories))
    for number, (name, history) in enumerate(histories.items()):
        axes.plot(
            getattr(history, against),
            np.minimum.accumulate(history.cost),
            color=palette[number],
            marker=MARKERS[number % len(MARKERS)],
            markersize=5,
            markevery=MARKER_DISTANCE,
            markeredgecolor="white",
            markeredgewidth=0.5,
            label=name,
        )
    axes.set(xlabel=AXIS_LABELS[against], ylabel="lowest cost so far")
    plain_log_scale(axes, "x")
    plain_log_scale(axes, "y")
    _draw_targets(axes, targets or {})
    _draw_grid(axes)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    return axes


def confusion_heatmap(
    matrix: npt.ArrayLike, ax: Axes | None = None, *, class_names: Iterable[str] | None = None
) -> Axes:
    """Draw the confusion matrix in colours, what is right in blue and mistakes in red.

    The counts are written in; a dot stands for 0. A cell is the darker, the larger its share of its
    row. Mistakes have a scale of their own, which ends at the largest of them: on one scale with
    the diagonal, one mistake in twenty would be invisible.

    Parameters
    ----------
    matrix : array_like of int, shape (classes, classes)
        Counts as ``confusion_matrix`` returns them: row the true class, column the predicted one.
    ax : matplotlib Axes, optional
        Where to draw; default: the Axes of a new figure.
    class_names : iterable of str, optional
        The name of each class; default: the class numbers.

    Returns
    -------
    matplotlib Axes
        The Axes with the picture.

    Raises
    ------
    TypeError, ValueError
        For a matrix that is not square or not of counts, and class names that are not one string a
        class.

    Examples
    --------
    >>> from minilayer import plots
    >>> axes = plots.confusion_heatmap([[5, 1], [0, 4]], class_names=["no", "yes"])
    >>> print(axes.get_title())
    blue: right, 9 of 10
    red: mistakes, up to 16.7% of a row
    """
    counts = _checked_counts(matrix)
    classes = len(counts)
    names = check_class_names(class_names, classes) or [str(label) for label in range(classes)]
    diagonal = np.eye(classes, dtype=bool)
    share = counts / counts.sum(axis=1, keepdims=True).clip(1)
    worst = share[~diagonal].max(initial=0)
    mistakes = colours("Reds", 0.75 * share / max(worst, TINY))
    axes = given_or_new(ax)
    axes.imshow(np.where(diagonal[..., None], colours("Blues", 0.6 * share), mistakes))
    is_dark = ~diagonal & (share > 0.7 * worst)
    _write_counts(axes, counts, is_dark)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_yticks(range(classes), names)
    if sum(map(len, names)) <= TICK_CHARACTERS:
        axes.set_xticks(range(classes), names)
    else:
        axes.set_xticks(range(classes), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    scale = f"red: mistakes, up to {worst:.1%} of a row" if worst else "no mistakes"
    axes.set_title(f"blue: right, {counts[diagonal].sum()} of {counts.sum()}\n{scale}")
    return axes


def _check_history(name: str, history: object, expected: str) -> None:
    if isinstance(history, Mapping) and "history" in history:
        found = f"the whole {type(history).__name__}: write result.history"
        raise TypeError(f"{name}: expected {expected}, found {found}")
    check_instance(name, history, History, expected)
    if not history:
        raise ValueError(f"{name}: expected a History of at least one iteration, found none")


def _draw_targets(axes: Axes, targets: Mapping[str, float]) -> None:
    """Draw a named dotted line for each cost; the name of the lowest stands below its line."""
    costs = {
        name: check_number(f"targets[{name!r}]", cost, above=True) for name, cost in targets.items()
    }
    lowest = min(costs.values(), default=0.0)
    for name, cost in costs.items():
        axes.axhline(cost, color="#777777", linestyle=":", zorder=1)
        is_only = len(costs) == 1
        label_line(axes, cost, f"{name}: {cost:g}", above=is_only or cost > lowest)
    if costs:
        bottom, top = axes.get_ylim()
        axes.set_ylim(min(bottom, 0.85 * lowest), top)


def _draw_grid(axes: Axes) -> None:
    axes.grid(which="major", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _checked_counts(matrix: npt.ArrayLike) -> Array:
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
    return counts


def _write_counts(axes: Axes, counts: Array, is_dark: Array) -> None:
    """Write each count into its cell, in white where the cell is dark, and a dot for 0."""
    for (true, predicted), count in np.ndenumerate(counts):
        colour = "white" if is_dark[true, predicted] else "black" if count else "#bbbbbb"
        axes.text(
            predicted,
            true,
            f"{count}" if count else ".",
            ha="center",
            va="center",
            size=min(10, 90 / len(counts)),
            color=colour,
        )

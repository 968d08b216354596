"""A history in a notebook: a sentence, and the curves of cost, validation and metric as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..utils.html.chart import Curve, line_chart
from ..utils.html.elements import frame, paragraph

X_LABEL = "evaluations of cost and gradient"

Columns = Mapping[str, Sequence[float]]
"""The columns of a History by name."""


def history_html(columns: Columns) -> str:
    """Return a history as HTML.

    Parameters
    ----------
    columns : mapping of str to sequence of float
        What ``History.columns`` returns.

    Returns
    -------
    str
        A sentence and the curves, below 20 kB however many iterations there are.
    """
    return frame(paragraph(_sentence(columns)), *history_charts(columns))


def history_charts(columns: Columns, best_iteration: int | None = None) -> list[str]:
    """Return a chart of the costs, and one of the metric if there is one.

    Parameters
    ----------
    columns : mapping of str to sequence of float
        What ``History.columns`` returns.
    best_iteration : int, optional
        The iteration to mark.

    Returns
    -------
    list of str
        The ``svg`` elements; none for a history without iterations.
    """
    if not columns["iteration"]:
        return []
    marks = _marks(columns, best_iteration)
    curves = [_curve("training", columns, "cost")]
    if columns["validation_cost"]:
        curves.append(_curve("validation, without any penalty", columns, "validation_cost"))
    charts = [line_chart(curves, x_label=X_LABEL, y_label="cost", may_be_log=True, marks=marks)]
    if columns["metric"]:
        charts.append(
            line_chart(
                [_curve("metric", columns, "metric")],
                x_label=X_LABEL,
                y_label="metric of the validation",
                may_be_log=False,
                marks=marks,
            )
        )
    return charts


def _sentence(columns: Columns) -> str:
    if not columns["iteration"]:
        return "no iterations"
    costs = columns["cost"]
    parts = [
        f"{columns['iteration'][-1]:,} iterations",
        f"{columns['evaluations'][-1]:,} evaluations",
        f"cost {costs[0]:.4g} to {costs[-1]:.4g}",
    ]
    if columns["validation_cost"]:
        parts.append(f"validation cost {columns['validation_cost'][-1]:.4g}")
    if columns["metric"]:
        parts.append(f"metric {columns['metric'][-1]:.4g}")
    return ", ".join(parts)


def _marks(columns: Columns, best_iteration: int | None) -> dict[str, float]:
    """Return the place of the best iteration on the horizontal axis."""
    if best_iteration is None or best_iteration not in columns["iteration"]:
        return {}
    row = columns["iteration"].index(best_iteration)
    return {f"iteration {best_iteration}, the best": columns["evaluations"][row]}


def _curve(name: str, columns: Columns, column: str) -> Curve:
    values = columns[column]
    x = np.array(columns["evaluations"][: len(values)], dtype=np.float64)
    return Curve(name, x, np.array(values, dtype=np.float64))

"""A TrainingResult in a notebook: how the run ended, and its curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..utils.html.elements import frame, paragraph, table
from .history_html import history_charts

if TYPE_CHECKING:
    from .result import TrainingResult


def result_html(result: TrainingResult) -> str:
    """Return a result as HTML.

    Parameters
    ----------
    result : TrainingResult
        What ``minimize`` returned.

    Returns
    -------
    str
        A table and the curves, below 20 kB however many iterations there are.
    """
    rows = [
        ("method", result.method),
        ("status", f"{result.status.name}, success: {result.success}"),
        ("cost", f"{result.fun:.10g}"),
        ("|gradient|", f"{np.linalg.norm(result.jac):.3e}"),
        ("iterations", f"{result.nit:,}"),
        ("evaluations", f"{result.nfev:,}"),
    ]
    if result.nhev:
        rows.append(("Hessian products", f"{result.nhev:,}"))
    rows.append(("seconds", f"{result.seconds:.3g}"))
    if result.best_iteration is not None:
        rows.append(("best iteration", f"{result.best_iteration:,}"))
    charts = history_charts(result.history.columns(), result.best_iteration)
    return frame(paragraph(result.message), table((), rows), *charts)

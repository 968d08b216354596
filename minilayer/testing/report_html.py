"""A GradientReport in a notebook: the worst derivative, and a table of the largest errors."""

from __future__ import annotations

from collections.abc import Mapping

from ..utils.html.elements import frame, paragraph, table

MAX_ROWS = 16


def report_html(errors: Mapping[str, float]) -> str:
    """Return relative errors as HTML.

    Parameters
    ----------
    errors : mapping of str to float
        Relative error by what was compared.

    Returns
    -------
    str
        The worst entry and a table of the largest, below 20 kB however many there are.
    """
    if not errors:
        return frame(paragraph("no derivatives"))
    largest = sorted(errors.items(), key=lambda item: -item[1])
    what, worst = largest[0]
    rows: list[tuple[object, object]] = [
        (f"{error:.1e}", name) for name, error in largest[:MAX_ROWS]
    ]
    left = len(largest) - MAX_ROWS
    if left > 0:
        rows.append(("…", f"{left:,} smaller ones: print(report)"))
    heading = ("relative error", "derivative")
    return frame(
        paragraph(f"{len(errors):,} derivatives, the worst {worst:.1e}: {what}"),
        table(heading, rows, numeric=(0,)),
    )

"""A Validation in a notebook: its rows and settings as a table."""

from __future__ import annotations

from collections.abc import Mapping

from ..utils.html.elements import frame, paragraph, table
from ..utils.row_source import RowsLike


def validation_html(X: RowsLike, Y: RowsLike, settings: Mapping[str, object]) -> str:
    """Return validation rows and how they steer a run as HTML.

    Parameters
    ----------
    X, Y : array_like
        The rows.
    settings : mapping of str to object
        The other arguments by name.

    Returns
    -------
    str
        A table.
    """
    rows = [("X", _size(X)), ("Y", _size(Y)), *settings.items()]
    return frame(paragraph("Validation"), table(("argument", "value"), rows))


def _size(value: object) -> str:
    """Return the shape of an array, the length of a list: never their contents."""
    kind = type(value).__name__
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"{kind} of shape {shape}"
    return f"{kind} of {len(value)} rows" if hasattr(value, "__len__") else kind

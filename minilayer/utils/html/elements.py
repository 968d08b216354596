"""Pieces of HTML: escaped texts, tables, and the frame around them. All of it is valid XML too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

MAX_CHARACTERS = 80
"""Of a text in a table. Longer ones are cut: a page of a notebook keeps every output."""
ELLIPSIS = "…"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

FRAME = "font-size:13px;line-height:1.4;overflow-x:auto"
TABLE = "border-collapse:collapse;margin:4px 0;font-size:inherit;color:inherit"
CELL = "padding:1px 10px 1px 0"
RULE = "border-bottom:1px solid"
"""Without a colour: the theme's text has one that can be seen."""


def escaped(value: object, characters: int = MAX_CHARACTERS) -> str:
    """Return a text that HTML shows as it is, cut where it is longer than so many characters."""
    text = str(value)
    if len(text) > characters:
        text = text[: characters - 1] + ELLIPSIS
    shown = "".join(one if one.isprintable() else REPLACEMENT for one in text)
    return escape(shown)


def table(
    heading: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numeric: Iterable[int] = (),
    characters: int = MAX_CHARACTERS,
) -> str:
    """Return a table.

    Parameters
    ----------
    heading : sequence of str
        The names of the columns; empty: no heading.
    rows : iterable of sequence
        The cells of each row, escaped here.
    numeric : iterable of int, default ()
        Numbers of the columns that are aligned to the right.
    characters : int, default 80
        Of a cell; longer texts are cut.

    Returns
    -------
    str
        The element.
    """
    right = set(numeric)
    lines = []
    if heading:
        lines.append(_row("th", heading, right, f"{CELL};{RULE}", characters))
    lines += [_row("td", row, right, CELL, characters) for row in rows]
    return f'<table style="{TABLE}"><tbody>{"".join(lines)}</tbody></table>'


def _row(tag: str, cells: Sequence[object], right: set[int], style: str, characters: int) -> str:
    parts = []
    for column, cell in enumerate(cells):
        side = "right" if column in right else "left"
        text = escaped(cell, characters)
        parts.append(f'<{tag} style="text-align:{side};{style}">{text}</{tag}>')
    return f"<tr>{''.join(parts)}</tr>"


def frame(*parts: str) -> str:
    """Return elements below each other as one."""
    return f'<div style="{FRAME}">{"".join(parts)}</div>'


def paragraph(value: object, characters: int = 4 * MAX_CHARACTERS) -> str:
    """Return a text as a line of its own."""
    return f'<div style="margin:4px 0">{escaped(value, characters)}</div>'


def first_and_last(count: int, shown: int) -> list[int | None]:
    """Return the numbers of the rows to show of ``count``; None stands for those between.

    Parameters
    ----------
    count : int
        How many rows there are.
    shown : int
        How many rows there is room for.

    Returns
    -------
    list of int or None
        All numbers, or the first and the last ones.
    """
    if count <= shown:
        return list(range(count))
    head = (shown + 1) // 2
    return [*range(head), None, *range(count - shown // 2, count)]

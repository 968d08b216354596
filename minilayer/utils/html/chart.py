"""A line chart as SVG: curves, axes with labels, and named vertical lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..types import Array
from .elements import escaped
from .scale import Scale

WIDTH = 460
HEIGHT = 250
LEFT = 66
RIGHT = 12
TOP = 38
BOTTOM = 40
MARK_TOP = 18
"""Where the picture begins without a legend."""
FREE_TOP = 28
"""Where it begins without legend and marks."""
MAX_POINTS = 400
"""Of a curve. A longer one keeps the lowest and the highest point of each stretch."""
COLOURS = ("#4a90d9", "#e2725b", "#2fa37c")
"""Seen on white and on black."""
TICK = ".9g"
"""Digits that tell the ticks of large and nearly equal numbers apart."""
FAINT = 'stroke="currentColor" stroke-opacity="0.2"'
TEXT = 'fill="currentColor" font-size="11"'


@dataclass(frozen=True)
class Curve:
    """A named line through points."""

    name: str
    x: Array
    y: Array


def line_chart(
    curves: Sequence[Curve],
    *,
    x_label: str,
    y_label: str,
    may_be_log: bool,
    marks: Mapping[str, float] | None = None,
) -> str:
    """Return a chart of curves over one pair of axes.

    Numbers that are not finite leave a gap.

    Parameters
    ----------
    curves : sequence of Curve
        At most three, of counts on the horizontal axis.
    x_label, y_label : str
        What the axes show.
    may_be_log : bool
        Whether the vertical scale is logarithmic where that helps.
    marks : mapping of str to float, optional
        Places on the horizontal axis, by the name that is written beside a dashed line.

    Returns
    -------
    str
        An ``svg`` element whose text has the colour of the page around it.
    """
    across = Scale.of(np.concatenate([curve.x for curve in curves]), may_be_log=False)
    up = Scale.of(np.concatenate([curve.y for curve in curves]), may_be_log=may_be_log)
    scale = " (logarithmic)" if up.is_log else ""
    top = 0 if len(curves) > 1 else MARK_TOP if marks else FREE_TOP
    height = HEIGHT - top
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 {top} {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" style="max-width:100%">',
        f"<title>{escaped(f'{y_label} against {x_label}')}</title>",
        _grid(across, up),
        *(_mark(across, name, place) for name, place in (marks or {}).items()),
        *(_line(across, up, curve, COLOURS[number]) for number, curve in enumerate(curves)),
        _legend(curves),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 6}" text-anchor="middle" {TEXT}>'
        f"{escaped(x_label)}</text>",
        f'<text transform="translate(12,{(TOP + HEIGHT - BOTTOM) / 2:g}) rotate(-90)" '
        f'text-anchor="middle" {TEXT}>{escaped(y_label + scale)}</text>',
        "</svg>",
    ]
    return "".join(parts)


def _x(place: float) -> float:
    return LEFT + place * (WIDTH - LEFT - RIGHT)


def _y(place: float) -> float:
    return HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM)


def _grid(across: Scale, up: Scale) -> str:
    """Return a faint line and a label for each tick."""
    left, right = _x(0), _x(1)
    bottom, top = _y(0), _y(1)
    parts = [f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="currentColor"/>']
    for tick in across.ticks(min_step=1.0):
        x = _x(float(across.place(np.array(tick))))
        parts.append(f'<path d="M{x:.1f} {top}V{bottom}" {FAINT}/>')
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle" {TEXT}>{tick:{TICK}}</text>'
        )
    for tick in up.ticks():
        y = _y(float(up.place(np.array(tick))))
        parts.append(f'<path d="M{left} {y:.1f}H{right}" {FAINT}/>')
        parts.append(
            f'<text x="{left - 5}" y="{y + 4:.1f}" text-anchor="end" {TEXT}>{tick:{TICK}}</text>'
        )
    return "".join(parts)


def _mark(across: Scale, name: str, value: float) -> str:
    """Return a dashed vertical line; its name above goes to the side with more room."""
    place = float(across.place(np.array(value)))
    x = _x(place)
    anchor, shift = ("start", -4) if place < 0.5 else ("end", 4)
    return (
        f'<path d="M{x:.1f} {_y(1)}V{_y(0)}" stroke="currentColor" stroke-dasharray="3 3"/>'
        f'<text x="{x + shift:.1f}" y="{_y(1) - 4}" text-anchor="{anchor}" {TEXT}>'
        f"{escaped(name)}</text>"
    )


def _line(across: Scale, up: Scale, curve: Curve, colour: str) -> str:
    """Return a curve as one path. A point between two gaps is a dot: a line of length 0."""
    x, y = decimated(curve.x, curve.y)
    horizontal = _x(0) + across.place(x) * (_x(1) - _x(0))
    vertical = _y(0) + up.place(y) * (_y(1) - _y(0))
    is_drawn = np.isfinite(horizontal) & np.isfinite(vertical)
    parts = []
    for index in np.flatnonzero(is_drawn):
        point = f"{horizontal[index]:.1f} {vertical[index]:.1f}"
        is_start = index == 0 or not is_drawn[index - 1]
        is_single = is_start and (index + 1 == len(x) or not is_drawn[index + 1])
        parts.append(f"{'M' if is_start else 'L'}{point}{'h0' if is_single else ''}")
    return (
        f'<path d="{"".join(parts)}" fill="none" stroke="{colour}" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _legend(curves: Sequence[Curve]) -> str:
    """Return the names of several curves beside their colours, above the chart."""
    parts = []
    for number, curve in enumerate(curves if len(curves) > 1 else ()):
        x = LEFT + number * (WIDTH - LEFT - RIGHT) / len(curves)
        parts.append(
            f'<path d="M{x:.1f} 12h16" stroke="{COLOURS[number]}" stroke-width="3"/>'
            f'<text x="{x + 21:.1f}" y="16" {TEXT}>{escaped(curve.name)}</text>'
        )
    return "".join(parts)


def decimated(x: Array, y: Array) -> tuple[Array, Array]:
    """Return at most MAX_POINTS points: the lowest and the highest of each stretch of a long curve.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        The points.

    Returns
    -------
    x, y : ndarray
        All points, or a part of the finite ones in their order.
    """
    if len(x) <= MAX_POINTS:
        return x, y
    finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    kept: list[int] = []
    for stretch in np.array_split(finite, MAX_POINTS // 2):
        if stretch.size:
            lowest = stretch[np.argmin(y[stretch])]
            highest = stretch[np.argmax(y[stretch])]
            kept += sorted({int(lowest), int(highest)})
    return x[kept], y[kept]

"""A Sequential in a notebook: a diagram of the widths and a table of the layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..utils.html.elements import escaped, first_and_last, frame, table
from .layer import Layer

MAX_ROWS = 16
MAX_STAGES = 6
NAME_CHARACTERS = 12
KEEPERS_CHARACTERS = 17
"""Of the names of layers that keep the width, such as activations, below a bar."""

STEP = 110
"""Between two bars."""
BAR = 14
HEIGHT = 104
MIDDLE = 38
MIN_HALF = 4
MAX_HALF = 34
"""Half of the height of a bar."""
TEXT = 'fill="currentColor" font-size="11" text-anchor="middle"'
FILL = "#4a90d9"


@dataclass
class Stage:
    """A width, the layer that leads to it, and the layers that keep it."""

    width: int
    layer: str = ""
    keepers: list[str] = field(default_factory=list)


def sequential_html(layers: Sequence[Layer], widths: Sequence[int]) -> str:
    """Return a model as HTML.

    Parameters
    ----------
    layers : sequence of Layer
        Its layers.
    widths : sequence of int
        The number of inputs, then the width after each layer.

    Returns
    -------
    str
        A diagram and a table, below 20 kB however many layers there are.
    """
    counts = [sum(math.prod(shape) for shape in layer.shapes().values()) for layer in layers]
    rows: list[tuple[object, ...]] = []
    for index in first_and_last(len(layers), MAX_ROWS):
        if index is None:
            hidden = len(layers) - MAX_ROWS
            rows.append(("", f"… {hidden} more layers: model.summary()", "", "", ""))
        else:
            layer = layers[index]
            name = repr(layer)
            output = f"(m, {widths[index + 1]})"
            rows.append((index, name, _shapes(layer), output, _count(counts[index])))
    rows.append(("", "total", "", "", f"{sum(counts):,}"))
    heading = ("", "layer", "shapes", "output", "parameters")
    return frame(_diagram(_stages(layers, widths)), table(heading, rows, numeric=(0, 4)))


def _count(parameters: int) -> str:
    return f"{parameters:,}" if parameters else ""


def _shapes(layer: Layer) -> str:
    """Return the name and shape of each parameter."""
    return ", ".join(f"{name} {shape}" for name, shape in layer.shapes().items())


def _stages(layers: Sequence[Layer], widths: Sequence[int]) -> list[Stage]:
    stages = [Stage(widths[0])]
    for layer, width in zip(layers, widths[1:], strict=True):
        name = type(layer).__name__
        if layer.shapes() or width != stages[-1].width:
            stages.append(Stage(width, name))
        else:
            stages[-1].keepers.append(name)
    return stages


def _diagram(stages: list[Stage]) -> str:
    """Return a bar for each width, as high as its logarithm, and the layers between the bars."""
    places = first_and_last(len(stages), MAX_STAGES)
    highest = max(math.log(1 + stage.width) for stage in stages)
    size = STEP * len(places)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {size} {HEIGHT}" '
        f'width="{size}" height="{HEIGHT}" style="max-width:100%">',
        f"<title>{len(stages)} widths, from {stages[0].width} inputs "
        f"to {stages[-1].width} outputs</title>",
    ]
    previous: float | None = None
    for number, index in enumerate(places):
        x = STEP / 2 + number * STEP
        if index is None:
            parts.append(f'<text x="{x:g}" y="{MIDDLE + 4}" {TEXT}>…</text>')
            previous = None
            continue
        stage = stages[index]
        half = MIN_HALF + (MAX_HALF - MIN_HALF) * math.log(1 + stage.width) / highest
        if previous is not None:
            parts.append(_link(x, previous, half, stage.layer))
        parts.append(_bar(x, half, stage))
        previous = half
    return "".join([*parts, "</svg>"])


def _link(x: float, before: float, half: float, name: str) -> str:
    """Return what joins the bar at x with the one before it."""
    start = x - STEP + BAR / 2
    end = x - BAR / 2
    return (
        f'<path d="M{start:g} {MIDDLE - before:.1f}L{end:g} {MIDDLE - half:.1f}'
        f'V{MIDDLE + half:.1f}L{start:g} {MIDDLE + before:.1f}Z" '
        f'fill="{FILL}" fill-opacity="0.18"/>'
        f'<text x="{(start + end) / 2:g}" y="{MIDDLE + 4}" {TEXT}>'
        f"{escaped(name, NAME_CHARACTERS)}</text>"
    )


def _bar(x: float, half: float, stage: Stage) -> str:
    label = escaped(", ".join(stage.keepers[:KEEPERS_CHARACTERS]), KEEPERS_CHARACTERS)
    return (
        f'<rect x="{x - BAR / 2:g}" y="{MIDDLE - half:.1f}" width="{BAR}" '
        f'height="{2 * half:.1f}" rx="3" fill="{FILL}"/>'
        f'<text x="{x:g}" y="{HEIGHT - 16}" {TEXT} font-weight="bold">{stage.width}</text>'
        f'<text x="{x:g}" y="{HEIGHT - 3}" {TEXT}>{label}</text>'
    )

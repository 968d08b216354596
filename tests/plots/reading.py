"""What a test reads off an Axes: pixels, and texts."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis

from minilayer.utils.types import Array


def pixels(axes: Axes) -> Array:
    """The first image."""
    return np.asarray(axes.images[0].get_array())


def texts(axes: Axes) -> list[str]:
    """What is written into the picture."""
    return [text.get_text() for text in axes.texts]


def legend_texts(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def tick_labels(axis: Axis) -> list[str]:
    """The labels of the ticks between the limits of the axis."""
    low, high = sorted(axis.get_view_interval())
    labels = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
    return [label.get_text() for place, label in labels if low <= place <= high]

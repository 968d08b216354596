"""Data that tests quote from papers."""

from __future__ import annotations

import numpy as np

from minilayer.utils.types import Array


def numbers(text: str) -> Array:
    """Return the numbers of a text, which spaces separate."""
    return np.array(text.split(), dtype=np.float64)

"""What the tests of the pictures share: figures are made without a screen and closed."""

from collections.abc import Iterator

import matplotlib as mpl
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    """Close every figure of a test."""
    yield
    plt.close("all")

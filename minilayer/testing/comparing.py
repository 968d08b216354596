"""What check_layer and check_loss share: how far results are off, and arguments left alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from ..errors import MinilayerError
from ..utils.types import Array

DIRECTIONS = 3
"""Random directions of a comparison with differences."""
SINGLE_PRECISION = 1e-4
"""How far single precision may be off, relative to the largest."""


def deviation(found: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """Return the largest difference, relative to the largest number that is above 1."""
    largest = float(np.max(np.abs(expected), initial=0))
    return float(np.max(np.abs(np.subtract(found, expected)), initial=0)) / max(1.0, largest)


@contextmanager
def read_only(breach: MinilayerError, *arguments: Array) -> Iterator[None]:
    """Raise ``breach`` if the block writes to one of the arrays."""
    for argument in arguments:
        argument.flags.writeable = False
    try:
        yield
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise breach from error
    finally:
        for argument in arguments:
            argument.flags.writeable = True

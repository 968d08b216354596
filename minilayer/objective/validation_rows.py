"""ValidationRows: rows that training does not see, and how well the network predicts them."""

from __future__ import annotations

from typing import final

import numpy as np

from ..utils.cpus import single_threaded_blas
from ..utils.types import Array
from .evaluator import Evaluator
from .shards import Shards


@final
class ValidationRows:
    """A function of the parameters: ``rows(x) -> (mean loss without penalty, predictions)``."""

    def __init__(self, evaluator: Evaluator, shards: Shards, rows: int) -> None:
        self._evaluator = evaluator
        self._shards = shards
        self._rows = rows

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Return the mean loss and the predictions (m, n_outputs), float64, at parameters x."""
        with single_threaded_blas(), np.errstate(all="ignore"):
            loss, predictions = self._evaluator.predict(x, self._shards)
        return loss / self._rows, predictions

    def fingerprint(self) -> str:
        """Return a checksum of the rows."""
        return self._shards.digest()

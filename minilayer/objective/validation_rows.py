"""HeldOut: rows that the training does not see, and how well the network does on them."""

from __future__ import annotations

from typing import final

import numpy as np

from ..utils.cpus import single_threaded_blas
from ..utils.types import Array
from .evaluator import Evaluator
from .shards import Shards


@final
class HeldOut:
    """``held_out(x) -> (cost, predictions)``: the mean loss over the rows without penalty, and (m, outputs) float64."""

    def __init__(self, evaluator: Evaluator, shards: Shards, rows: int) -> None:
        self._evaluator, self._shards, self._rows = evaluator, shards, rows

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Both at parameters x."""
        with single_threaded_blas(), np.errstate(all="ignore"):
            cost, predictions = self._evaluator.predict(x, self._shards)
        return cost / self._rows, predictions

    def fingerprint(self) -> str:
        """A digest of the rows."""
        return self._shards.digest()

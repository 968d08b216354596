"""Targets as matrices, made block by block from one number a row."""

from __future__ import annotations

from abc import abstractmethod
from typing import final

import numpy as np

from ..errors import DataError
from .row_source import AnyRows, RowSource
from .types import Array


class _OfVector(RowSource):
    """A matrix of targets (m, k) whose rows are made from a vector (m,)."""

    def __init__(self, vector: AnyRows, columns: int, dtype: np.dtype) -> None:
        unit = vector.unit if isinstance(vector, RowSource) else 1
        super().__init__("Y", (len(vector), columns), dtype, unit)
        self._vector = vector

    @abstractmethod
    def _matrix(self, part: Array, out: Array | None) -> Array:
        """Return the rows of a part of the vector."""

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        return self._matrix(self._vector[start:stop], out)

    def pick(self, rows: Array, *, keep: bool = False) -> Array:
        vector = self._vector
        if isinstance(vector, RowSource):
            return self._matrix(vector.pick(rows, keep=keep), None)
        return self._matrix(vector[rows], None)

    def check_unchanged(self) -> None:
        if isinstance(self._vector, RowSource):
            self._vector.check_unchanged()


@final
class ColumnRows(_OfVector):
    """Numbers (m,) as a column (m, 1)."""

    def __init__(self, vector: AnyRows) -> None:
        super().__init__(vector, 1, vector.dtype)

    def _matrix(self, part: Array, out: Array | None) -> Array:
        return part[:, None]


@final
class OneHotRows(_OfVector):
    """Labels (m,) as rows (m, classes) with a 1 in the column of the label."""

    def __init__(self, labels: AnyRows, classes: int) -> None:
        super().__init__(labels, classes, np.dtype(np.float64))

    def _matrix(self, part: Array, out: Array | None) -> Array:
        codes = part.astype(np.intp)
        if not 0 <= codes.min() <= codes.max() < self.shape[1]:
            raise DataError(
                f"Y: expected labels 0..{self.shape[1] - 1}, as at the start, "
                f"found {codes.min()}..{codes.max()}"
            )
        targets = np.empty((len(codes), self.shape[1])) if out is None else out
        targets.fill(0)
        targets[np.arange(len(codes)), codes] = 1.0
        return targets

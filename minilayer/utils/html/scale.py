"""Scales of a chart: from a number to a place between 0 and 1, and the ticks between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from ..types import Array

MIN_LOG_RATIO = 10.0
"""Of the largest to the smallest number, from which a logarithmic scale shows more."""
MAX_LOG_TICKS = 6
MAX_TICKS = 5
MARGIN = 0.04
"""Left free at both ends of a scale, as a share of its length."""
LARGEST = 1e200
"""Larger numbers are drawn at the end, as differences of theirs would overflow."""
SMALLEST = 1e-200
"""Smaller numbers are drawn at the end of a logarithmic scale."""
MULTIPLES = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0))
"""Ticks of a decade: as few as give three ticks."""


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic scale of finite numbers.

    Attributes
    ----------
    low, high : float
        The ends: numbers, or decimal logarithms.
    is_log : bool
        Whether the scale is logarithmic.
    """

    low: float
    high: float
    is_log: bool

    @classmethod
    def of(cls, values: Array, *, may_be_log: bool) -> Self:
        """Return a scale for all finite values; a logarithmic one where that helps.

        Parameters
        ----------
        values : ndarray
            Numbers; those that are not finite do not count.
        may_be_log : bool
            Whether the scale may be logarithmic. It is so from a ratio of 10 of positive numbers.

        Returns
        -------
        Scale
            The scale. Without finite values it goes from 0 to 1.
        """
        finite = values[np.isfinite(values)].clip(-LARGEST, LARGEST)
        if finite.size == 0:
            return cls(0.0, 1.0, False)
        low = float(finite.min())
        high = float(finite.max())
        is_log = may_be_log and low > 0 and high / MIN_LOG_RATIO >= low
        if is_log:
            low = float(np.log10(max(low, SMALLEST)))
            high = float(np.log10(max(high, SMALLEST)))
        margin = MARGIN * (high - low)
        if margin <= 1e-12 * max(abs(low), abs(high)):  # one number, or nearly so
            margin = 0.05 * abs(low) or 1.0
        return cls(low - margin, high + margin, is_log)

    def place(self, values: Array) -> Array:
        """Return where values lie: 0 at the low end, 1 at the high one; NaN where they cannot."""
        finite = np.where(np.isfinite(values), values, np.nan).clip(-LARGEST, LARGEST)
        if self.is_log:
            finite = np.log10(finite.clip(SMALLEST))
        return np.asarray((finite - self.low) / (self.high - self.low))

    def ticks(self, min_step: float = 0.0) -> list[float]:
        """Return round numbers on the scale; 1 as ``min_step`` gives whole ones."""
        return self._log_ticks() if self.is_log else self._linear_ticks(min_step)

    def _linear_ticks(self, min_step: float) -> list[float]:
        least = max((self.high - self.low) / MAX_TICKS, min_step)
        power = 10.0 ** np.floor(np.log10(least))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
        first = int(np.ceil(self.low / step))
        last = int(np.floor(self.high / step))
        return [float(number * step) for number in range(first, last + 1)]

    def _log_ticks(self) -> list[float]:
        first = int(np.floor(self.low))
        last = int(np.ceil(self.high))
        stride = 1 + int((self.high - self.low) / MAX_LOG_TICKS)
        found: list[float] = []
        for multiples in MULTIPLES:
            decades = range(first, last + 1, stride)
            logs = [power + float(np.log10(m)) for power in decades for m in multiples]
            found = [10.0**log for log in logs if self.low <= log <= self.high]
            if len(found) >= 3:
                break
        return found

"""The progress bar: evaluations against the budget, cost and gradient norm."""

from __future__ import annotations

import sys
import time
from typing import Any

from tqdm import tqdm

REFRESH_SECONDS = 0.2


class ProgressBar:
    """A tqdm bar on standard error. ``show`` None: only where that is a terminal."""

    def __init__(self, description: str, total: int | None, show: bool | None) -> None:
        hidden = not sys.stderr.isatty() if show is None else not show
        self._bar = (
            None if hidden else tqdm(desc=description, total=total, unit="ev", leave=True, mininterval=0, miniters=1)
        )
        self._drawn = time.perf_counter()
        self._waiting = 0
        self._told = 0.0, 0.0

    def update(self, cost: float, gradient_norm: float) -> None:
        """One more evaluation; drawn, which takes far longer, a few times a second."""
        if self._bar is not None:
            self._waiting += 1
            self._told = cost, gradient_norm
            if time.perf_counter() - self._drawn > REFRESH_SECONDS:
                self._draw(self._bar)

    def go_on_from(self, evaluations: int) -> None:
        """So many evaluations were made before."""
        self._waiting += evaluations

    def _draw(self, bar: tqdm[Any]) -> None:
        cost, gradient_norm = self._told
        bar.set_postfix_str(f"cost {cost:.6g}, |gradient| {gradient_norm:.2e}", refresh=False)
        bar.update(self._waiting)
        self._waiting, self._drawn = 0, time.perf_counter()

    def close(self) -> None:
        """Draw it once more, leave it as it is and give the line back."""
        if self._bar is not None:
            if self._waiting:
                self._draw(self._bar)
            self._bar.close()

"""The progress bar: evaluations against the budget, cost and gradient norm."""

from __future__ import annotations

import sys
import time
from typing import Any

from tqdm import tqdm

REFRESH_SECONDS = 0.2


class ProgressBar:
    """A tqdm bar on standard error. ``show`` None: only if that is a terminal."""

    def __init__(self, description: str, total: int | None, show: bool | None) -> None:
        self._bar: tqdm[Any] | None = None
        self._drawn = time.perf_counter()
        self._undrawn = 0
        self._latest: tuple[float, float] | None = None  # of a resumed run, until it evaluates
        has_stream = sys.stderr is not None  # None in services, and under pythonw on Windows
        if show is None:
            show = has_stream and sys.stderr.isatty()
        if show and has_stream:
            self._bar = tqdm(
                desc=description, total=total, unit="ev", leave=True, mininterval=0, miniters=1
            )

    def update(self, cost: float, gradient_norm: float) -> None:
        """Count one more evaluation. Drawing takes longer and is done a few times a second."""
        if self._bar is not None:
            self._undrawn += 1
            self._latest = (cost, gradient_norm)
            if time.perf_counter() - self._drawn > REFRESH_SECONDS:
                self._draw(self._bar)

    def resume_from(self, evaluations: int) -> None:
        """Count evaluations of an earlier part of the run."""
        self._undrawn += evaluations

    def close(self) -> None:
        """Draw it a last time and release the line."""
        if self._bar is not None:
            if self._undrawn:
                self._draw(self._bar)
            self._bar.close()

    def _draw(self, bar: tqdm[Any]) -> None:
        if self._latest is not None:
            cost, gradient_norm = self._latest
            postfix = f"cost {cost:.6g}, |gradient| {gradient_norm:.2e}"
            bar.set_postfix_str(postfix, refresh=False)
        bar.update(self._undrawn)
        self._undrawn = 0
        self._drawn = time.perf_counter()

"""The progress bar: evaluations against the budget, cost and gradient norm."""

from __future__ import annotations

import sys

from tqdm import tqdm


class ProgressBar:
    """A tqdm bar on standard error. ``show`` None: only where that is a terminal."""

    def __init__(self, description: str, total: int | None, show: bool | None) -> None:
        hidden = not sys.stderr.isatty() if show is None else not show
        self._bar = None if hidden else tqdm(desc=description, total=total, unit="ev", leave=True)

    def update(self, cost: float, gradient_norm: float) -> None:
        """One more evaluation."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"cost {cost:.6g}, |gradient| {gradient_norm:.2e}", refresh=False)
            self._bar.update()

    def close(self) -> None:
        """Leave the bar as it is and give the line back."""
        if self._bar is not None:
            self._bar.close()

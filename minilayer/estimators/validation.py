"""Rows that early stopping keeps out of the training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split

from .epochs import TrainingRows

MIN_ROWS = 2
"""A score such as R squared needs two rows."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Rows to train on, and rows that decide when to stop."""

    train: TrainingRows
    validation: TrainingRows | None


def split_rows(
    rows: TrainingRows, fraction: float, rng: np.random.RandomState, *, is_stratified: bool
) -> Split:
    """Return the split that scikit-learn makes with the same state of ``rng``."""
    arrays = [rows.X, rows.targets, *([] if rows.weights is None else [rows.weights])]
    parts = train_test_split(
        *arrays,
        random_state=rng,
        test_size=fraction,
        stratify=rows.targets if is_stratified else None,
    )
    train, kept = (
        TrainingRows(X=half[0], targets=half[1], weights=half[2] if len(half) > 2 else None)
        for half in (parts[::2], parts[1::2])
    )
    if len(kept.targets) < MIN_ROWS:
        raise ValueError(
            f"The validation set is too small: expected at least {MIN_ROWS} rows, "
            f"found {len(kept.targets)}: raise validation_fraction"
        )
    return Split(train=train, validation=kept)

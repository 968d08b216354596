"""Class labels: checked, as one-hot targets, and split into rows to train on and rows to test on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .utils.checks import check_count, check_numeric, shown
from .utils.types import Array


def one_hot(labels: npt.ArrayLike, classes: int) -> Array:
    """Targets (m, classes) float64: row i is 1 in column ``labels[i]`` and 0 elsewhere.

    Raises TypeError or ValueError for labels that are not a 1-D array of integers 0..classes - 1.

    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    classes = check_count("classes", classes)
    codes = check_class_labels("labels", labels)
    if codes.max() >= classes:
        raise ValueError(f"labels: expected 0..{classes - 1} for {classes} classes, found {codes.max()}")
    targets = np.zeros((len(codes), classes))
    targets[np.arange(len(codes)), codes] = 1.0
    return targets


def stratified_split(
    labels: npt.ArrayLike, holdout: float, seed: int | np.random.Generator | None = None
) -> tuple[Array, Array]:
    """Row numbers to train on and to hold out, both sorted, the share ``holdout`` taken from each class alike.

    Shares are rounded to whole rows class by class; a class keeps at least one row to train on.

    >>> train, test = stratified_split([0, 0, 0, 0, 1, 1, 1, 1], 0.25, seed=0)
    >>> len(train), len(test), test // 4
    (6, 2, array([0, 1]))
    """
    if isinstance(holdout, bool) or not isinstance(holdout, (int, float)):
        raise TypeError(f"holdout: expected a number, found {shown(holdout)}")
    if not 0 < holdout < 1:
        raise ValueError(f"holdout: expected a share between 0 and 1, found {holdout}")
    codes = check_class_labels("labels", labels)
    rng = np.random.default_rng(seed)
    held = np.zeros(len(codes), bool)
    for label in np.unique(codes):
        rows = rng.permutation(np.flatnonzero(codes == label))
        held[rows[: min(round(holdout * len(rows)), len(rows) - 1)]] = True
    if not held.any():
        raise ValueError(f"holdout: expected a share of at least one row of a class, found {holdout}")
    return np.flatnonzero(~held), np.flatnonzero(held)


def check_class_labels(name: str, labels: npt.ArrayLike) -> Array:
    """A non-empty 1-D array of integers from 0 up, int64; False and True are 0 and 1."""
    codes = check_numeric(name, labels)
    if codes.ndim != 1 or codes.size == 0:
        hint = ""
        if codes.ndim == 2 and codes.size:
            scores = ": of scores use [:, 0] > 0.5" if codes.shape[1] == 1 else ": of scores use .argmax(axis=1)"
            hint = scores if codes.dtype.kind == "f" else ": use .ravel()"
        raise ValueError(f"{name}: expected a 1-D array of class numbers, found shape {codes.shape}{hint}")
    if codes.dtype.kind not in "bui":
        raise TypeError(f"{name}: expected integers, found dtype {codes.dtype}")
    if codes.min() < 0:
        raise ValueError(f"{name}: expected class numbers from 0 up, found {codes.min()}")
    return codes.astype(np.int64)

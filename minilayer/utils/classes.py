"""Class numbers from scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .checks import check_finite, check_matrix, check_numeric
from .types import Array


def predicted_classes(scores: npt.ArrayLike) -> Array:
    """Return the class number that each row of scores stands for.

    Of several columns the class is the one of the highest score, the first of equal ones. One
    column holds the probability of class 1, and the class is 1 above 0.5.

    Parameters
    ----------
    scores : array_like, shape (m, classes), (m, 1) or (m,)
        Predictions, such as ``model.predict(X)``.

    Returns
    -------
    ndarray of int, shape (m,)
        Class numbers.

    Raises
    ------
    TypeError, ValueError
        For scores that are not finite numbers, and one column of numbers outside [0, 1].

    Examples
    --------
    >>> predicted_classes([[0.2, 0.7, 0.1], [0.9, 0.0, 0.1]])
    array([1, 0])
    >>> predicted_classes([0.3, 0.8])
    array([0, 1])
    """
    numbers = check_numeric("scores", scores)
    table = check_matrix("scores", numbers[:, None] if numbers.ndim == 1 else numbers)
    check_finite("scores", table)
    if table.shape[1] > 1:
        return np.asarray(table.argmax(axis=1))
    low, high = table.min(), table.max()
    if low < 0 or high > 1:
        raise ValueError(
            "scores: expected probabilities from 0 to 1 in one column, "
            f"found numbers from {low:g} to {high:g}"
        )
    return (table[:, 0] > 0.5).astype(np.int64)

"""How good predictions are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .checks import Array, check_count
from .data import check_class_labels


def accuracy(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """The share of labels (m,) that were predicted, 0..1.

    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    """
    truth, guess = _pair(labels, predicted)
    return float(np.mean(truth == guess))


def confusion_matrix(labels: npt.ArrayLike, predicted: npt.ArrayLike, classes: int) -> Array:
    """(classes, classes) counts: row the true class, column the predicted one.

    >>> confusion_matrix([0, 1, 1], [0, 0, 1], 2)
    array([[1, 0],
           [1, 1]])
    """
    classes = check_count("classes", classes)
    truth, guess = _pair(labels, predicted)
    highest = max(truth.max(), guess.max())
    if highest >= classes:
        raise ValueError(f"classes: expected more than the highest class number, {highest}, found {classes}")
    return np.bincount(truth * classes + guess, minlength=classes**2).reshape(classes, classes)


def confusion_table(matrix: Array) -> str:
    """The confusion matrix as text, with the share of each true class that was predicted right.

    >>> print(confusion_table(confusion_matrix([0, 1, 1], [0, 0, 1], 2)))
    true\\predicted    0    1   right
                 0    1    .  100.0%
                 1    1    1   50.0%
    """
    lines = ["true\\predicted" + "".join(f"{label:5}" for label in range(len(matrix))) + "   right"]
    for label, row in enumerate(matrix):
        counts = "".join(f"{count or '.':>5}" for count in row)
        share = f"{row[label] / row.sum():8.1%}" if row.sum() else f"{'-':>8}"
        lines.append(f"{label:14}{counts}{share}")
    return "\n".join(lines)


def _pair(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Array, Array]:
    truth, guess = check_class_labels("labels", labels), check_class_labels("predicted", predicted)
    if len(truth) != len(guess):
        raise ValueError(f"predicted: expected as many as labels, {len(truth)}, found {len(guess)}")
    return truth, guess

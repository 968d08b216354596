"""How good predictions are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from .labels import check_class_labels, check_class_names
from .utils.checks import check_count, check_finite, check_matrix, check_numeric
from .utils.classes import predicted_classes
from .utils.types import Array

CORNER = "true\\predicted"
"""The heading of the first column of a confusion table."""


def accuracy(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the share of labels that were predicted.

    Parameters
    ----------
    labels : array_like of int, shape (m,) or (m, classes)
        True class numbers, or one-hot rows.
    predicted : array_like, shape (m,) or (m, classes)
        Predicted class numbers, such as ``model.predict_class(X)``, or scores, such as
        ``model.predict(X)``, whose classes are those of ``predicted_classes``.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    TypeError, ValueError
        For arrays of other kinds, and of different lengths.

    Examples
    --------
    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    >>> accuracy([0, 1], [[0.9, 0.1], [0.6, 0.4]])
    0.5
    """
    truth, guess = _pair(_from_one_hot(labels), _from_scores(labels, predicted))
    return float(np.mean(truth == guess))


def mean_squared_error(targets: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the mean of the squared errors of all numbers.

    Parameters
    ----------
    targets : array_like, shape (m,) or (m, n)
        True numbers.
    predicted : array_like, shape of ``targets``
        Predicted numbers; ``model.predict(X)[:, 0]`` for targets (m,).

    Returns
    -------
    float
        From 0 up.

    Raises
    ------
    TypeError, ValueError
        For arrays that are not finite numbers of equal shapes.

    Examples
    --------
    >>> mean_squared_error([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    return float(np.mean(_errors(targets, predicted) ** 2))


def mean_absolute_error(targets: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the mean of the absolute errors of all numbers.

    Parameters
    ----------
    targets : array_like, shape (m,) or (m, n)
        True numbers.
    predicted : array_like, shape of ``targets``
        Predicted numbers; ``model.predict(X)[:, 0]`` for targets (m,).

    Returns
    -------
    float
        From 0 up.

    Raises
    ------
    TypeError, ValueError
        For arrays that are not finite numbers of equal shapes.

    Examples
    --------
    >>> mean_absolute_error([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    return float(np.mean(np.abs(_errors(targets, predicted))))


def confusion_matrix(labels: npt.ArrayLike, predicted: npt.ArrayLike, classes: int) -> Array:
    """Count how often each class was predicted for each true class.

    Parameters
    ----------
    labels : array_like of int, shape (m,)
        True class numbers.
    predicted : array_like of int, shape (m,)
        Predicted class numbers.
    classes : int
        Number of classes.

    Returns
    -------
    ndarray of int, shape (classes, classes)
        Row the true class, column the predicted one.

    Raises
    ------
    TypeError, ValueError
        For arrays that are not class numbers below ``classes``, one a row.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1], [0, 0, 1], 2)
    array([[1, 0],
           [1, 1]])
    """
    classes = check_count("classes", classes)
    truth, guess = _pair(labels, predicted)
    highest = max(truth.max(), guess.max())
    if highest >= classes:
        raise ValueError(
            f"classes: expected more than the highest class number, {highest}, found {classes}"
        )
    return np.bincount(truth * classes + guess, minlength=classes**2).reshape(classes, classes)


def confusion_table(matrix: npt.ArrayLike, class_names: Iterable[str] | None = None) -> str:
    """Return the confusion matrix as text, with the share of each true class predicted right.

    Parameters
    ----------
    matrix : array_like of int, shape (classes, classes)
        Counts as ``confusion_matrix`` returns them: row the true class, column the predicted one.
    class_names : iterable of str, optional
        The name of each class; default: the class numbers.

    Returns
    -------
    str
        A line of headings and a line for each true class; a dot stands for 0.

    Raises
    ------
    TypeError, ValueError
        For a matrix that is not square, and class names that are not one string a class.

    Examples
    --------
    >>> matrix = confusion_matrix([0, 1, 1], [0, 0, 1], 2)
    >>> print(confusion_table(matrix))
    true\\predicted    0    1   right
                 0    1    .  100.0%
                 1    1    1   50.0%
    >>> print(confusion_table(matrix, class_names=["cat", "rabbit"]))
    true\\predicted     cat  rabbit   right
               cat       1       .  100.0%
            rabbit       1       1   50.0%
    """
    counts = check_matrix("matrix", matrix)
    classes = len(counts)
    if counts.shape != (classes, classes):
        raise ValueError(
            f"matrix: expected as many columns as rows, {classes}, found {counts.shape[1]}"
        )
    names = check_class_names(class_names, classes) or [str(label) for label in range(classes)]
    longest = max(len(name) for name in names)
    first = max(len(CORNER), longest)
    width = max(5, longest + 2, len(str(counts.max())) + 1)
    lines = [f"{CORNER:{first}}" + "".join(f"{name:>{width}}" for name in names) + "   right"]
    for label, row in enumerate(counts):
        cells = "".join(f"{count or '.':>{width}}" for count in row)
        share = f"{row[label] / row.sum():8.1%}" if row.sum() else f"{'-':>8}"
        lines.append(f"{names[label]:>{first}}{cells}{share}")
    return "\n".join(lines)


def precision_recall(
    labels: npt.ArrayLike, predicted: npt.ArrayLike, classes: int
) -> tuple[Array, Array]:
    """Return precision and recall of each class.

    With n[t, p] the confusion matrix, precision is n[c, c] / sum_t n[t, c]: the share of the rows
    predicted as c that are c. Recall is n[c, c] / sum_p n[c, p]: the share of the rows of class c
    that were predicted as c.

    Parameters
    ----------
    labels : array_like of int, shape (m,)
        True class numbers.
    predicted : array_like of int, shape (m,)
        Predicted class numbers.
    classes : int
        Number of classes.

    Returns
    -------
    precision : ndarray, shape (classes,)
        NaN for a class that is never predicted.
    recall : ndarray, shape (classes,)
        NaN for a class that never occurs.

    Raises
    ------
    TypeError, ValueError
        As ``confusion_matrix`` does.

    Examples
    --------
    >>> precision_recall([0, 1, 1, 1], [0, 0, 1, 1], 3)
    (array([0.5, 1. , nan]), array([1.        , 0.66666667,        nan]))
    """
    matrix = confusion_matrix(labels, predicted, classes)
    right = np.diagonal(matrix)
    return _share(right, matrix.sum(axis=0)), _share(right, matrix.sum(axis=1))


def top_k_accuracy(labels: npt.ArrayLike, scores: npt.ArrayLike, k: int = 1) -> float:
    """Return the share of rows whose label is among the k highest scores of the row.

    Of equal scores that of the lower class number counts as the higher, as in ``argmax``. With
    k = 1 this is ``accuracy(labels, scores.argmax(axis=1))``, and a metric for Validation.

    Parameters
    ----------
    labels : array_like of int, shape (m,)
        True class numbers.
    scores : array_like, shape (m, classes)
        Predictions, such as ``model.predict(X)``.
    k : int, default 1
        How many of the highest scores count.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    TypeError, ValueError
        For labels without a score, scores that are not finite, and a k above the number of classes.

    Examples
    --------
    >>> top_k_accuracy([0, 1, 2], [[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.6, 0.3, 0.1]], k=2)
    0.6666666666666666
    """
    truth = check_class_labels("labels", labels)
    table = check_matrix("scores", scores)
    k = check_count("k", k)
    check_finite("scores", table)
    rows, classes = table.shape
    if rows != len(truth):
        raise ValueError(f"scores: expected a row for each label, {len(truth)}, found {rows}")
    if classes == 1:
        raise ValueError(
            "scores: expected a column for each class, found 1: "
            "use accuracy(labels, scores[:, 0] > 0.5)"
        )
    if truth.max() >= classes:
        expected = f"0..{classes - 1} for {classes} columns of scores"
        raise ValueError(f"labels: expected {expected}, found {truth.max()}")
    if k > classes:
        raise ValueError(f"k: expected at most the number of classes, {classes}, found {k}")
    own = table[np.arange(rows), truth][:, None]
    wins_ties = np.arange(classes) < truth[:, None]
    is_ahead = (table > own) | ((table == own) & wins_ties)
    return float(np.mean(is_ahead.sum(axis=1) < k))


def _share(part: Array, whole: Array) -> Array:
    """Return part / whole, NaN if whole is 0."""
    share: Array = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return share


def _pair(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Array, Array]:
    truth = check_class_labels("labels", labels)
    guess = check_class_labels("predicted", predicted)
    if len(truth) != len(guess):
        raise ValueError(f"predicted: expected as many as labels, {len(truth)}, found {len(guess)}")
    return truth, guess


def _from_one_hot(labels: npt.ArrayLike) -> npt.ArrayLike:
    """Return the classes of one-hot rows; anything else as it is, to be checked."""
    rows = check_numeric("labels", labels)
    if rows.ndim != 2 or rows.shape[1] < 2:
        return rows
    is_one_hot = ((rows == 0) | (rows == 1)).all() and (rows.sum(axis=1) == 1).all()
    if not is_one_hot:
        raise ValueError(
            "labels: expected class numbers (m,) or one-hot rows with one 1 each, "
            f"found shape {rows.shape}: for several labels a row use "
            "(labels == (predicted > 0.5)).mean()"
        )
    return np.asarray(rows.argmax(axis=1))


def _from_scores(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> npt.ArrayLike:
    """Return the classes of scores; class numbers as they are, to be checked."""
    found = check_numeric("predicted", predicted)
    is_table = found.ndim == 2 and found.shape[1] > 1
    if not is_table and found.dtype.kind != "f":
        return found
    classes = found.shape[1] if is_table else 2
    highest = check_class_labels("labels", _from_one_hot(labels)).max()
    if highest >= classes:
        raise ValueError(
            f"labels: expected 0..{classes - 1} for scores of {classes} classes, found {highest}"
        )
    try:
        return predicted_classes(found)
    except ValueError as error:
        raise ValueError(str(error).replace("scores", "predicted", 1)) from None


def _errors(targets: npt.ArrayLike, predicted: npt.ArrayLike) -> Array:
    truth = check_numeric("targets", targets)
    guess = check_numeric("predicted", predicted)
    if truth.shape != guess.shape or truth.ndim not in (1, 2) or not truth.size:
        is_column = guess.shape == (*truth.shape, 1)
        raise ValueError(
            f"predicted: expected the shape of targets, {truth.shape}, "
            f"found {guess.shape}{': use predicted[:, 0]' if is_column else ''}"
        )
    for name, values in (("targets", truth), ("predicted", guess)):
        check_finite(name, values.reshape(len(values), -1))
    return np.subtract(guess, truth, dtype=np.float64)

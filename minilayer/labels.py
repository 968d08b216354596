"""Class labels: checked, as one-hot targets, and split into rows for training and for testing."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from .utils.checks import check_count, check_names, check_numeric, check_seed, short_repr
from .utils.label_codes import encode
from .utils.types import Array


def encode_labels(labels: npt.ArrayLike) -> tuple[Array, Array]:
    """Return class numbers for labels of any kind, and the classes that they stand for.

    The classes are sorted, as in ``numpy.unique``. Categories of pandas and Enums of polars keep
    their own order, and those without a row are classes too.

    Parameters
    ----------
    labels : array_like or Series, shape (m,)
        Strings, numbers, booleans, dates or categories.

    Returns
    -------
    codes : ndarray of int64, shape (m,)
        Class numbers from 0 up: the targets for ``fit``.
    classes : ndarray, shape (classes,)
        What each number stands for: ``classes[codes]`` are the labels. ``model.class_names =
        classes`` lets checkpoints and plots know them.

    Raises
    ------
    TypeError
        For labels of several kinds, or of kinds that have no order.
    ValueError
        For labels that are missing, and arrays that are not 1-D; the message names the row.

    See Also
    --------
    decode_labels : The way back.

    Examples
    --------
    >>> codes, classes = encode_labels(["rabbit", "cat", "rabbit"])
    >>> codes, classes
    (array([1, 0, 1]), array(['cat', 'rabbit'], dtype='<U6'))
    >>> decode_labels(codes, classes)
    array(['rabbit', 'cat', 'rabbit'], dtype='<U6')
    """
    return encode("labels", labels)


def decode_labels(codes: npt.ArrayLike, classes: npt.ArrayLike) -> Array:
    """Return the labels that class numbers stand for.

    Parameters
    ----------
    codes : array_like of int, shape (m,)
        Class numbers, such as ``model.predict_class(X)``.
    classes : array_like, shape (classes,)
        The classes of ``encode_labels``, or ``model.class_names``.

    Returns
    -------
    ndarray, shape (m,)
        A label for each number.

    Raises
    ------
    TypeError, ValueError
        For codes that are not class numbers of these classes.

    Examples
    --------
    >>> decode_labels([1, 0], ["no", "yes"])
    array(['yes', 'no'], dtype='<U3')
    """
    numbers = check_class_labels("codes", codes)
    known = np.asarray(classes)
    if known.ndim != 1:
        raise ValueError(f"classes: expected a 1-D array, found shape {known.shape}")
    if numbers.max() >= len(known):
        expected = f"0..{len(known) - 1} for {len(known)} classes"
        raise ValueError(f"codes: expected {expected}, found {numbers.max()}")
    return np.asarray(known[numbers])


def one_hot(labels: npt.ArrayLike, classes: int) -> Array:
    """Return targets with a 1 in the column of each row's label, and 0 elsewhere.

    Parameters
    ----------
    labels : array_like of int, shape (m,)
        Class numbers 0 to classes - 1.
    classes : int
        Number of columns.

    Returns
    -------
    ndarray, shape (m, classes)
        float64.

    Raises
    ------
    TypeError, ValueError
        For labels that are not a 1-D array of such integers.

    Examples
    --------
    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    classes = check_count("classes", classes)
    codes = check_class_labels("labels", labels)
    if codes.max() >= classes:
        expected = f"0..{classes - 1} for {classes} classes"
        raise ValueError(f"labels: expected {expected}, found {codes.max()}")
    targets = np.zeros((len(codes), classes))
    targets[np.arange(len(codes)), codes] = 1.0
    return targets


def stratified_split(
    labels: npt.ArrayLike, test_size: float, seed: int | np.random.Generator | None = None
) -> tuple[Array, Array]:
    """Return row numbers for training and for testing, the same share of each class in both.

    Shares are rounded to whole rows class by class. A class keeps at least one row for training.

    Parameters
    ----------
    labels : array_like of int, shape (m,)
        Class numbers from 0 up.
    test_size : float
        The share of rows for testing, between 0 and 1.
    seed : int or numpy.random.Generator, optional
        The source of randomness.

    Returns
    -------
    train, test : ndarray of int
        Row numbers, both sorted.

    Raises
    ------
    TypeError, ValueError
        For a share out of range or that leaves no row for testing, and a seed of another kind.

    Examples
    --------
    >>> train, test = stratified_split([0, 0, 0, 0, 1, 1, 1, 1], 0.25, seed=0)
    >>> len(train), len(test), test // 4
    (6, 2, array([0, 1]))
    """
    if isinstance(test_size, bool) or not isinstance(test_size, (int, float)):
        raise TypeError(f"test_size: expected a number, found {short_repr(test_size)}")
    if not 0 < test_size < 1:
        raise ValueError(f"test_size: expected a share between 0 and 1, found {test_size}")
    codes = check_class_labels("labels", labels)
    rng = check_seed(seed)
    is_test = np.zeros(len(codes), bool)
    for label in np.unique(codes):
        rows = rng.permutation(np.flatnonzero(codes == label))
        count = min(round(test_size * len(rows)), len(rows) - 1)
        is_test[rows[:count]] = True
    if not is_test.any():
        raise ValueError(
            f"test_size: expected a share of at least one row of a class, found {test_size}"
        )
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def check_class_labels(name: str, labels: npt.ArrayLike) -> Array:
    """Return a non-empty 1-D array of integers from 0 up, int64; False and True are 0 and 1."""
    codes = check_numeric(name, labels)
    if codes.ndim != 1 or codes.size == 0:
        raise ValueError(
            f"{name}: expected a 1-D array of class numbers, "
            f"found shape {codes.shape}{_shape_hint(codes)}"
        )
    if codes.dtype.kind not in "bui":
        raise TypeError(f"{name}: expected integers, found dtype {codes.dtype}")
    if codes.min() < 0:
        raise ValueError(f"{name}: expected class numbers from 0 up, found {codes.min()}")
    return codes.astype(np.int64)


def check_class_names(class_names: Iterable[object] | None, classes: int) -> list[str] | None:
    """Return the names as a list of str, one for each class; None stays None.

    Parameters
    ----------
    class_names : iterable of str, int or float, or None
        The name of class 0, of class 1 and so on.
    classes : int
        How many names there must be.

    Returns
    -------
    list of str or None
        The names.

    Raises
    ------
    TypeError
        For a single string, and for names that are neither strings nor numbers.
    ValueError
        For another number of names.

    Examples
    --------
    >>> check_class_names(("no", "yes"), 2)
    ['no', 'yes']
    """
    if class_names is None:
        return None
    return list(check_names("class_names", class_names, classes, "class", numbers=True))


def _shape_hint(codes: Array) -> str:
    if codes.ndim != 2 or codes.size == 0:
        return ""
    if codes.dtype.kind != "f":
        return ": use .ravel()"
    is_one_output = codes.shape[1] == 1
    return ": of scores use [:, 0] > 0.5" if is_one_output else ": of scores use .argmax(axis=1)"

"""The exercise's digits, one-hot targets and a stratified split."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat

from .utils.checks import check_count, check_finite, check_numeric, check_path, shown
from .utils.types import Array

PIXELS = 400


def load_ex4(path: str | os.PathLike[str]) -> tuple[Array, Array]:
    """The digits of exercise 4: X (m, 400) float64 pixels and labels (m,) int64 0..9 (the file's 10 is digit 0).

    Each row of X is a 20x20 image unrolled column by column: ``row.reshape(20, 20).T`` shows it upright.

    Raises FileNotFoundError where there is no file, ValueError for one that is not MATLAB's, is truncated, lacks X or
    y, or holds other shapes, and for numbers that are no pixels or labels.

    >>> X, labels = load_ex4("data/ex4data1.mat")
    >>> X.shape, labels.shape, labels[::500].tolist()
    ((5000, 400), (5000,), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    path = check_path("path", path)
    content = read_mat(path, ("X", "y"))
    for name in ("X", "y"):
        if name not in content:
            raise ValueError(f"{path}: expected the variables X and y, found no {name}")
    return _pixels(path, content["X"]), _labels(path, content["y"], len(content["X"]))


def read_mat(path: Path, names: tuple[str, ...] | None) -> dict[str, Any]:
    """The variables of a MATLAB 5 file, or those of these names; ValueError for anything else."""
    wanted = f" with {' and '.join(names)}" if names else ""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a MATLAB file{wanted}, found no file there")
    try:
        return dict(loadmat(path, variable_names=names))
    except NotImplementedError:
        raise ValueError(f"{path}: expected a MATLAB 5 file, found version 7.3: save it with '-v7'") from None
    except MemoryError:
        raise ValueError(f"{path}: expected a MATLAB file, found one that claims more than the memory") from None
    except Exception as error:  # the reader fails in many ways on bytes that are not its own
        raise ValueError(f"{path}: expected a MATLAB file{wanted}, found one that cannot be read: {error}") from None


def _pixels(path: Path, value: object) -> Array:
    X = check_numeric(f"X in {path}", value)
    if X.ndim != 2 or X.shape[1] != PIXELS or len(X) == 0:
        raise ValueError(f"X in {path}: expected shape (m, {PIXELS}), found {X.shape}")
    check_finite(f"X in {path}", X)
    return np.ascontiguousarray(X, dtype=np.float64)


def _labels(path: Path, value: object, rows: int) -> Array:
    y = check_numeric(f"y in {path}", value)
    if y.shape not in {(rows, 1), (1, rows), (rows,)}:
        raise ValueError(f"y in {path}: expected shape ({rows}, 1), found {y.shape}")
    wrong = (y != np.round(y)) | (y < 0) | (y > 10)
    if wrong.any():
        raise ValueError(f"y in {path}: expected labels 1..10 (10 is digit 0), found {y[wrong].flat[0]}")
    return y.ravel().astype(np.int64) % 10


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

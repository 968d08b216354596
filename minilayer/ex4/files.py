"""The files of exercise 4: the digits, and the trained weights, both in MATLAB's format.

Exercise 4 of Andrew Ng's machine-learning course trains a network on 5000 images of digits.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np

from ..nn import Dense, Layer, Sequential, Sigmoid
from ..utils.checks import check_finite, check_instance, check_matrix, check_path
from ..utils.files import replace_file
from ..utils.matlab5 import read_matrices
from ..utils.types import Array

PIXELS = 400
"""Pixels of an image: 20 x 20."""


def load_ex4(path: str | os.PathLike[str]) -> tuple[Array, Array]:
    """Return the digits of exercise 4.

    Safe on files from strangers, as ``load`` is.

    Parameters
    ----------
    path : path
        A MATLAB 5 file with X (m, 400) and y (m, 1), as the course's ``ex4data1.mat``. Octave and
        MATLAB save one with ``-v6`` and ``-v7``.

    Returns
    -------
    X : ndarray, shape (m, 400)
        float64 pixels. A row is a 20x20 image, column by column: ``row.reshape(20, 20).T`` shows it
        upright.
    labels : ndarray, shape (m,)
        int64 digits 0 to 9. The file's label 10 is digit 0.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    ValueError
        For a file of another kind or a damaged one, without X or y, with other shapes, and with
        numbers that are not pixels or labels.

    Examples
    --------
    >>> X, labels = load_ex4("data/ex4data1.mat")
    >>> X.shape, labels.shape, labels[::500].tolist()
    ((5000, 400), (5000,), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    path = _check_file(path, "X and y")
    content = read_matrices(path, "X|y")
    for name in ("X", "y"):
        if name not in content:
            raise ValueError(f"{path}: expected the variables X and y, found no {name}")
    return _pixels(path, content["X"]), _labels(path, content["y"], len(content["X"]))


def load_ex4_weights(path: str | os.PathLike[str]) -> Sequential:
    """Return the network in a weight file of exercise 4: Dense layers, each with a Sigmoid behind.

    The exercise's ``ex4weights.mat`` gives the 400-25-10 network. Its outputs are the labels 1 to
    10 in that order, so digit 0 (label 10) is the last one. ``np.roll(prediction, 1, axis=1)`` has
    digit k in column k, as ``load_ex4`` counts the digits. Safe on files from strangers.

    Parameters
    ----------
    path : path
        A MATLAB 5 file with Theta1, Theta2, ..., each of shape (units, 1 + inputs).

    Returns
    -------
    Sequential
        A new model.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    ValueError
        For a file of another kind or a damaged one, without Theta1, and with matrices that are not
        finite or whose sizes do not fit.

    Examples
    --------
    >>> import tempfile
    >>> model = Sequential([Dense(3, 2), Sigmoid()], seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_ex4_weights(model, f"{folder}/weights.mat")
    ...     load_ex4_weights(f"{folder}/weights.mat")
    Sequential([Dense(3, 2), Sigmoid()])
    """
    path = _check_file(path, "Theta1")
    content = read_matrices(path, r"Theta[1-9]\d*")
    thetas: list[Array] = []
    while (name := f"Theta{len(thetas) + 1}") in content:
        theta = check_matrix(f"{name} in {path}", content[name])
        check_finite(f"{name} in {path}", theta)
        if theta.shape[1] < 2:
            raise ValueError(
                f"{name} in {path}: expected a bias and at least one weight a row, "
                f"found shape {theta.shape}"
            )
        thetas.append(theta)
    if not thetas:
        raise ValueError(f"{path}: expected the variables Theta1, Theta2, ..., found no Theta1")
    layers: list[Layer] = []
    for theta in thetas:
        layers += [Dense(theta.shape[1] - 1, theta.shape[0]), Sigmoid()]
    try:
        model = Sequential(layers)
    except ValueError as error:
        raise ValueError(f"{path}: expected matrices whose sizes fit: {error}") from None
    for layer, theta in zip(model.layers[::2], thetas, strict=True):
        layer.parameters["theta"][:] = theta
    return model


def save_ex4_weights(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write the Dense layers of a model as Theta1, Theta2, ... into a MATLAB file.

    The file is replaced in one step, as ``save`` does it. Outputs stay in the model's order. The
    exercise's own code expects digit 0 last; a model trained with ``load_ex4``'s labels has it
    first.

    Parameters
    ----------
    model : Sequential
        A model of Dense and Sigmoid layers in turn.
    path : path
        The file; an old one is replaced when the new one is complete.

    Raises
    ------
    ValueError
        For another model: the file could not store its layers.
    OSError
        If the folder cannot be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> model = Sequential([Dense(3, 2), Sigmoid()], seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_ex4_weights(model, f"{folder}/weights.mat")
    ...     again = load_ex4_weights(f"{folder}/weights.mat")
    >>> bool((again.parameters == model.parameters).all())
    True
    """
    check_instance("model", model, Sequential, "a Sequential")
    path = check_path("path", path)
    dense, sigmoids = model.layers[::2], model.layers[1::2]
    kinds = [type(layer) for layer in model.layers]
    if kinds != [Dense, Sigmoid] * len(sigmoids):
        raise ValueError(f"model: expected Dense and Sigmoid layers in turn, found {model!r}")
    for layer in dense:
        if isinstance(layer, Dense) and not layer.has_bias:
            raise ValueError(f"model: expected Dense layers with a bias, found {layer!r}")
    thetas = {f"Theta{k}": layer.parameters["theta"] for k, layer in enumerate(dense, start=1)}
    from scipy.io import savemat  # it takes longer to import than all of minilayer

    buffer = io.BytesIO()
    savemat(buffer, thetas)
    replace_file(path, buffer.getvalue())


def _check_file(path: str | os.PathLike[str], content: str) -> Path:
    checked = check_path("path", path)
    if not checked.is_file():
        raise FileNotFoundError(
            f"{checked}: expected a MATLAB file with {content}, found no file there"
        )
    return checked


def _pixels(path: Path, X: Array) -> Array:
    if X.shape[1] != PIXELS or len(X) == 0:
        raise ValueError(f"X in {path}: expected shape (m, {PIXELS}), found {X.shape}")
    check_finite(f"X in {path}", X)
    return np.ascontiguousarray(X, dtype=np.float64)


def _labels(path: Path, y: Array, rows: int) -> Array:
    if y.shape not in {(rows, 1), (1, rows)}:
        raise ValueError(f"y in {path}: expected shape ({rows}, 1), found {y.shape}")
    wrong = ~((y >= 0) & (y <= 10) & (y == np.round(y)))
    if wrong.any():
        raise ValueError(
            f"y in {path}: expected labels 1..10 (10 is digit 0), found {y[wrong].flat[0]}"
        )
    return y.ravel().astype(np.int64) % 10

"""The files of exercise 4: the digits, and the trained weights, both in MATLAB's format."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat, savemat

from .nn import Dense, Layer, Sequential, Sigmoid
from .utils.checks import check_finite, check_instance, check_matrix, check_numeric, check_path
from .utils.files import replace_file
from .utils.types import Array

PIXELS = 400
"""Pixels of an image: 20 x 20."""


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


def load_ex4_weights(path: str | os.PathLike[str]) -> Sequential:
    """Theta1 (units, 1 + inputs), Theta2, ... of a MATLAB file as Dense layers with a Sigmoid behind each.

    The exercise's ``ex4weights.mat`` gives the 400-25-10 network. Its outputs are the labels 1 to 10 in that order, so
    digit 0 (label 10) is the last: ``np.roll(model.predict(X), 1, axis=1)`` has digit k in column k, as ``load_ex4``
    counts them.

    Raises FileNotFoundError where there is no file, ValueError or TypeError for one that is not MATLAB's or has no
    Theta1, and for matrices that are not finite numbers or do not chain.
    """
    path = check_path("path", path)
    content = read_mat(path, None)
    thetas: list[Array] = []
    while (name := f"Theta{len(thetas) + 1}") in content:
        theta = check_matrix(f"{name} in {path}", content[name])
        check_finite(f"{name} in {path}", theta)
        if theta.shape[1] < 2:
            raise ValueError(
                f"{name} in {path}: expected a bias and at least one weight a row, found {theta.shape}"
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
        raise ValueError(f"{path}: expected matrices that chain: {error}") from None
    for layer, theta in zip(model.layers[::2], thetas, strict=True):
        layer.parameters["theta"][:] = theta
    return model


def save_ex4_weights(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write the Dense layers of a model as Theta1, Theta2, ... into a MATLAB file, in one step as ``save`` does.

    Outputs stay in the model's order. The exercise's own code expects digit 0 last; a model that was trained with
    ``load_ex4``'s labels has it first.

    Raises ValueError for a model that is not Dense and Sigmoid in turn: the file could not say so.
    """
    check_instance("model", model, Sequential, "a Sequential")
    path = check_path("path", path)
    dense, sigmoids = model.layers[::2], model.layers[1::2]
    kinds = [type(layer) for layer in model.layers]
    if kinds != [Dense, Sigmoid] * len(sigmoids) or not dense:
        raise ValueError(f"model: expected Dense and Sigmoid layers in turn, found {model!r}")
    buffer = io.BytesIO()
    savemat(
        buffer,
        {
            f"Theta{number}": layer.parameters["theta"]
            for number, layer in enumerate(dense, start=1)
        },
    )
    replace_file(path, buffer.getvalue())


def read_mat(path: Path, names: tuple[str, ...] | None) -> dict[str, Any]:
    """The variables of a MATLAB 5 file, or those of these names; ValueError for anything else."""
    wanted = f" with {' and '.join(names)}" if names else ""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a MATLAB file{wanted}, found no file there")
    try:
        return dict(loadmat(path, variable_names=names))
    except NotImplementedError:
        raise ValueError(
            f"{path}: expected a MATLAB 5 file, found version 7.3: save it with '-v7'"
        ) from None
    except MemoryError:
        raise ValueError(
            f"{path}: expected a MATLAB file, found one that claims more than the memory"
        ) from None
    except Exception as error:  # the reader fails in many ways on bytes that are not its own
        raise ValueError(
            f"{path}: expected a MATLAB file{wanted}, found one that cannot be read: {error}"
        ) from None


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
        raise ValueError(
            f"y in {path}: expected labels 1..10 (10 is digit 0), found {y[wrong].flat[0]}"
        )
    return y.ravel().astype(np.int64) % 10

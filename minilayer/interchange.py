"""The exercise's own weight files: Theta1, Theta2, ... in a MATLAB file, as a Sequential and back."""

from __future__ import annotations

import io
import os

from scipy.io import savemat

from .data import read_mat
from .nn.activations import Sigmoid
from .nn.dense import Dense
from .nn.layer import Layer
from .nn.sequential import Sequential
from .utils.checks import check_finite, check_instance, check_matrix, check_path
from .utils.files import replace_file
from .utils.types import Array


def load_weights(path: str | os.PathLike[str]) -> Sequential:
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
            raise ValueError(f"{name} in {path}: expected a bias and at least one weight a row, found {theta.shape}")
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


def save_weights(model: Sequential, path: str | os.PathLike[str]) -> None:
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
    savemat(buffer, {f"Theta{number}": layer.parameters["theta"] for number, layer in enumerate(dense, start=1)})
    replace_file(path, buffer.getvalue())

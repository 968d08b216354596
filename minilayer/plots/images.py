"""Square images: of data, of what hidden units see, of mistakes."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from ..labels import check_class_labels
from ..nn import Dense, Sequential
from ..utils.checks import check_matrix
from ..utils.types import Array
from .axes import Axes, given_or_new


def digit_grid(X: npt.ArrayLike, count: int = 100, seed: int = 0, ax: Axes | None = None) -> Axes:
    """``count`` random rows of X (m, k*k) as images, each unrolled column by column as in ex4."""
    images = check_matrix("X", X)
    rows = np.random.default_rng(seed).choice(len(images), min(count, len(images)), replace=False)
    return _show(_tiles(images[np.sort(rows)]), f"{len(rows)} of {len(images)} digits", ax)


def hidden_units(model: Sequential, ax: Axes | None = None) -> Axes:
    """What each unit of the first Dense layer sees: its weights as an image, scaled to its own range."""
    first = next((layer for layer in model.layers if isinstance(layer, Dense)), None)
    if first is None:
        raise ValueError(f"model: expected a Dense layer, found {model!r}")
    weight = first.weight / np.abs(first.weight).max(axis=1, keepdims=True).clip(1e-300)
    return _show(_tiles(weight, scale=1.0), f"what each of {first.units} hidden units sees", ax)


def confident_mistakes(
    X: npt.ArrayLike,
    labels: npt.ArrayLike,
    predictions: npt.ArrayLike,
    count: int = 25,
    ax: Axes | None = None,
) -> Axes:
    """The wrongly classified rows with the highest activation of the wrong class, captioned ``true>predicted``."""
    images, scores = check_matrix("X", X), check_matrix("predictions", predictions)
    truth, guess = check_class_labels("labels", labels), scores.argmax(axis=1)
    wrong = np.flatnonzero(guess != truth)
    worst = wrong[np.argsort(-scores[wrong, guess[wrong]], kind="stable")][:count]
    if len(worst) == 0:
        return _show(np.zeros((1, 1)), "no mistakes", ax)
    axes = _show(
        _tiles(images[worst]), f"the {len(worst)} most confident of {len(wrong)} mistakes", ax
    )
    side, across = _geometry(images[worst])
    for place, row in enumerate(worst):
        x, y = (place % across) * (side + 1) + 1, (place // across) * (side + 1) + 1
        caption = f"{truth[row]}>{guess[row]} {scores[row, guess[row]]:.2f}"
        axes.text(x, y, caption, fontsize=6, va="top", color="#ffd166")
    return axes


def _geometry(images: Array) -> tuple[int, int]:
    """Pixels along an image's side, and images in a row."""
    side = round(sqrt(images.shape[1]))
    if side * side != images.shape[1]:
        raise ValueError(f"X: expected square images, found {images.shape[1]} pixels")
    return side, ceil(sqrt(len(images)))


def _tiles(images: Array, scale: float | None = None) -> Array:
    """One picture of all images, a dark line between them."""
    side, across = _geometry(images)
    low, high = (-scale, scale) if scale is not None else (float(images.min()), float(images.max()))
    down = ceil(len(images) / across)
    canvas = np.zeros((down * (side + 1) + 1, across * (side + 1) + 1))
    for place, image in enumerate(images):
        top, left = (place // across) * (side + 1) + 1, (place % across) * (side + 1) + 1
        canvas[top : top + side, left : left + side] = (image.reshape(side, side).T - low) / max(
            high - low, 1e-300
        )
    return canvas


def _show(canvas: Array, title: str, ax: Axes | None) -> Axes:
    axes = given_or_new(ax)
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=1)
    axes.set_title(title)
    axes.set_axis_off()
    return axes

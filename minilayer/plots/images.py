"""Square images: of data, of the weights of hidden units, of mistakes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, isqrt, sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..labels import check_class_labels, check_class_names
from ..nn import Dense, Sequential
from ..utils.checks import check_count, check_instance, check_matrix, check_seed, short_repr
from ..utils.types import Array
from .axes import Axes, given_or_new, width_in_points

Order = Literal["column", "row"]

BORDER_PIXELS = 1
"""Between images that have no captions."""
CAPTION_SHARE = 0.36
"""Room for a caption of two lines above an image, as a share of the image's side."""
SMALLEST_POINTS = 5.0
LARGEST_POINTS = 10.0
POINTS_PER_CHARACTER = 0.56
"""Average width of a character, as a share of the font's size."""
TINY = 1e-300


def digit_grid(
    X: npt.ArrayLike,
    count: int = 100,
    seed: int = 0,
    ax: Axes | None = None,
    *,
    order: Order = "column",
) -> Axes:
    """Draw randomly chosen rows of X as square grey images.

    The images stand in the order of their rows, the smallest number of all chosen rows in black
    and the largest in white.

    Parameters
    ----------
    X : array_like, shape (m, k * k)
        Rows of pixels.
    count : int, default 100
        How many images, at most m.
    seed : int, default 0
        Of the choice of rows.
    ax : matplotlib Axes, optional
        Where to draw; default: the Axes of a new figure.
    order : "column" or "row", default "column"
        How a row of X holds the pixels: column by column, as in exercise 4 of the course, or row by
        row, as in scikit-learn's ``load_digits``.

    Returns
    -------
    matplotlib Axes
        The Axes with the picture.

    Raises
    ------
    TypeError, ValueError
        For an X whose rows are not square images, a count below 1, and another order.

    Examples
    --------
    >>> from minilayer import load_ex4, plots
    >>> X, labels = load_ex4("data/ex4data1.mat")
    >>> plots.digit_grid(X, count=25).get_title()
    '25 of 5000 digits'
    """
    pixels = check_matrix("X", X)
    count = min(check_count("count", count), len(pixels))
    rows = check_seed(seed).choice(len(pixels), count, replace=False)
    images = _square_images("X", pixels[np.sort(rows)], order)
    picture = _Tiles.without_captions(images).picture(_grey(images))
    return _show(picture, f"{count} of {len(pixels)} digits", given_or_new(ax))


def hidden_units(model: Sequential, ax: Axes | None = None, *, order: Order = "column") -> Axes:
    """Draw the weights of each unit of the first Dense layer as a square grey image.

    Each image has its own scale: grey is 0, white a positive and black a negative weight of the
    unit's largest absolute value. Biases are not drawn.

    Parameters
    ----------
    model : Sequential
        A network whose inputs are square images.
    ax : matplotlib Axes, optional
        Where to draw; default: the Axes of a new figure.
    order : "column" or "row", default "column"
        How a row of the data holds the pixels: column by column, as in exercise 4 of the course, or
        row by row, as in scikit-learn's ``load_digits``.

    Returns
    -------
    matplotlib Axes
        The Axes with the picture.

    Raises
    ------
    TypeError, ValueError
        For a model without a Dense layer, inputs that are not square images, and another order.

    Examples
    --------
    >>> from minilayer import Sigmoid, mlp, plots
    >>> model = mlp(400, 25, 10, output=Sigmoid, seed=0)
    >>> plots.hidden_units(model).get_title()
    'weights of 25 hidden units'
    """
    check_instance("model", model, Sequential, "a Sequential")
    first = next((layer for layer in model.layers if isinstance(layer, Dense)), None)
    if first is None:
        raise ValueError(f"model: expected a Dense layer, found {model!r}")
    largest = np.abs(first.weight).max(axis=1, keepdims=True).clip(TINY)
    images = _square_images("model", (1 + first.weight / largest) / 2, order)
    picture = _Tiles.without_captions(images).picture(images)
    return _show(picture, f"weights of {first.units} hidden units", given_or_new(ax))


def confident_mistakes(
    X: npt.ArrayLike,
    labels: npt.ArrayLike,
    predictions: npt.ArrayLike,
    count: int = 9,
    ax: Axes | None = None,
    *,
    order: Order = "column",
    class_names: Iterable[str] | None = None,
) -> Axes:
    """Draw the wrongly classified images in which the network trusts the wrong class most.

    Above each image stand its true class, the predicted one and the output of the predicted one,
    such as "true 3, predicted 7 (79 %)". The most confident mistake comes first.

    Parameters
    ----------
    X : array_like, shape (m, k * k)
        Rows of pixels.
    labels : array_like of int, shape (m,)
        The true classes, 0..classes - 1.
    predictions : array_like, shape (m, classes)
        The outputs of the network, such as ``model.predict(X)``. The predicted class is the one
        with the highest output. Outputs in 0..1 are written in percent, others as numbers.
    count : int, default 9
        How many images at most. The captions of many images are small.
    ax : matplotlib Axes, optional
        Where to draw; default: the Axes of a new figure.
    order : "column" or "row", default "column"
        How a row of X holds the pixels: column by column, as in exercise 4 of the course, or row by
        row, as in scikit-learn's ``load_digits``.
    class_names : iterable of str, optional
        The name of each class; default: the class numbers.

    Returns
    -------
    matplotlib Axes
        The Axes with the picture.

    Raises
    ------
    TypeError, ValueError
        For an X whose rows are not square images, labels and predictions of another number of rows,
        labels without a column of predictions, class names that are not one string a class, a count
        below 1, and another order.

    Examples
    --------
    >>> from minilayer import plots
    >>> axes = plots.confident_mistakes([[0, 1, 1, 0]], [0], [[0.2, 0.8]], class_names=["x", "o"])
    >>> axes.get_title(), axes.texts[0].get_text()
    ('the 1 most confident of 1 mistakes', 'true x,\\npredicted o (80 %)')
    """
    pixels, truth, scores = _checked_predictions(X, labels, predictions)
    classes = scores.shape[1]
    names = check_class_names(class_names, classes) or [str(label) for label in range(classes)]
    guess = scores.argmax(axis=1)
    trust = scores.max(axis=1)
    wrong = np.flatnonzero(guess != truth)
    worst = wrong[np.argsort(-trust[wrong], kind="stable")][: check_count("count", count)]
    axes = given_or_new(ax)
    if len(worst) == 0:
        return _show(np.ones((1, 1)), "no mistakes", axes)
    images = _square_images("X", pixels[worst], order)
    tiles = _Tiles.with_captions(images)
    title = f"the {len(worst)} most confident of {len(wrong)} mistakes"
    _show(tiles.picture(_grey(images)), title, axes)
    form = "{:.0%}" if scores.min() >= 0 and scores.max() <= 1 else "{:.2f}"
    captions = [
        f"true {names[truth[row]]},\npredicted {names[guess[row]]} "
        f"({form.format(trust[row]).replace('%', ' %')})"
        for row in worst
    ]
    _write_captions(axes, tiles, captions)
    return axes


def _checked_predictions(
    X: npt.ArrayLike, labels: npt.ArrayLike, predictions: npt.ArrayLike
) -> tuple[Array, Array, Array]:
    """Return the arguments as arrays with the same number of rows."""
    pixels = check_matrix("X", X)
    truth = check_class_labels("labels", labels)
    scores = check_matrix("predictions", predictions)
    if len(truth) != len(pixels):
        raise ValueError(
            f"labels: expected one for each of {len(pixels)} rows of X, found {len(truth)}"
        )
    if len(scores) != len(pixels):
        raise ValueError(
            f"predictions: expected a row for each of {len(pixels)} rows of X, found {len(scores)}"
        )
    classes = scores.shape[1]
    if truth.max() >= classes:
        raise ValueError(
            f"labels: expected 0..{classes - 1} for {classes} columns of predictions, "
            f"found {truth.max()}"
        )
    return pixels, truth, scores


def _square_images(name: str, pixels: Array, order: str) -> Array:
    """Return rows of pixels as upright images, (m, k, k)."""
    side = isqrt(pixels.shape[1])
    if side * side != pixels.shape[1]:
        raise ValueError(f"{name}: expected square images, found {pixels.shape[1]} pixels")
    images = pixels.reshape(-1, side, side)
    if order == "column":
        return images.transpose(0, 2, 1)
    if order == "row":
        return images
    raise ValueError(f"order: expected 'column' or 'row', found {short_repr(order)}")


def _grey(images: Array) -> Array:
    """Return the images scaled to 0..1 together."""
    low, high = float(images.min()), float(images.max())
    return np.asarray((images - low) / max(high - low, TINY))


@dataclass(frozen=True)
class _Tiles:
    """Where each of several images stands in a picture of all of them; lengths in pixels."""

    side: int
    across: int
    down: int
    gap: int
    """Between columns."""
    margin: int
    """Left and right of all columns."""
    caption: int
    """Above each image."""

    @classmethod
    def without_captions(cls, images: Array) -> _Tiles:
        """Return a layout with a thin line around each image."""
        across = ceil(sqrt(len(images)))
        return cls(
            side=images.shape[1],
            across=across,
            down=ceil(len(images) / across),
            gap=BORDER_PIXELS,
            margin=BORDER_PIXELS,
            caption=BORDER_PIXELS,
        )

    @classmethod
    def with_captions(cls, images: Array) -> _Tiles:
        """Return a layout with room for two lines of text above each image."""
        across = ceil(sqrt(len(images)))
        room = max(2, round(CAPTION_SHARE * images.shape[1]))
        return cls(
            side=images.shape[1],
            across=across,
            down=ceil(len(images) / across),
            gap=room,
            margin=room // 2,
            caption=room,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return (
            self.down * (self.side + self.caption) + BORDER_PIXELS,
            self.across * (self.side + self.gap) - self.gap + 2 * self.margin,
        )

    def corner(self, place: int) -> tuple[int, int]:
        """Return the top and the left of an image."""
        row, column = divmod(place, self.across)
        return (
            row * (self.side + self.caption) + self.caption,
            column * (self.side + self.gap) + self.margin,
        )

    def picture(self, images: Array) -> Array:
        """Return one picture of all images; lines are black, room for captions is white."""
        picture = np.full(self.shape, 0.0 if self.caption == BORDER_PIXELS else 1.0)
        for place, image in enumerate(images):
            top, left = self.corner(place)
            picture[top : top + self.side, left : left + self.side] = image
        return picture


def _write_captions(axes: Axes, tiles: _Tiles, captions: list[str]) -> None:
    """Write a caption centred above each image, as large as its column is wide."""
    longest = max(len(line) for caption in captions for line in caption.splitlines())
    column = width_in_points(axes) / tiles.across
    size = np.clip(column / (POINTS_PER_CHARACTER * longest), SMALLEST_POINTS, LARGEST_POINTS)
    for place, caption in enumerate(captions):
        top, left = tiles.corner(place)
        axes.text(
            left + tiles.side / 2 - 0.5,
            top - 1,
            caption,
            size=float(size),
            ha="center",
            va="bottom",
            linespacing=1.05,
        )


def _show(picture: Array, title: str, axes: Axes) -> Axes:
    """Draw a picture of numbers in 0..1 in grey, without axes."""
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(title)
    axes.set_axis_off()
    return axes

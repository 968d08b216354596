"""to_html: a web page that runs a network on what its user draws."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from collections.abc import Iterable, Mapping
from importlib.resources import files
from math import isqrt
from string import Template
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..labels import check_class_labels, check_class_names
from ..nn import Dense, Sequential, Sigmoid, Softmax
from ..utils.checks import (
    check_count,
    check_finite,
    check_instance,
    check_matrix,
    check_number,
    check_path,
    short_repr,
)
from ..utils.files import replace_file
from .html_layers import encode_array, layer_record

Order = Literal["column", "row"]

SCRIPTS = ("network.js", "picture.js", "page.js")
MAX_TILES = 100
"""Units of the first Dense layer that the page shows."""
MNIST_BOX = 20 / 28
"""The part of an image's side that the digits of MNIST are scaled to."""
MNIST_STROKE = 2.5 / 28
"""Median width of the lines of these digits, as a part of an image's side."""


def to_html(
    model: Sequential,
    path: str | os.PathLike[str],
    *,
    title: str = "Draw a picture",
    class_names: Iterable[str] | None = None,
    examples: npt.ArrayLike | None = None,
    labels: npt.ArrayLike | None = None,
    image_shape: tuple[int, int] | None = None,
    order: Order = "column",
    background: float = 0.0,
    ink: float = 1.0,
    box: float = MNIST_BOX,
    stroke: float = MNIST_STROKE,
) -> None:
    """Write a web page to draw on: the network reads the drawing while it grows.

    The page is one file and makes no connections. It computes in float64, as ``predict`` does. It
    shows the pixels that the network sees, each output as a bar, and the units of the first Dense
    layer as images of their weights, which light up with the unit's activation. The first 100
    units are shown. A drawing is scaled to ``box``, and its centre of mass is moved to the middle,
    as for the digits of MNIST. An older file at ``path`` is replaced in one step.

    Parameters
    ----------
    model : Sequential
        A network of layers of minilayer, whose inputs are the pixels of an image.
    path : path
        The file to write, such as ``"draw.html"``.
    title : str, default "Draw a picture"
        The heading of the page.
    class_names : iterable of str, optional
        The name of each output, or of both classes of a single Sigmoid output; default: numbers.
    examples : array_like, shape (m, n_inputs), optional
        Images to click on.
    labels : array_like of int, shape (m,), optional
        The true class of each example.
    image_shape : tuple of two int, optional
        Height and width of the images in pixels; default: square images.
    order : "column" or "row", default "column"
        How a row of the data holds the pixels: column by column, as in exercise 4 of the course, or
        row by row, as in scikit-learn's ``load_digits``.
    background, ink : float, default 0 and 1
        The numbers of a pixel without a line and of one inside a line.
    box : float, default 20 / 28
        The part of the image that a drawing fills, above 0 and at most 1.
    stroke : float, default 2.5 / 28
        The width of a line as a part of the image's shorter side, above 0 and below ``box``.

    Raises
    ------
    TypeError
        For arguments of another kind and layers that are not of minilayer.
    ValueError
        For a model without a Dense layer, parameters that are not finite, and arguments that do
        not fit the model.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import minilayer as ml
    >>> X, labels = ml.load_ex4("data/ex4data1.mat")
    >>> model = ml.mlp(400, 25, 10, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=0)
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_html(model, f"{folder}/draw.html", title="Draw a digit", examples=X[::500])
    """
    check_instance("model", model, Sequential, "a Sequential")
    target = check_path("path", path)
    check_instance("title", title, str, "a string")
    first = _first_dense(model)
    is_binary = model.n_outputs == 1 and isinstance(model.layers[-1], Sigmoid)
    n_classes = 2 if is_binary else model.n_outputs
    names = check_class_names(class_names, n_classes) or [str(k) for k in range(n_classes)]
    rows = _checked_examples(model, examples)
    height, width = _checked_shape(model, image_shape)
    record = {
        "layers": [layer_record(layer) for layer in model.layers],
        "image": {
            "height": height,
            "width": width,
            "order": _checked_order(order),
            **_checked_greys(background, ink),
            **_checked_pen(box, stroke),
        },
        "outputs": {
            "names": names,
            "are_probabilities": isinstance(model.layers[-1], (Sigmoid, Softmax)),
        },
        "examples": encode_array(rows),
        "labels": _checked_labels(labels, len(rows), n_classes),
        "tiles": min(first.units, MAX_TILES),
        "units_heading": _units_heading(model, first),
    }
    network = " → ".join(map(repr, model.layers))
    replace_file(target, _page(title, network, record).encode("utf-8", errors="replace"))


def _page(title: str, network: str, record: Mapping[str, object]) -> str:
    """Return the whole page; the policy allows its own style and script, and nothing else."""
    style = _part("page.css")
    script = "".join(map(_part, SCRIPTS))
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return Template(_part("page.html")).substitute(
        policy=policy,
        title=html.escape(title),
        network=html.escape(network),
        style=style,
        script=script,
        data=json.dumps(record).replace("<", "\\u003c"),  # no </script> in it
    )


def _part(name: str) -> str:
    return (files(__package__) / "page" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Return what a Content-Security-Policy names a style or script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _first_dense(model: Sequential) -> Dense:
    first = next((layer for layer in model.layers if isinstance(layer, Dense)), None)
    if first is None:
        raise ValueError(f"model: expected a Dense layer, found {model!r}")
    if not np.isfinite(model.parameters).all():
        raise ValueError("model: expected finite parameters, found NaN or infinity")
    return first


def _units_heading(model: Sequential, first: Dense) -> str:
    has_more = any(isinstance(layer, Dense) and layer is not first for layer in model.layers)
    kind = "hidden unit" if has_more else "output"
    number = f"{first.units} {kind}{'s' * (first.units != 1)}"
    if first.units > MAX_TILES:
        return f"The first {MAX_TILES} of {number}"
    return f"The {number}" if first.units > 1 else f"The {kind}"


def _checked_shape(model: Sequential, image_shape: object) -> tuple[int, int]:
    """Return height and width."""
    pixels = model.n_inputs
    if image_shape is None:
        side = isqrt(pixels)
        if side * side != pixels:
            raise ValueError(
                f"model: expected square images, found {pixels} inputs: use image_shape=(height, "
                "width)"
            )
        return side, side
    if not isinstance(image_shape, (tuple, list)) or len(image_shape) != 2:
        raise TypeError(
            f"image_shape: expected a tuple (height, width), found {short_repr(image_shape)}"
        )
    height = check_count("height of image_shape", image_shape[0])
    width = check_count("width of image_shape", image_shape[1])
    if height * width != pixels:
        raise ValueError(
            f"image_shape: expected {pixels} pixels, one an input, "
            f"found {height} x {width} = {height * width}"
        )
    return height, width


def _checked_order(order: object) -> str:
    if order not in ("column", "row"):
        raise ValueError(f"order: expected 'column' or 'row', found {short_repr(order)}")
    return str(order)


def _checked_greys(background: object, ink: object) -> dict[str, float]:
    numbers = {
        "background": check_number("background", background, -np.inf),
        "ink": check_number("ink", ink, -np.inf),
    }
    if numbers["background"] == numbers["ink"]:
        raise ValueError(f"ink: expected another number than background, found {ink}")
    return numbers


def _checked_pen(box: object, stroke: object) -> dict[str, float]:
    filled = check_number("box", box, above=True)
    line = check_number("stroke", stroke, above=True)
    if filled > 1:
        raise ValueError(f"box: expected a part of the image, at most 1, found {filled:g}")
    if line >= filled:
        raise ValueError(f"stroke: expected a number below box, {filled:g}, found {line:g}")
    return {"box": filled, "stroke": line}


def _checked_examples(model: Sequential, examples: npt.ArrayLike | None) -> npt.NDArray[np.float64]:
    if examples is None:
        return np.empty((0, model.n_inputs))
    rows = check_matrix("examples", examples, model.n_inputs, "columns (inputs of the model)")
    check_finite("examples", rows)
    return rows.astype(np.float64)


def _checked_labels(
    labels: npt.ArrayLike | None, n_examples: int, n_classes: int
) -> list[int] | None:
    if labels is None:
        return None
    codes = check_class_labels("labels", labels)
    if len(codes) != n_examples:
        raise ValueError(
            f"labels: expected one for each of {n_examples} examples, found {len(codes)}"
        )
    if codes.max() >= n_classes:
        raise ValueError(
            f"labels: expected 0..{n_classes - 1} for {n_classes} classes, found {codes.max()}"
        )
    return [int(code) for code in codes]

"""Which layers can stand in a row, and where their parameters lie in one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from ..utils.checks import check_instance, shown
from ..utils.types import Array
from .layer import Layer


def as_layers(layers: object) -> tuple[Layer, ...]:
    """A list of layers, each of them one; TypeError for anything else."""
    if isinstance(layers, Layer) or not isinstance(layers, Iterable):
        raise TypeError(f"layers: expected a list of layers, found {shown(layers)}")
    row = tuple(layers)
    for index, layer in enumerate(row):
        check_instance(f"layers[{index}]", layer, Layer, "a Layer")
    return row


def plan(layers: Iterable[Layer]) -> Iterator[tuple[int, str, tuple[int, ...], int]]:
    """Layer index, name, shape and size of each parameter, in the order of the vector."""
    for index, layer in enumerate(layers):
        shapes: Mapping[str, tuple[int, ...]] = layer.shapes()
        for name, shape in shapes.items():
            yield index, name, shape, math.prod(shape)


def views(layers: tuple[Layer, ...], vector: Array) -> list[dict[str, Array]]:
    """For each layer, the pieces of the vector that are its parameters, by name, as views."""
    pieces: list[dict[str, Array]] = [{} for _ in layers]
    offset = 0
    for index, name, shape, size in plan(layers):
        pieces[index][name] = vector[offset : offset + size].reshape(shape)
        offset += size
    return pieces


def chain(layers: tuple[Layer, ...]) -> list[int]:
    """The width before each layer and after the last; refuses layers that cannot stand in this row."""
    for index, layer in enumerate(layers):
        if any(layer is other for other in layers[:index]):
            raise ValueError(f"layers[{index}]: {layer!r} is used twice: make a new layer for each place")
        if layer.is_bound:
            raise ValueError(f"layers[{index}]: {layer!r} is part of another model: make a new layer for each model")
    width = next((layer.inputs for layer in layers if layer.inputs is not None), None)
    if width is None:
        raise ValueError(f"layers: expected at least one layer with a size, such as Dense(2, 1), found {list(layers)}")
    widths, source = [width], -1
    for index, layer in enumerate(layers):
        if layer.inputs is not None and layer.inputs != width:
            raise ValueError(
                f"layers[{index}]: {layer!r} takes {layer.inputs} columns, but layers[{source}] "
                f"{layers[source]!r} gives {width}"
            )
        if layer.units is not None:
            width, source = layer.units, index
        widths.append(width)
    return widths

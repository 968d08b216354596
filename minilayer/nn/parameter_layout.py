"""Which layers can follow each other, and where their parameters lie in one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from ..utils.checks import check_instance, short_repr
from ..utils.types import Array
from .configured import undescribed_arguments
from .layer import Layer


def as_layers(layers: object) -> tuple[Layer, ...]:
    """Return a list of layers as a tuple; TypeError for anything else."""
    if isinstance(layers, Layer) or not isinstance(layers, Iterable):
        raise TypeError(f"layers: expected a list of layers, found {short_repr(layers)}")
    checked = tuple(layers)
    for index, layer in enumerate(checked):
        check_copyable(f"layers[{index}]", layer)
    return checked


def check_copyable(place: str, layer: Layer) -> None:
    """Raise TypeError for what is no layer, and for a layer that copies would differ from."""
    check_instance(place, layer, Layer, "a Layer")
    missing = undescribed_arguments(layer)
    if missing:
        name = type(layer).__name__
        raise TypeError(
            f"{place}: expected {name}.config() to give every argument of {name}(...), "
            f"found none for {missing[0]!r}: copies of the layer would lose it"
        )


def parameter_layout(layers: Iterable[Layer]) -> Iterator[tuple[int, str, tuple[int, ...], slice]]:
    """Yield layer index, name, shape and place of each parameter, in the order of the vector."""
    offset = 0
    for index, layer in enumerate(layers):
        for name, shape in layer.shapes().items():
            size = math.prod(shape)
            yield index, name, shape, slice(offset, offset + size)
            offset += size


class Views(dict[str, Array]):
    """Views of a flat vector by name, whose numbers change and which themselves do not."""

    def __setitem__(self, name: str, value: object) -> None:
        raise TypeError(
            f"{name!r} cannot be rebound, it is a view of the model's vector: "
            f"write [{name!r}][...] = value"
        )


def parameter_views(layers: tuple[Layer, ...], vector: Array) -> list[Views]:
    """Return, for each layer, its parameters by name, as views of the vector."""
    views: list[dict[str, Array]] = [{} for _ in layers]
    for index, name, shape, place in parameter_layout(layers):
        views[index][name] = vector[place].reshape(shape)
    return [Views(own) for own in views]


def check_new(layers: tuple[Layer, ...]) -> None:
    """Raise ValueError for a layer that is used already."""
    used: set[int] = set()
    for index, layer in enumerate(layers):
        if id(layer) in used:
            raise ValueError(
                f"layers[{index}]: {layer!r} is used twice: make a new layer for each place"
            )
        if layer.is_bound:
            raise ValueError(
                f"layers[{index}]: {layer!r} is part of another model: "
                "make a new layer for each model"
            )
        used.add(id(layer))


def layer_widths(layers: tuple[Layer, ...]) -> list[int]:
    """Return the width before each layer and after the last.

    ValueError for layers that cannot follow each other.
    """
    sized = [index for index, layer in enumerate(layers) if layer.inputs is not None]
    width = layers[sized[0]].inputs if sized else None
    if width is None:
        raise ValueError(
            "layers: expected at least one layer with a size, such as Dense(2, 1), "
            f"found {list(layers)}"
        )
    widths = [width]
    source = sized[0]  # the layer that this width is known from
    for index, layer in enumerate(layers):
        if layer.inputs is not None and layer.inputs != width:
            raise ValueError(
                f"layers[{index}]: {layer!r} takes {layer.inputs} columns, "
                f"but layers[{source}] {layers[source]!r} gives {width}"
            )
        if layer.units is not None:
            width = layer.units
            source = index
        widths.append(width)
    return widths

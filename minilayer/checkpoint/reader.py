"""Reading a checkpoint: all of it is checked, and nothing is built that the file has no bytes for."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CheckpointError
from ..nn import Layer, registered
from ..utils.types import Array, State
from .format import (
    FORMAT,
    MAX_NESTING,
    VERSION,
    checksum,
    content_checksum,
    decode_config,
    encode_config,
    unregistered_message,
)
from .hdf5 import MalformedError, Node, open_root

MAX_LAYERS = 10_000


@dataclass(frozen=True)
class Content:
    """What a checkpoint holds: unbound layers, their flat parameter vector, the training state."""

    layers: list[Layer]
    parameters: Array
    state: State


def read_checkpoint(path: Path, max_bytes: int) -> Content:
    """Return the content of a file. Raises FileNotFoundError or CheckpointError."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a checkpoint, found no file there")
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > max_bytes:
                raise MalformedError(
                    f"/: expected at most {max_bytes} bytes, found {size}: max_bytes allows more"
                )
            root = open_root(file)
            return _content(root, _version(root), size)
    except MalformedError as error:
        raise CheckpointError(f"{path}: {error}") from None


def _version(root: Node) -> int:
    """Return the format's version, 1 to VERSION."""
    found = root.attribute("format")
    if found != FORMAT:
        raise MalformedError(f"/: expected format = {FORMAT!r}, found {found!r}")
    number = root.attribute("version")
    if not isinstance(number, int) or not 1 <= number <= VERSION:
        is_newer = isinstance(number, int) and number > VERSION
        hint = ": a newer minilayer wrote it, install that" if is_newer else ""
        raise MalformedError(f"/: expected version 1 to {VERSION}, found {number!r}{hint}")
    return number


def _content(root: Node, version: int, size: int) -> Content:
    count = root.attribute("layers")
    if not isinstance(count, int) or not 1 <= count <= MAX_LAYERS:
        raise MalformedError(f"/: expected layers = 1 to {MAX_LAYERS}, found {count!r}")
    group = root.child("layers")
    nodes = [group.child(str(index)) for index in range(count)]
    layers = [_layer(node, version) for node in nodes]
    shapes = [shape for layer in layers for shape in layer.shapes().values()]
    needed = 8 * sum(math.prod(shape) for shape in shapes)
    if needed > size:
        raise MalformedError(
            f"/layers: expected {needed} bytes of parameters, found a file of {size} bytes"
        )
    values: list[Array] = []
    about_layers = []
    for node, layer in zip(nodes, layers, strict=True):
        sums = {}
        for name, shape in layer.shapes().items():
            value, sums[name] = _dataset(node.child(name), shape)
            values.append(value.ravel())
        about = (str(node.attribute("class")), str(node.attribute("config")), sums)
        about_layers.append(about)
    state, state_sums = _state(root, size)
    if root.attribute("sha256") != content_checksum(about_layers, state_sums):
        raise MalformedError(
            "/: expected the checksum of all content, found another: the file is damaged"
        )
    parameters = np.concatenate(values) if values else np.zeros(0)
    return Content(layers, parameters, state)


def _layer(node: Node, version: int) -> Layer:
    name, text = node.attribute("class"), node.attribute("config")
    cls = registered(name) if isinstance(name, str) else None
    if cls is None or not issubclass(cls, Layer):
        raise MalformedError(f"{node.place}: {unregistered_message(str(name), str(name))}")
    try:
        config: Any = json.loads(text) if isinstance(text, str) else None
        layer = cls(**decode_config(config))
        again = json.loads(encode_config(layer.config()))
        if version == 1:  # a configuration of that format lacks later arguments
            again = {key: again[key] for key in config}
        if again != config:
            raise ValueError(f"it gives {again} back")
    except Exception as error:  # a class of the user's own may raise anything
        raise MalformedError(
            f"{node.place}: expected arguments of {name}, found {text!r}: {error}"
        ) from None
    return layer


def _dataset(node: Node, shape: tuple[int, ...]) -> tuple[Array, str]:
    """Return a dataset and its checksum."""
    value = node.array(shape)
    found = checksum(value)
    if node.attribute("sha256") != found:
        raise MalformedError(f"{node.place}: expected its checksum, found other numbers: damaged")
    return value, found


def _state(root: Node, size: int) -> tuple[State, dict[str, str]]:
    """Return the training state, and the checksums that ``content_checksum`` covers."""
    text = root.attribute("state")
    if text is None:
        return {}, {}
    try:
        described: Any = json.loads(str(text))
        state = _values(described["values"])
        arrays = list(_arrays(described["arrays"]))
        if any(8 * math.prod(shape) > size for _, shape in arrays):
            raise ValueError("arrays larger than the file")
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise MalformedError(
            f"/: expected state = a JSON object of values and arrays, found another: {error}"
        ) from None
    sums = {"": str(text)}
    group = root.child("state") if arrays else root
    for path, shape in arrays:
        node, place = group, state
        for name in path[:-1]:
            node = node.child(name)
            place = place.setdefault(name, {})
        place[path[-1]], sums["/".join(path)] = _dataset(node.child(path[-1]), shape)
    return state, sums


def _values(values: Any, depth: int = 0) -> State:
    """Return the nested values of a state; ValueError for other kinds."""
    if not isinstance(values, dict) or depth > MAX_NESTING:
        raise ValueError("values of other kinds")
    state: State = {}
    for name, value in values.items():
        if isinstance(value, dict):
            state[name] = _values(value, depth + 1)
        elif isinstance(value, int | float | str):
            state[name] = value
        else:
            raise ValueError("values of other kinds")
    return state


def _arrays(
    shapes: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
    """Yield path and shape of each array of a state; ValueError for other kinds."""
    if not isinstance(shapes, dict) or len(path) > MAX_NESTING:
        raise ValueError("arrays of other kinds")
    for name, shape in shapes.items():
        place = (*path, name)
        if isinstance(shape, dict):
            yield from _arrays(shape, place)
            continue
        if not isinstance(shape, list):
            raise ValueError("a shape of another kind")
        lengths = tuple(int(length) for length in shape)
        if min(lengths, default=1) < 0:
            raise ValueError("a negative length")
        yield place, lengths

"""Reading a checkpoint: all of it checked, nothing built that the file does not have the bytes for."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CheckpointError
from ..nn.layer import Layer, registered
from ..utils.types import Array, State
from .format import FORMAT, VERSION, checksum, seal, unregistered
from .hdf5 import MalformedError, Node, open_root


@dataclass(frozen=True)
class Content:
    """What a checkpoint holds: the layers, not yet bound, their flat parameter vector, and the training state."""

    layers: list[Layer]
    parameters: Array
    state: State


def read_checkpoint(path: Path, max_bytes: int) -> Content:
    """The content of the file. Raises FileNotFoundError or CheckpointError."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a checkpoint, found no file there")
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > max_bytes:
                raise MalformedError(f"/: expected at most {max_bytes} bytes, found {size}: max_bytes allows more")
            root = open_root(file)
            _check_header(root)
            return _content(root, size)
    except MalformedError as error:
        raise CheckpointError(f"{path}: {error}") from None


def _check_header(root: Node) -> None:
    found = root.attribute("format")
    if found != FORMAT:
        raise MalformedError(f"/: expected format = {FORMAT!r}, found {found!r}")
    number = root.attribute("version")
    if not isinstance(number, int) or not 1 <= number <= VERSION:
        hint = ": a newer minilayer wrote it, install that" if isinstance(number, int) and number > VERSION else ""
        raise MalformedError(f"/: expected version 1 to {VERSION}, found {number!r}{hint}")


def _content(root: Node, size: int) -> Content:
    count = root.attribute("layers")
    if not isinstance(count, int) or not 1 <= count <= 10_000:
        raise MalformedError(f"/: expected layers = 1 to 10000, found {count!r}")
    group = root.child("layers")
    nodes = [group.child(str(index)) for index in range(count)]
    layers = [_layer(node) for node in nodes]
    needed = 8 * sum(math.prod(shape) for layer in layers for shape in layer.shapes().values())
    if needed > size:
        raise MalformedError(f"/layers: expected {needed} bytes of parameters, found a file of {size} bytes")
    pieces, sealed = [], []
    for node, layer in zip(nodes, layers, strict=True):
        sums = {}
        for name, shape in layer.shapes().items():
            value, sums[name] = _dataset(node.child(name), shape)
            pieces.append(value.ravel())
        sealed.append((str(node.attribute("class")), str(node.attribute("config")), sums))
    state, state_sums = _state(root, size)
    if root.attribute("sha256") != seal(sealed, state_sums):
        raise MalformedError("/: expected the checksum of all content, found another: the file is damaged")
    return Content(layers, np.concatenate(pieces) if pieces else np.zeros(0), state)


def _layer(node: Node) -> Layer:
    name, text = node.attribute("class"), node.attribute("config")
    layer_class = registered(name) if isinstance(name, str) else None
    if layer_class is None:
        raise MalformedError(f"{node.place}: {unregistered(str(name), str(name))}")
    try:
        config: Any = json.loads(text) if isinstance(text, str) else None
        layer = layer_class(**config)
        if json.loads(json.dumps(layer.config())) != config:
            raise ValueError(f"it gives {layer.config()} back")
    except Exception as error:  # a class of the user's own may raise anything
        raise MalformedError(f"{node.place}: expected arguments of {name}, found {text!r}: {error}") from None
    return layer


def _dataset(node: Node, shape: tuple[int, ...]) -> tuple[Array, str]:
    value = node.array(shape)
    found = checksum(value)
    if node.attribute("sha256") != found:
        raise MalformedError(f"{node.place}: expected its checksum, found other numbers: it is damaged")
    return value, found


def _state(root: Node, size: int) -> tuple[State, dict[str, str]]:
    """Numbers and texts of /state, then its arrays; with what seals them."""
    text = root.attribute("state")
    if text is None:
        return {}, {}
    try:
        described: Any = json.loads(str(text))
        state, shapes = dict(described["values"]), dict(described["arrays"])
        if not all(isinstance(value, int | float | str) for value in state.values()):
            raise ValueError("values of other kinds")
        shapes = {name: tuple(int(length) for length in shape) for name, shape in shapes.items()}
        if any(8 * math.prod(shape) > size or min(shape, default=1) < 0 for shape in shapes.values()):
            raise ValueError("arrays larger than the file")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MalformedError(
            f"/: expected state = a JSON object of values and arrays, found another: {error}"
        ) from None
    sums = {"": str(text)}  # no array has that name
    group = root.child("state") if shapes else root
    for name, shape in shapes.items():
        state[name], sums[name] = _dataset(group.child(name), shape)
    return state, sums

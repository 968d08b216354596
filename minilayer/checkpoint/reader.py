"""Reading a checkpoint: all is checked, and nothing is built that the file has no bytes for."""

from __future__ import annotations

import json
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CheckpointError
from ..nn import Layer, registered
from ..nn.configured import identity
from ..utils.checks import short_repr
from ..utils.types import Array, State
from .format import (
    ARRAY_GROUP,
    FIRST_COVERED_VERSION,
    FORMAT,
    MAX_ARRAY_NESTING,
    MAX_LAYERS,
    MAX_NESTING,
    VERSION,
    VERSION_WITHOUT_METADATA,
    bytes_checksum,
    checksum,
    content_checksum,
    decode_config,
    encode_config,
    is_plain_name,
    unregistered_message,
)
from .hdf5 import MAX_DIMENSIONS, MalformedError, Node, PlainFile
from .metadata import PLAIN_DTYPE, Metadata, from_stored, stored_form

STATE = "/: expected state"
"""How errors of a training state begin."""
ARRAYS = "/metadata: expected arrays"
TEXTS = ("feature_names", "class_names", "values")


@dataclass(frozen=True)
class Content:
    """What a checkpoint holds: unbound layers, their flat parameter vector, state and loss."""

    layers: list[Layer]
    parameters: Array
    state: State
    loss: str | None
    """As JSON: a network loads whether its loss is known or not."""
    metadata: Metadata
    version: int
    """Of the format."""
    library: str
    """The version of minilayer that wrote the file, "unknown" if it does not say."""


def read_checkpoint(path: Path, max_bytes: int) -> Content:
    """Return the content of a file. Raises FileNotFoundError or CheckpointError."""
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected a checkpoint, found a folder")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a checkpoint, found no file there")
    try:
        with path.open("rb") as file:
            return read_content(PlainFile(file), max_bytes)
    except MalformedError as error:
        raise CheckpointError(f"{path}: {printable(str(error))}") from None


def printable(text: str) -> str:
    """Return a text without a stranger's control characters and halves of surrogate pairs."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def read_content(file: PlainFile, max_bytes: int) -> Content:
    """Return the content of an open file. Raises MalformedError."""
    if file.size > max_bytes:
        raise MalformedError(
            f"/: expected at most {max_bytes} bytes, found {file.size}: max_bytes allows more"
        )
    root = file.root()
    version = _version(root)
    count = root.attribute("layers")
    if not isinstance(count, int) or not 1 <= count <= MAX_LAYERS:
        raise MalformedError(f"/: expected layers = 1 to {MAX_LAYERS}, found {short_repr(count)}")
    group = root.child("layers")
    layers = []
    values = []
    about_layers = []
    for index in range(count):
        layer, arrays, about = _layer(group.child(str(index)), version)
        layers.append(layer)
        values += arrays
        about_layers.append(about)
    state, state_sums = _state(root)
    loss = None if version < FIRST_COVERED_VERSION else root.attribute("loss")
    if not isinstance(loss, str | None):
        raise MalformedError(f"/: expected loss = a string of JSON, found {short_repr(loss)}")
    metadata, sums = _metadata(root, version)
    expected = content_checksum(about_layers, state_sums, version, loss, sums)
    if root.attribute("sha256") != expected:
        raise MalformedError(
            "/: expected the checksum of all content, found another: the file is damaged"
        )
    parameters = np.concatenate([np.zeros(0), *values])  # in the machine's own byte order
    return Content(
        layers=layers,
        parameters=parameters,
        state=state,
        loss=loss,
        metadata=metadata,
        version=version,
        library=str(root.attribute("minilayer") or "unknown"),
    )


def _version(root: Node) -> int:
    """Return the format's version, 1 to VERSION."""
    found = root.attribute("format")
    if found != FORMAT:
        raise MalformedError(f"/: expected format = {FORMAT!r}, found {short_repr(found)}")
    number = root.attribute("version")
    if not isinstance(number, int) or not 1 <= number <= VERSION:
        is_newer = isinstance(number, int) and number > VERSION
        hint = ": a newer minilayer wrote it, install that" if is_newer else ""
        shown = short_repr(number)
        raise MalformedError(f"/: expected version 1 to {VERSION}, found {shown}{hint}")
    return number


def _layer(node: Node, version: int) -> tuple[Layer, list[Array], tuple[str, str, dict[str, str]]]:
    """Return a layer, its parameters, and what ``content_checksum`` covers of it."""
    name = node.attribute("class")
    cls = registered(name) if isinstance(name, str) else None
    if cls is None or not issubclass(cls, Layer):
        is_readable = isinstance(name, str) and name.isidentifier() and len(name) <= 100
        shown = str(name) if is_readable else short_repr(name)
        raise MalformedError(f"{node.place}: {unregistered_message(shown, shown)}")
    text = node.attribute("config")
    try:
        config = _from_json(text)
        sums = _add_arguments(node, config)
        layer = cls(**decode_config(config))
        _check_config(config, encode_config(layer.config()), version)
        shapes = dict(layer.shapes())
    except MalformedError:
        raise
    except Exception as error:  # a class of the user's own may raise anything
        raise MalformedError(
            f"{node.place}: expected arguments of {name}, found {short_repr(text)}: "
            f"{_shortened(error)}"
        ) from None
    arrays = []
    for key, shape in shapes.items():
        value, sums[key] = _dataset(node.child(key), shape)
        arrays.append(value.reshape(-1))
    return layer, arrays, (str(name), str(text), sums)


def _add_arguments(node: Node, config: Any) -> dict[str, str]:
    """Add the arguments that are arrays to a layer's configuration; return their checksums."""
    described = node.attribute("arrays")
    if described is None:
        return {}
    what = f"{node.place}: expected arrays"
    if not isinstance(config, dict):
        raise _nesting_error(what, "those of a JSON object", config)
    sums = {"": str(described)}
    shapes = _json_of(what, described)
    _add_arrays(config, shapes, node.child(ARRAY_GROUP), f"{ARRAY_GROUP}/", sums, what)
    return sums


def _check_config(given: State, again: State, version: int) -> None:
    """Raise ValueError for arguments that a layer does not give back as they were."""
    if version == 1:  # a configuration of that format lacks later arguments
        again = {name: again[name] for name in given}
    if _comparable(given) != _comparable(again):
        raise ValueError(f"it gives {reprlib.repr(again)} back")


def _comparable(config: State) -> str:
    return json.dumps(config, sort_keys=True, default=identity)


def _from_json(text: object) -> Any:
    if not isinstance(text, str):
        raise ValueError(f"expected a string of JSON, found {short_repr(text)}")
    return json.loads(text)


def _shortened(error: Exception) -> str:
    return short_repr(error) if len(str(error)) > 200 else str(error)


def _dataset(node: Node, shape: tuple[int, ...]) -> tuple[Array, str]:
    """Return a dataset and its checksum."""
    value = node.array(shape)
    return value, _checked_sum(node, checksum(value))


def _state(root: Node) -> tuple[State, dict[str, str]]:
    """Return the training state, and the checksums that ``content_checksum`` covers."""
    text = root.attribute("state")
    if text is None:
        return {}, {}
    described = _json_of(STATE, text)
    if not isinstance(described, dict) or set(described) != {"values", "arrays"}:
        raise _state_error("values and arrays", described)
    state = _values(described["values"])
    sums = {"": str(text)}
    shapes = described["arrays"]
    _add_arrays(state, shapes, root.child("state") if shapes else root, "", sums, STATE)
    return state, sums


def _metadata(root: Node, version: int) -> tuple[Metadata, dict[str, str]]:
    """Return metadata and names, and the checksums that ``content_checksum`` covers."""
    if version <= VERSION_WITHOUT_METADATA:
        return Metadata(), {}
    group = root.child("metadata")
    sums: dict[str, str] = {}
    texts = {name: _text(group.child(name), name, sums) for name in TEXTS if group.has(name)}
    arrays: dict[str, Array] = {}
    described = group.attribute("arrays")
    if described is not None:
        sums[""] = str(described)
        arrays = _metadata_arrays(group, _json_of(ARRAYS, described), sums)
    return Metadata(**texts, arrays=arrays), sums


def _text(node: Node, name: str, sums: dict[str, str]) -> str:
    content = node.text()
    sums[name] = _checked_sum(node, bytes_checksum(content), "letters")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise MalformedError(f"{node.place}: expected UTF-8, found other bytes") from None


def _metadata_arrays(group: Node, described: Any, sums: dict[str, str]) -> dict[str, Array]:
    if not isinstance(described, dict) or not described:
        raise _nesting_error(ARRAYS, "dtypes and shapes by name", described)
    folder = group.child("arrays")
    arrays = {}
    for name, about in described.items():
        _check_name(name, ARRAYS)
        is_pair = isinstance(about, list) and len(about) == 2 and isinstance(about[0], str)
        if not is_pair or not PLAIN_DTYPE.fullmatch(about[0]):
            raise _nesting_error(ARRAYS, "a plain dtype and a shape of each array", about)
        node = folder.child(name)
        shape = _shape(about[1], ARRAYS, smallest=0)
        try:
            dtype = np.dtype(about[0])
            stored_dtype, parts = stored_form(dtype)
            stored = node.array((*shape, *parts), stored_dtype)
            arrays[name] = from_stored(stored, dtype, shape)
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, MalformedError):
                raise
            raise MalformedError(f"{node.place}: expected {about[0]}: {error}") from None
        sums[f"arrays/{name}"] = _checked_sum(node, bytes_checksum(stored.reshape(-1).data))
    return arrays


def _checked_sum(node: Node, found: str, what: str = "numbers") -> str:
    if node.attribute("sha256") != found:
        raise MalformedError(f"{node.place}: expected its checksum, found other {what}: damaged")
    return found


def _values(values: Any, depth: int = 0) -> State:
    """Return the nested values of a state."""
    if not isinstance(values, dict) or depth > MAX_NESTING:
        raise _state_error(f"values by name, nested at most {MAX_NESTING} deep", values)
    state: State = {}
    for name, value in values.items():
        _check_name(name, STATE)
        if isinstance(value, int | float | str):
            state[name] = value
        else:
            state[name] = _values(value, depth + 1)
    return state


def _add_arrays(
    state: State, shapes: Any, group: Node, path: str, sums: dict[str, str], what: str
) -> None:
    """Read the arrays of a state or configuration, and record their checksums."""
    if not isinstance(shapes, dict) or path.count("/") > MAX_ARRAY_NESTING:
        raise _nesting_error(what, "shapes by name as arrays", shapes)
    for name, shape in shapes.items():
        _check_name(name, what)
        if isinstance(shape, dict) and isinstance(state.get(name), dict):
            _add_arrays(state[name], shape, group.child(name), f"{path}{name}/", sums, what)
        elif name in state:
            raise _nesting_error(what, "either a value or an array of each name", name)
        else:
            state[name], sums[f"{path}{name}"] = _dataset(group.child(name), _shape(shape, what))


def _check_name(name: str, what: str) -> None:
    if not is_plain_name(name):
        raise _nesting_error(what, "names of at most 255 bytes, without /", name)


def _shape(lengths: Any, what: str, smallest: int = 1) -> tuple[int, ...]:
    """Return the shape of an array, which has at least one element unless 0 is allowed."""
    is_shape = isinstance(lengths, list) and len(lengths) <= MAX_DIMENSIONS
    if not is_shape or not all(type(length) is int and length >= smallest for length in lengths):
        raise _nesting_error(
            what, f"shapes of at most {MAX_DIMENSIONS} integers from {smallest} up", lengths
        )
    return tuple(lengths)


def _json_of(what: str, text: object) -> Any:
    try:
        return _from_json(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{what} = a JSON object, found {error}") from None


def _nesting_error(what: str, expected: str, found: object) -> MalformedError:
    return MalformedError(f"{what} = {expected}, found {reprlib.repr(found)}")


def _state_error(expected: str, found: object) -> MalformedError:
    return _nesting_error(STATE, expected, found)

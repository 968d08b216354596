"""The checkpoint format: a network in an HDF5 file that ``h5dump`` shows as it is.

Format 4. Attributes are scalars: integers, or strings of fixed length in UTF-8. Datasets are
contiguous little-endian float64, each with an attribute sha256, the checksum of its bytes. In the
group metadata they are strings of fixed length in UTF-8, and arrays of integers or floats.

    /                        format = "minilayer"; version = 4; minilayer = the version that wrote
                             it; layers = how many; sha256 = the checksum of the version and of all
                             that follows; state = a JSON object of the training state's values
                             and its arrays' shapes, if there is one; loss = {"class": name,
                             "config": {...}} as JSON, if there is one
    /layers/<i>              class = the layer's registered name; config = its arguments, a JSON
                             object, in which an initializer is {"class": name, "config": {...}};
                             arrays = a JSON object of the shapes of its arguments that are arrays,
                             nested as config is, if there are any
    /layers/<i>/<name>       a parameter
    /layers/<i>/config/<name> an argument that is an array, nested as config is
    /state/<name>/.../<name> an array of the training state, nested as the state is
    /metadata                arrays = a JSON object of the arrays' dtypes and shapes, if there are
                             any
    /metadata/feature_names  the names of the columns of X, each with NUL behind it
    /metadata/class_names    the names of the classes
    /metadata/values         a JSON object of the metadata that are no arrays
    /metadata/arrays/<name>  an array: booleans are uint8, dates and durations int64; complex
                             numbers have an axis of 2 floats more, strings one of code points
                             (uint32) or, if they are bytes, of uint8

Format 3 has no metadata, and its checksum leaves a loss out that is not there. A file without
metadata and names is written in format 3, which older versions of minilayer read. Format 2 has no
loss and no arguments that are arrays, and its checksum leaves the version out.
Format 1 differs from format 2 in two things: its layers' configurations lack what has been added
since, and its training state is not nested. A file of a newer version is refused with a sentence
that says so.
"""

from __future__ import annotations

import hashlib
import json
import reprlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import CheckpointError
from ..nn import Configured, registered
from ..nn.configured import ConfigValue
from ..utils.checks import short_repr
from ..utils.types import Array, State
from .hdf5 import MAX_DIMENSIONS, MAX_NAME_BYTES

FORMAT = "minilayer"
VERSION = 4
VERSION_WITHOUT_METADATA = 3
"""Of files without metadata, which older versions of minilayer read."""
FIRST_COVERED_VERSION = 3
"""The first version that the checksum of all content covers."""
MAX_BYTES = 1 << 30
"""The largest file that is read unless the caller allows more: one gibibyte."""
MAX_LAYERS = 10_000
ARRAY_GROUP = "config"
"""The group of a layer's arguments that are arrays."""
MAX_NESTING = 8
"""Of a training state, and of arguments that have arguments of their own."""
MAX_ARRAY_NESTING = 2 * MAX_NESTING
"""Of groups: an argument and its own arguments are two."""
MAX_TEXT_BYTES = 64_000
"""Of a string attribute; HDF5 has room for 64 KiB, with the attribute's name and type."""


def is_plain_name(name: object) -> bool:
    """Return whether HDF5 takes this for one name: not for a path, and not for its end."""
    if not isinstance(name, str) or name in ("", ".") or "/" in name or "\0" in name:
        return False
    try:
        return len(name.encode()) <= MAX_NAME_BYTES
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def is_storable_array(value: Array) -> bool:
    """Return whether an array can be a dataset without a change."""
    return value.dtype == np.float64 and value.size > 0 and value.ndim <= MAX_DIMENSIONS


def encode_config(config: Mapping[str, ConfigValue], depth: int = 1) -> State:
    """Return a configuration as values and arrays by name, nested where an argument has its own.

    TypeError or ValueError for arguments that a checkpoint cannot store.
    """
    return {name: _encode_value(name, value, depth) for name, value in config.items()}


def _encode_value(name: str, value: ConfigValue, depth: int) -> Any:
    if isinstance(value, np.ndarray) and not is_storable_array(value):
        found = f"{short_repr(value)} and dtype {value.dtype}"
        hint = f": numpy.asarray({name}, float) makes one" if value.dtype.kind in "buif" else ""
        raise TypeError(f"{name}: expected a non-empty float64 array, found {found}{hint}")
    if not isinstance(value, Configured):
        return value.item() if isinstance(value, np.generic) else value
    class_name = type(value).__name__
    if registered(class_name) is not type(value):
        raise ValueError(unregistered_message(class_name, repr(value)))
    if depth == MAX_NESTING:
        raise ValueError(f"{name}: expected arguments nested at most {MAX_NESTING} deep")
    return {"class": class_name, "config": encode_config(value.config(), depth + 1)}


def separate(state: State) -> tuple[State, State]:
    """Return the values, and the shapes of the arrays, both nested as the state is."""
    values: State = {}
    shapes: State = {}
    for name, value in state.items():
        if isinstance(value, dict):
            values[name], nested_shapes = separate(value)
            if nested_shapes:
                shapes[name] = nested_shapes
        elif isinstance(value, np.ndarray):
            shapes[name] = value.shape
        else:
            values[name] = value
    return values, shapes


def decode_config(config: object) -> dict[str, Any]:
    """Return the constructor arguments of a configuration that was read, arrays included."""
    if not isinstance(config, dict):
        raise ValueError(f"expected a JSON object, found {reprlib.repr(config)}")
    return {name: _decode_value(value) for name, value in config.items()}


def _decode_value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    cls = registered(str(value.get("class")))
    if cls is None or set(value) != {"class", "config"}:
        raise ValueError(f"expected an object of a registered class, found {reprlib.repr(value)}")
    return cls(**decode_config(value["config"]))


def check_length(what: str, text: str, hint: str = "") -> None:
    """Raise CheckpointError for JSON that an attribute has no room for."""
    if len(text) > MAX_TEXT_BYTES:  # JSON is ASCII here
        raise CheckpointError(
            f"{what}: expected at most {MAX_TEXT_BYTES} bytes as JSON, found {len(text)}{hint}"
        )


def unregistered_message(name: str, found: str) -> str:
    """Return what to say of a class that files cannot name."""
    return (
        f"expected a registered class, found {found}: put @minilayer.register before `class {name}`"
    )


def checksum(value: Array) -> str:
    """Return the SHA-256 of a dataset's bytes."""
    return bytes_checksum(np.ascontiguousarray(value, "<f8").reshape(-1).data)


def bytes_checksum(content: bytes | memoryview) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def content_checksum(
    layers: list[tuple[str, str, dict[str, str]]],
    state: dict[str, str],
    version: int,
    loss: str | None = None,
    metadata: dict[str, str] | None = None,
) -> str:
    """Return the SHA-256 of all that a checkpoint says.

    Parameters
    ----------
    layers : list
        For each layer its class, its configuration as JSON, and the checksums of its parameters by
        name. If arguments are arrays: their shapes as JSON under "", and their checksums by path.
    state : dict of str
        The checksums of the training state's arrays by path, and "" for its JSON.
    version : int
        Of the format.
    loss : str, optional
        The loss's JSON.
    metadata : dict of str, optional
        The checksums of its datasets by path, and the JSON of the arrays as "". From format 4 on.
    """
    if version > VERSION_WITHOUT_METADATA:
        everything = [version, layers, state, loss, metadata or {}]
        return bytes_checksum(json.dumps(everything).encode())
    content = [layers, state] if version < FIRST_COVERED_VERSION else [version, layers, state]
    covered = content if loss is None else [*content, loss]
    return bytes_checksum(json.dumps(covered).encode())

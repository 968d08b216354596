"""The checkpoint format: a network in an HDF5 file that ``h5dump`` shows as it is.

Format 2. Attributes are scalars: integers, or strings of fixed length in UTF-8. Datasets are
contiguous little-endian float64, each with an attribute sha256, the checksum of its bytes.

    /                        format = "minilayer"; version = 2; minilayer = the version that wrote
                             it; layers = how many; sha256 = the checksum of all that follows;
                             state = a JSON object of the training state's values and its arrays'
                             shapes, if there is one
    /layers/<i>              class = the layer's registered name; config = its arguments, a JSON
                             object, in which an initializer is {"class": name, "config": {...}}
    /layers/<i>/<name>       a parameter
    /state/<name>/.../<name> an array of the training state, nested as the state is

Format 1 differs in two things: its layers' configurations lack what has been added since, and its
training state is not nested. A file of a newer version is refused with a sentence that says so.
"""

from __future__ import annotations

import hashlib
import json
import reprlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..nn import Configured, registered
from ..nn.configured import ConfigValue
from ..utils.types import Array
from .hdf5 import MAX_NAME_BYTES

FORMAT = "minilayer"
VERSION = 2
MAX_BYTES = 1 << 30
"""The largest file that is read unless the caller allows more: one gibibyte."""
MAX_LAYERS = 10_000
MAX_NESTING = 8
"""Of a training state."""
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


def encode_config(config: Mapping[str, ConfigValue]) -> str:
    """Return a configuration as JSON; TypeError for values that JSON has no form for.

    NumPy's scalars are stored as Python's.
    """
    return json.dumps({name: _encode_value(value) for name, value in config.items()})


def _encode_value(value: ConfigValue) -> object:
    if not isinstance(value, Configured):
        return value.item() if isinstance(value, np.generic) else value
    name = type(value).__name__
    if registered(name) is not type(value):
        raise ValueError(unregistered_message(name, repr(value)))
    return {"class": name, "config": json.loads(encode_config(value.config()))}


def decode_config(config: object) -> dict[str, Any]:
    """Return the constructor arguments of a configuration that was read as JSON."""
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


def unregistered_message(name: str, found: str) -> str:
    """Return what to say of a class that files cannot name."""
    return (
        f"expected a registered class, found {found}: put @minilayer.register before `class {name}`"
    )


def checksum(value: Array) -> str:
    """Return the SHA-256 of a dataset's bytes."""
    return hashlib.sha256(np.ascontiguousarray(value, "<f8").reshape(-1).data).hexdigest()


def content_checksum(layers: list[tuple[str, str, dict[str, str]]], state: dict[str, str]) -> str:
    """Return the SHA-256 of all that a checkpoint says.

    Parameters
    ----------
    layers : list
        For each layer its class, its configuration as JSON, and the checksums of its parameters.
    state : dict of str
        The checksums of the training state's arrays by path, and "" for its JSON.
    """
    return hashlib.sha256(json.dumps([layers, state]).encode()).hexdigest()

"""What a file says about its network beside the layers: names of columns and classes, metadata."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import CheckpointError
from ..nn import Sequential
from ..utils.checks import check_instance, short_repr
from ..utils.types import Array, State
from .format import MAX_NESTING, check_length, is_plain_name
from .hdf5 import MAX_DIMENSIONS

MAX_VALUES_BYTES = 1 << 24
"""Of the values that are no arrays, as JSON: 16 mebibytes."""
MAX_CODE_POINT = 0x10FFFF
NAME_END = "\0"
"""Behind each name in the texts of a file; no other letter is in none."""
PLAIN_DTYPE = re.compile(
    r"\|[biu]1|<[iu][248]|<f[248]|<c(8|16)|(<U|\|S)[1-9]\d{0,8}"
    r"|<[Mm]8(\[([1-9]\d{0,3})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?"
)
"""The dtypes of arrays, as ``dtype.str`` on little-endian machines."""


@dataclass(frozen=True)
class Metadata:
    """Parts of a checkpoint, as it stores them; a part that is empty is not stored."""

    feature_names: str = ""
    """Each with an end of NUL."""
    class_names: str = ""
    values: str = ""
    """A JSON object."""
    arrays: Mapping[str, Array] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, str]:
        """The texts by the name of their dataset."""
        texts = {
            "feature_names": self.feature_names,
            "class_names": self.class_names,
            "values": self.values,
        }
        return {name: text for name, text in texts.items() if text}

    def __bool__(self) -> bool:
        return bool(self.texts or self.arrays)


def encode_metadata(
    metadata: object,
    feature_names: tuple[str, ...] | None,
    class_names: tuple[str, ...] | None,
) -> Metadata:
    """Return what to store; TypeError or CheckpointError for what a file cannot hold."""
    check_instance("metadata", metadata, Mapping, "values and arrays by name")
    assert isinstance(metadata, Mapping)
    values: State = {}
    arrays: dict[str, Array] = {}
    for name, value in metadata.items():
        if not is_plain_name(name):
            raise TypeError(
                "metadata: expected names that are strings of at most 255 bytes without /, "
                f"found {short_repr(name)}"
            )
        if isinstance(value, np.ndarray):
            arrays[name] = _storable_array(f"metadata[{name!r}]", value)
        else:
            values[name] = _plain(f"metadata[{name!r}]", value)
    text = _as_json(values) if values else ""
    if len(text) > MAX_VALUES_BYTES:
        raise CheckpointError(
            f"metadata: expected at most {MAX_VALUES_BYTES} bytes as JSON, found {len(text)}: "
            "an array has room for more"
        )
    encoded = Metadata(
        feature_names=_joined("feature_names", feature_names),
        class_names=_joined("class_names", class_names),
        values=text,
        arrays=arrays,
    )
    check_length("names and shapes of the arrays in metadata", describe_arrays(arrays))
    return encoded


def _as_json(values: State) -> str:
    try:
        return json.dumps(values)
    except ValueError as error:  # an integer of more than 4300 digits
        raise CheckpointError(f"metadata: expected values that JSON can hold: {error}") from None


def _plain(place: str, value: object, depth: int = 0) -> Any:
    """Return a value as JSON gives it back."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.ndarray):
        raise TypeError(
            f"{place}: expected an array under a name of its own, found one in a list or mapping"
        )
    if not isinstance(value, Mapping | list | tuple):
        raise TypeError(
            f"{place}: expected strings, numbers, booleans, None, arrays, or lists and mappings "
            f"of these, found {short_repr(value)}: str(...) makes a string"
        )
    if depth == MAX_NESTING:
        raise TypeError(f"{place}: expected lists and mappings nested at most {MAX_NESTING} deep")
    if not isinstance(value, Mapping):
        return [_plain(place, one, depth + 1) for one in value]
    for name in value:
        if not isinstance(name, str):
            raise TypeError(f"{place}: expected names that are strings, found {short_repr(name)}")
    return {name: _plain(place, one, depth + 1) for name, one in value.items()}


def _joined(what: str, names: tuple[str, ...] | None) -> str:
    for name in names or ():
        is_storable = NAME_END not in name and name == name.encode(errors="ignore").decode()
        if not is_storable:
            raise CheckpointError(
                f"{what}: expected names in UTF-8 without NUL, found {short_repr(name)}"
            )
    return "".join(f"{name}{NAME_END}" for name in names or ())


def set_names(model: Sequential, metadata: Metadata) -> None:
    """Give a model its names; ValueError for another number of them."""
    if metadata.feature_names:
        model.feature_names = _split("feature_names", metadata.feature_names, model.n_inputs)
    if metadata.class_names:
        model.class_names = _split("class_names", metadata.class_names, max(2, model.n_outputs))


def _split(what: str, text: str, count: int) -> list[str]:
    found = text.count(NAME_END)  # before a list of them takes memory
    if found != count or not text.endswith(NAME_END):
        raise ValueError(f"expected {what} = {count} names that end with NUL, found {found}")
    return text.split(NAME_END)[:-1]


def describe_arrays(arrays: Mapping[str, Array]) -> str:
    """Return dtype and shape of each array as JSON, "" for none."""
    described = {name: [value.dtype.str, list(value.shape)] for name, value in arrays.items()}
    return json.dumps(described) if described else ""


def _storable_array(place: str, value: Array) -> Array:
    """Return an array in the little-endian form of its dtype."""
    dtype = value.dtype.newbyteorder("<")
    is_plain = type(value) is np.ndarray and PLAIN_DTYPE.fullmatch(dtype.str) is not None
    if not is_plain or value.ndim > MAX_DIMENSIONS - 1:
        kinds = "numbers, booleans, strings, dates or durations"
        raise TypeError(
            f"{place}: expected an array of {kinds} of at most {MAX_DIMENSIONS - 1} dimensions, "
            f"found {short_repr(value)} and dtype {value.dtype}"
        )
    return value.astype(dtype, order="C", copy=False)


def load_values(text: str) -> State:
    """Return the metadata that are no arrays; ValueError for anything but JSON of an object."""
    if len(text) > MAX_VALUES_BYTES:
        raise ValueError(f"expected at most {MAX_VALUES_BYTES} letters of JSON, found {len(text)}")
    try:
        values = json.loads(text) if text else {}
    except RecursionError:
        raise ValueError("expected JSON that is less nested") from None
    if not isinstance(values, dict):
        raise ValueError(f"expected a JSON object, found {short_repr(values)}")
    for name, value in values.items():
        if not is_plain_name(name):
            raise ValueError(
                f"expected names of at most 255 bytes without /, found {short_repr(name)}"
            )
        if isinstance(value, list | dict):
            _check_nesting(value)
    return values


def _check_nesting(value: list[Any] | dict[str, Any], depth: int = 0) -> None:
    if depth == MAX_NESTING:
        raise ValueError(f"expected lists and mappings nested at most {MAX_NESTING} deep")
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, list | dict):
            _check_nesting(one, depth + 1)


def stored_form(dtype: np.dtype) -> tuple[np.dtype, tuple[int, ...]]:
    """Return the dtype that HDF5 has for it, and the axis that is added for the parts of each.

    Booleans are bytes, complex numbers two floats, dates and durations integers, strings their
    code points.
    """
    kind, size = dtype.kind, dtype.itemsize
    if kind == "c":
        return np.dtype(f"<f{size // 2}"), (2,)
    if kind == "U":
        return np.dtype("<u4"), (size // 4,)
    if kind == "S":
        return np.dtype("|u1"), (size,)
    if kind in "Mm":
        return np.dtype("<i8"), ()
    return np.dtype("|u1") if kind == "b" else dtype, ()


def to_stored(value: Array) -> Array:
    """Return an array in its stored form."""
    dtype, parts = stored_form(value.dtype)
    contiguous = np.array(value, order="C").reshape((*value.shape, 1))
    return contiguous.view(dtype).reshape((*value.shape, *parts))


def from_stored(stored: Array, dtype: np.dtype, shape: tuple[int, ...]) -> Array:
    """Return an array from its stored form; ValueError for numbers that are none of its dtype."""
    if not stored.size:
        return np.zeros(shape, dtype.newbyteorder("="))
    if dtype.kind == "b" and stored.max() > 1:
        raise ValueError(f"expected booleans 0 and 1, found {stored.max()}")
    if dtype.kind == "U" and stored.max() > MAX_CODE_POINT:
        raise ValueError(f"expected code points of letters, found {stored.max()}")
    value = stored.reshape((*shape, -1)).view(dtype).reshape(shape)
    return value.astype(dtype.newbyteorder("="), copy=False)

"""Saving and loading: ``save``, ``load``, and what else a file holds."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import CheckpointError
from ..nn import Layer, Loss, Sequential, registered
from ..nn.initializers import without_initializers
from ..nn.layer_contract import config_mistake, is_built_in
from ..nn.sequential import sequential_with
from ..utils.checks import check_count, check_instance, check_path, short_repr
from ..utils.files import replace_file
from ..utils.types import Array, State
from ..utils.version import library_version
from .format import (
    ARRAY_GROUP,
    FORMAT,
    MAX_BYTES,
    MAX_LAYERS,
    MAX_NESTING,
    VERSION,
    VERSION_WITHOUT_METADATA,
    bytes_checksum,
    check_length,
    checksum,
    content_checksum,
    decode_config,
    encode_config,
    is_plain_name,
    is_storable_array,
    separate,
    unregistered_message,
)
from .hdf5 import MAX_DIMENSIONS
from .metadata import Metadata, describe_arrays, encode_metadata, load_values, set_names, to_stored
from .reader import Content, printable, read_checkpoint
from .stored_loss import decode_loss, encode_loss

if TYPE_CHECKING:
    import h5py

STORABLE_ARRAY = "a name of at most 255 bytes without / and at most 32 dimensions"
"""What a parameter must have."""
NOT_FINITE = "expected finite numbers: save(..., allow_non_finite=True) stores them all the same"


def save(
    model: Sequential,
    path: str | os.PathLike[str],
    *,
    state: Mapping[str, Any] | None = None,
    loss: Loss | None = None,
    metadata: Mapping[str, Any] | None = None,
    allow_non_finite: bool = False,
) -> None:
    """Write architecture and parameters of a model to a file.

    The file is built in memory, written beside the target under a temporary name, flushed to the
    disk and moved into place. An exception, a full disk, a kill or a power cut leaves the old file
    as it was.

    Parameters
    ----------
    model : Sequential
        The model.
    path : path
        The file; an old one is replaced when the new one is complete.
    state : mapping, optional
        Numbers, strings, non-empty float64 arrays and mappings of these by name, for
        ``load_state``.
    loss : Loss, optional
        The loss that the model was trained with, for ``load_loss``.
    metadata : mapping, optional
        What else to say about the model, for ``load_metadata``: by name strings, numbers, booleans,
        None, lists and mappings of these, and arrays of numbers, booleans, strings or dates. The
        model's ``feature_names`` and ``class_names`` are stored anyway.
    allow_non_finite : bool, default False
        Whether to store parameters and arrays of arguments that are NaN or infinite.

    Raises
    ------
    CheckpointError
        For a layer or loss class that is not registered, a layer that its ``config`` does not make
        again, numbers that are not finite, arguments that are arrays of another dtype than float64,
        and what exceeds the format: more than 10,000 layers, a state whose numbers, strings and
        names take more than 64,000 bytes as JSON, or metadata without arrays of more than 16 MiB.
    TypeError
        For a state or metadata of other kinds.
    OSError
        If the folder cannot be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> from minilayer import Dense
    >>> model = Sequential([Dense(2, 1)], seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, f"{folder}/line.h5", state={"epoch": 3})
    ...     again, state = load(f"{folder}/line.h5"), load_state(f"{folder}/line.h5")
    >>> again, bool((again.parameters == model.parameters).all()), state
    (Sequential([Dense(2, 1)]), True, {'epoch': 3})
    """
    check_instance("model", model, Sequential, "a Sequential")
    target = check_path("path", path)
    check_storable(model, allow_non_finite)
    checked = _check_state({} if state is None else state)
    if loss is not None:
        check_instance("loss", loss, Loss, "a Loss such as BinaryCrossEntropy()")
    described = None if loss is None else encode_loss(loss)
    own = {} if metadata is None else metadata
    about = encode_metadata(own, model.feature_names, model.class_names)
    replace_file(target, _encode(model, checked, described, about))


def load(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Sequential:
    """Return the model that ``save`` wrote.

    Safe on files from strangers: it runs no code, opens no other file, and reads no more bytes than
    the file has. It takes at most 16 bytes of memory for each byte of the file, and a megabyte.

    Parameters
    ----------
    path : path
        The file.
    max_bytes : int, default 2**30
        Larger files are refused.

    Returns
    -------
    Sequential
        A new model.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    CheckpointError
        For a file that is not a checkpoint, is damaged, too large or of a newer version, or has a
        layer class that is not registered. The message names the file, the place in it, what was
        expected and what was found.
    """
    content = read_checkpoint(check_path("path", path), check_count("max_bytes", max_bytes))
    return model_of(content, path)


def load_parameters(
    model: Sequential, path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES
) -> None:
    """Set a model's parameters from a checkpoint of the same architecture, all or none.

    Parameters
    ----------
    model : Sequential
        The model to change.
    path : path
        The file.
    max_bytes : int, default 2**30
        Larger files are refused.

    Raises
    ------
    FileNotFoundError, CheckpointError
        As ``load`` does, and for another architecture; nothing is changed then.
    """
    check_instance("model", model, Sequential, "a Sequential")
    content = read_checkpoint(check_path("path", path), check_count("max_bytes", max_bytes))
    found, expected = (
        [(type(layer), without_initializers(layer.config())) for layer in layers]
        for layers in (content.layers, model.layers)
    )
    if found != expected:
        expected_layers = short_repr(list(model.layers))
        found_layers = short_repr(content.layers)
        if found_layers == expected_layers:
            found_layers += " with other arguments"
        raise CheckpointError(f"{path}: /layers: expected {expected_layers}, found {found_layers}")
    model.parameters[:] = content.parameters


def load_state(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> State:
    """Return the training state that ``save`` was given.

    Parameters
    ----------
    path : path
        The file.
    max_bytes : int, default 2**30
        Larger files are refused.

    Returns
    -------
    dict
        Numbers, strings, float64 arrays and dicts of these by name; empty if there is none.

    Raises
    ------
    FileNotFoundError, CheckpointError
        As ``load`` does.
    """
    return read_checkpoint(check_path("path", path), check_count("max_bytes", max_bytes)).state


def load_loss(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Loss | None:
    """Return the loss that a model was trained with.

    Parameters
    ----------
    path : path
        The file, of ``save(..., loss=loss)`` or the checkpoint of a run.
    max_bytes : int, default 2**30
        Larger files are refused.

    Returns
    -------
    Loss or None
        A new loss with the same arguments; None if the file has none.

    Raises
    ------
    FileNotFoundError, CheckpointError
        As ``load`` does, and for a loss class that is not registered.

    Examples
    --------
    >>> import tempfile
    >>> from minilayer import Dense, Huber
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Sequential([Dense(2, 1)]), f"{folder}/line.h5", loss=Huber(0.5))
    ...     load_loss(f"{folder}/line.h5")
    Huber(delta=0.5)
    """
    content = read_checkpoint(check_path("path", path), check_count("max_bytes", max_bytes))
    if content.loss is None:
        return None
    try:
        return decode_loss(content.loss)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: /: loss: {error}") from None


def load_metadata(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> State:
    """Return the metadata that ``save`` was given.

    Safe on files from strangers, as ``load`` is. It takes at most 40 bytes of memory for each byte
    of the file, and a megabyte.

    Parameters
    ----------
    path : path
        The file.
    max_bytes : int, default 2**30
        Larger files are refused.

    Returns
    -------
    dict
        Values and arrays by name, tuples as lists; empty if there are none. The names of features
        and classes are attributes of the model that ``load`` returns.

    Raises
    ------
    FileNotFoundError, CheckpointError
        As ``load`` does.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from minilayer import Dense
    >>> about = {"data": "houses of 2024", "rows": 506, "scores": np.array([0.8, 0.9])}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Sequential([Dense(2, 1)]), f"{folder}/line.h5", metadata=about)
    ...     load_metadata(f"{folder}/line.h5")
    {'data': 'houses of 2024', 'rows': 506, 'scores': array([0.8, 0.9])}
    """
    content = read_checkpoint(check_path("path", path), check_count("max_bytes", max_bytes))
    return metadata_of(content, path)


def model_of(content: Content, path: object) -> Sequential:
    """Return the model of a file that was read; CheckpointError for layers that make none."""
    try:
        model = sequential_with(content.layers, content.parameters)
    except Exception as error:  # a layer of the user's own may raise anything
        message = f"{path}: /layers: expected layers that make a network: {error}"
        raise CheckpointError(message) from error
    try:
        set_names(model, content.metadata)
    except ValueError as error:
        raise CheckpointError(f"{path}: /metadata: {error}") from None
    return model


def metadata_of(content: Content, path: object) -> State:
    """Return the metadata of a file that was read; CheckpointError for values that are no JSON."""
    metadata = content.metadata
    try:
        values = load_values(metadata.values)
        twice = set(values) & set(metadata.arrays)
        if twice:
            raise ValueError(f"expected one entry a name, found two of {short_repr(min(twice))}")
    except ValueError as error:
        raise CheckpointError(f"{path}: /metadata/values: {printable(str(error))}") from None
    return {**values, **metadata.arrays}


def check_storable(model: Sequential, allow_non_finite: bool = False) -> None:
    """Raise CheckpointError for a model that a checkpoint cannot store."""
    if len(model.layers) > MAX_LAYERS:
        raise CheckpointError(f"layers: expected at most {MAX_LAYERS}, found {len(model.layers)}")
    for index, layer in enumerate(model.layers):
        if registered(type(layer).__name__) is not type(layer):
            message = unregistered_message(type(layer).__name__, repr(layer))
            raise CheckpointError(f"layers[{index}]: {message}")
        config, _, shapes = _encoded_config(index, layer)
        if not allow_non_finite:
            _check_finite_arguments(f"layers[{index}] {layer!r}", config)
        if not is_built_in(type(layer)):
            _check_rebuilding(index, layer, config)
        for name, value in layer.parameters.items():
            place = f"layers[{index}] {layer!r}, {name}"
            if shapes and name == ARRAY_GROUP:
                raise CheckpointError(
                    f"{place}: expected another name for a parameter beside arguments that are "
                    "arrays, as these are stored under it"
                )
            if not is_plain_name(name) or value.ndim > MAX_DIMENSIONS:
                raise CheckpointError(f"{place}: expected {STORABLE_ARRAY}, found {value.shape}")
            if not (allow_non_finite or np.isfinite(value).all()):
                raise CheckpointError(f"{place}: {NOT_FINITE}")


def _check_finite_arguments(place: str, config: State) -> None:
    for name, value in config.items():
        if isinstance(value, dict):
            _check_finite_arguments(f"{place}, {name}", value)
        elif isinstance(value, np.ndarray) and not np.isfinite(value).all():
            raise CheckpointError(f"{place}, {name}: {NOT_FINITE}")


def _check_rebuilding(index: int, layer: Layer, config: State) -> None:
    """Check that the stored configuration makes an equal layer again."""
    try:
        mistake = config_mistake(layer, decode_config(_as_read(config)))
    except ValueError as error:
        mistake = f"expected a configuration that a file can hold: {error}"
    if mistake is not None:
        raise CheckpointError(f"layers[{index}] {layer!r}: {mistake}: load would give another")


def _as_read(config: State) -> State:
    """Return a configuration as a file gives it back."""
    again: State = {}
    for name, value in config.items():
        if isinstance(value, dict):
            again[name] = _as_read(value)
        else:
            is_array = isinstance(value, np.ndarray)
            again[name] = value if is_array else json.loads(json.dumps(value))
    return again


def _check_state(state: object, depth: int = 0) -> State:
    """Return a state as nested dicts; TypeError for what a checkpoint cannot store."""
    check_instance("state", state, Mapping, "numbers, strings and arrays by name")
    assert isinstance(state, Mapping)
    checked: State = {}
    for name, value in state.items():
        if not is_plain_name(name) or not _is_storable(value, depth):
            raise TypeError(
                "state: expected numbers, strings and non-empty float64 arrays by name, "
                f"found {name!r}: {short_repr(value)}"
            )
        checked[name] = _check_state(value, depth + 1) if isinstance(value, Mapping) else value
    return checked


def _is_storable(value: object, depth: int) -> bool:
    if isinstance(value, np.ndarray):
        return is_storable_array(value)
    if isinstance(value, Mapping):
        return depth < MAX_NESTING
    return isinstance(value, int | float | str)


def _encode(model: Sequential, state: State, loss: str | None, metadata: Metadata) -> bytes:
    import h5py  # loading does without it, and it takes as long to import as NumPy

    buffer = io.BytesIO()
    version = VERSION if metadata else VERSION_WITHOUT_METADATA
    with h5py.File(buffer, "w", libver="earliest") as file:
        about_layers = []
        for index, layer in enumerate(model.layers):
            group = file.create_group(f"layers/{index}")
            name = type(layer).__name__
            config, sums = _add_config(group, index, layer)
            for key, value in layer.parameters.items():
                sums[key] = _add_dataset(group, key, value)
            group.attrs["class"] = np.bytes_(name.encode())
            group.attrs["config"] = np.bytes_(config.encode())
            about_layers.append((name, config, sums))
        state_sums = _add_state(file, state) if state else {}
        file.attrs["format"] = np.bytes_(FORMAT)
        file.attrs["version"] = version
        file.attrs["layers"] = len(model.layers)
        file.attrs["minilayer"] = np.bytes_(library_version())
        if loss is not None:
            file.attrs["loss"] = np.bytes_(loss.encode())
        sums = _add_metadata(file.create_group("metadata"), metadata) if metadata else {}
        content = content_checksum(about_layers, state_sums, version, loss, sums)
        file.attrs["sha256"] = np.bytes_(content)
    return buffer.getvalue()


def _encoded_config(index: int, layer: Layer) -> tuple[State, str, str]:
    """Return a configuration, and as JSON its values and its arrays' shapes ("" for none)."""
    try:
        config = encode_config(layer.config())
        values, shapes = separate(config)
        texts = json.dumps(values), json.dumps(shapes) if shapes else ""
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"layers[{index}] {layer!r}: {error}") from None
    for text in texts:
        check_length(f"layers[{index}].config()", text)
    return config, *texts


def _add_config(group: h5py.Group, index: int, layer: Layer) -> tuple[str, dict[str, str]]:
    """Write the arrays of a configuration; return its JSON, and the checksums of the arrays."""
    config, text, shapes = _encoded_config(index, layer)
    sums: dict[str, str] = {}
    if shapes:
        sums[""] = shapes
        group.attrs["arrays"] = np.bytes_(shapes.encode())
        _add_arrays(group.create_group(ARRAY_GROUP), f"{ARRAY_GROUP}/", config, sums)
    return text, sums


def _add_state(file: h5py.File, state: State) -> dict[str, str]:
    """Write a training state; return the checksums of its arrays by path, and its JSON as ""."""
    sums: dict[str, str] = {}
    values, shapes = separate(state)
    try:
        text = json.dumps({"values": values, "arrays": shapes})
    except ValueError as error:  # an integer of more than 4300 digits
        raise CheckpointError(f"state: expected values that JSON can hold: {error}") from None
    check_length("state", text, ": an array has room for more numbers")
    file.attrs["state"] = np.bytes_(text.encode())
    _add_arrays(file.create_group("state"), "", state, sums)
    return {"": text, **sums}


def _add_metadata(group: h5py.Group, metadata: Metadata) -> dict[str, str]:
    """Write metadata and names; return the checksums by path, and the arrays' JSON as ""."""
    import h5py

    sums: dict[str, str] = {}
    for name, text in metadata.texts.items():
        content = text.encode()
        sums[name] = bytes_checksum(content)
        dataset = group.create_dataset(name, (), h5py.string_dtype("utf-8", len(content)))
        dataset[()] = np.bytes_(content)
        dataset.attrs["sha256"] = np.bytes_(sums[name])
    if metadata.arrays:
        sums[""] = describe_arrays(metadata.arrays)
        group.attrs["arrays"] = np.bytes_(sums[""].encode())
        folder = group.create_group("arrays")
        for name, value in metadata.arrays.items():
            stored = to_stored(value)
            total = bytes_checksum(stored.reshape(-1).data)
            dataset = folder.create_dataset(name.encode(), data=stored)
            dataset.attrs["sha256"] = np.bytes_(total)
            sums[f"arrays/{name}"] = total
    return sums


def _add_arrays(group: h5py.Group, path: str, state: State, sums: dict[str, str]) -> None:
    for name, value in state.items():
        if isinstance(value, dict):
            if separate(value)[1]:
                _add_arrays(group.create_group(name.encode()), f"{path}{name}/", value, sums)
        elif isinstance(value, np.ndarray):
            sums[f"{path}{name}"] = _add_dataset(group, name, value)


def _add_dataset(group: h5py.Group, name: str, value: Array) -> str:
    total = checksum(value)
    place = name.encode()  # libhdf5 has newer groups for names that are not bytes and not ASCII
    group.create_dataset(place, data=value, dtype="<f8").attrs["sha256"] = np.bytes_(total)
    return total

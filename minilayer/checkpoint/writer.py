"""Writing and loading checkpoints: ``save``, ``load``, ``load_parameters`` and ``load_state``."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import h5py
import numpy as np

from ..errors import CheckpointError
from ..nn.layer import registered
from ..nn.sequential import Sequential
from ..utils.checks import check_count, check_instance, check_path, shown
from ..utils.files import replace_file
from ..utils.types import Array, State
from .format import FORMAT, MAX_BYTES, VERSION, checksum, seal, unregistered
from .reader import read_checkpoint


def save(
    model: Sequential,
    path: str | os.PathLike[str],
    *,
    state: Mapping[str, int | float | str | Array] | None = None,
    allow_non_finite: bool = False,
) -> None:
    """Write architecture and parameters to ``path``, replacing a file there only when the new one is complete.

    The file is built in memory, written beside the target under a temporary name, flushed to the disk and moved into
    place: an exception, a full disk, a kill or a power cut leaves the old file as it was. ``state`` holds numbers,
    texts and float64 arrays by name, for ``load_state``.

    Raises CheckpointError for a layer class that is not registered and, unless ``allow_non_finite``, for parameters
    that are NaN or infinite; TypeError for a state of other kinds; OSError where the folder cannot be written or the
    disk is full.

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
    for index, layer in enumerate(model.layers):
        if registered(type(layer).__name__) is not type(layer):
            raise CheckpointError(f"layers[{index}]: {unregistered(type(layer).__name__, repr(layer))}")
        for name, value in layer.parameters.items():
            if not (allow_non_finite or np.isfinite(value).all()):
                hint = "save(..., allow_non_finite=True) stores it all the same"
                raise CheckpointError(f"layers[{index}] {layer!r}, {name}: expected finite numbers: {hint}")
    replace_file(check_path("path", path), _encode(model, _check_state({} if state is None else state)))


def load(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Sequential:
    """The network that ``save`` wrote. Safe on files from strangers: no code, no other file, bounded memory.

    Raises FileNotFoundError where there is no file, CheckpointError, naming the file, the place in it, what was
    expected and what was found, for a file that is not a checkpoint, is damaged, of a newer version, larger than
    ``max_bytes``, or has a layer class that is not registered.
    """
    content = read_checkpoint(check_path("path", path), check_count("max_bytes", max_bytes))
    try:
        model = Sequential(content.layers)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: /layers: expected layers that make a network: {error}") from error
    model.parameters[:] = content.parameters
    return model


def load_parameters(model: Sequential, path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> None:
    """Set a model's parameters from a checkpoint of the same architecture; all is checked before any is changed.

    Raises what ``load`` raises, and CheckpointError for another architecture.
    """
    check_instance("model", model, Sequential, "a Sequential")
    content = read_checkpoint(check_path("path", path), check_count("max_bytes", max_bytes))
    found, expected = ([(type(layer), layer.config()) for layer in some] for some in (content.layers, model.layers))
    if found != expected:
        raise CheckpointError(f"{path}: /layers: expected {list(model.layers)}, found {content.layers}")
    model.parameters[:] = content.parameters


def load_state(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> State:
    """The training state that ``save`` was given; empty where it was given none. Raises what ``load`` raises."""
    return read_checkpoint(check_path("path", path), check_count("max_bytes", max_bytes)).state


def _check_state(state: Mapping[str, int | float | str | Array]) -> State:
    check_instance("state", state, Mapping, "numbers, texts and arrays by name")
    for name, value in state.items():
        array = isinstance(value, np.ndarray) and value.dtype == np.float64 and value.size
        plain = isinstance(name, str) and name not in ("", ".") and "/" not in name  # HDF5 gives those a meaning
        if not plain or not (array or isinstance(value, int | float | str)):
            raise TypeError(
                f"state: expected numbers, texts and non-empty float64 arrays by name, found {name!r}: {shown(value)}"
            )
    return dict(state)


def _encode(model: Sequential, state: State) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver="earliest") as file:
        sealed, state_sums = [], {}
        for index, layer in enumerate(model.layers):
            group = file.create_group(f"layers/{index}")
            sums = {name: _add_dataset(group, name, value) for name, value in layer.parameters.items()}
            sealed.append((type(layer).__name__, json.dumps(layer.config()), sums))
            group.attrs["class"], group.attrs["config"] = (np.bytes_(text.encode()) for text in sealed[-1][:2])
        if state:
            arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
            values = {name: value for name, value in state.items() if name not in arrays}
            shapes = {name: array.shape for name, array in arrays.items()}
            state_sums[""] = json.dumps({"values": values, "arrays": shapes})
            file.attrs["state"] = np.bytes_(state_sums[""].encode())
            group = file.create_group("state")
            state_sums |= {name: _add_dataset(group, name, array) for name, array in arrays.items()}
        file.attrs.update({"format": np.bytes_(FORMAT), "version": VERSION, "layers": len(model.layers)})
        file.attrs.update({"minilayer": np.bytes_(_library_version()), "sha256": np.bytes_(seal(sealed, state_sums))})
    return buffer.getvalue()


def _add_dataset(group: h5py.Group, name: str, value: Array) -> str:
    total = checksum(value)
    group.create_dataset(name, data=value, dtype="<f8").attrs["sha256"] = np.bytes_(total)
    return total


def _library_version() -> str:
    try:
        return version("minilayer")
    except PackageNotFoundError:  # used from a source tree that is not installed
        return "unknown"

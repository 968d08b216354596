"""Checkpoints: a network in an HDF5 file that ``h5dump`` shows as it is.

Format 1, all text UTF-8:

    /                      attributes: format = "minilayer", version = 1, minilayer = the version that wrote it,
                           layers = how many there are
    /layers/<i>            attributes: class = the layer's registered name, and its configuration, one each by name
    /layers/<i>/<name>     a float64 dataset of the parameter's shape, attribute sha256 = checksum of its bytes
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .checks import Array
from .layers import Layer, registered
from .sequential import Sequential

FORMAT, VERSION = "minilayer", 1


class CheckpointError(ValueError):
    """A file that is not a checkpoint this library can read, or a model that cannot be stored."""


def save(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write architecture and parameters to ``path``, replacing a file there only when the new one is complete.

    The file is built in memory, written beside the target under a temporary name, flushed to the disk and moved into
    place: an exception, a full disk or a power cut leaves the old file as it was.

    Raises CheckpointError for a layer class that is not registered, OSError where the folder cannot be written.

    >>> import tempfile
    >>> from minilayer import Dense
    >>> model = Sequential([Dense(2, 1)], seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, f"{folder}/line.h5")
    ...     again = load(f"{folder}/line.h5")
    >>> again, bool((again.parameters == model.parameters).all())
    (Sequential([Dense(2, 1)]), True)
    """
    if not isinstance(model, Sequential):
        raise TypeError(f"model: expected a Sequential, found {model!r}")
    for layer in model.layers:
        if registered(type(layer).__name__) is not type(layer):
            raise CheckpointError(_unregistered(type(layer).__name__, f"{layer!r}"))
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs.update({"format": FORMAT, "version": VERSION, "minilayer": _library_version()})
        file.attrs["layers"] = len(model.layers)
        for index, layer in enumerate(model.layers):
            group = file.create_group(f"layers/{index}")
            group.attrs["class"] = type(layer).__name__
            group.attrs.update(layer.config())
            for name, value in layer.parameters.items():
                group.create_dataset(name, data=value).attrs["sha256"] = _checksum(value)
    _replace(Path(path), buffer.getvalue())


def load(path: str | os.PathLike[str]) -> Sequential:
    """The network that ``save`` wrote.

    Raises FileNotFoundError where there is no file, CheckpointError, naming the place and what was expected, for a file
    that is not a checkpoint, is damaged, of a newer version, or has a layer class that is not registered.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a checkpoint, found no file there")
    try:
        with h5py.File(path, "r") as file:
            _check_header(path, file)
            groups = [_child(path, file, f"layers/{index}", h5py.Group) for index in range(_count(path, file))]
            model = Sequential([_layer(path, group) for group in groups])
            for layer, group in zip(model.layers, groups, strict=True):
                for name, target in layer.parameters.items():
                    target[...] = _parameter(path, group, name, target.shape)
    except CheckpointError:
        raise
    except Exception as error:  # HDF5 fails in many ways on bytes that are not its own
        raise CheckpointError(f"{path}: expected a checkpoint, found a file that cannot be read: {error}") from error
    return model


def _check_header(path: Path, file: h5py.File) -> None:
    found = file.attrs.get("format")
    if found != FORMAT:
        raise CheckpointError(f"{path}: expected a file with format = {FORMAT!r}, found {found!r}")
    found = file.attrs.get("version")
    if not isinstance(found, np.integer) or not 1 <= found <= VERSION:
        newer = isinstance(found, np.integer) and found > VERSION
        hint = ": a newer minilayer wrote it, install that" if newer else ""
        raise CheckpointError(f"{path}: expected version 1 to {VERSION}, found {found}{hint}")


def _count(path: Path, file: h5py.File) -> int:
    found = file.attrs.get("layers")
    if not isinstance(found, np.integer) or not 1 <= found <= 10_000:
        raise CheckpointError(f"{path}: expected layers = 1 to 10000, found {found!r}")
    return int(found)


def _child(path: Path, group: h5py.Group, name: str, kind: type) -> Any:
    child = group.get(name)
    if not isinstance(child, kind):
        raise CheckpointError(f"{path}: expected a {kind.__name__} {group.name.rstrip('/')}/{name}, found {child!r}")
    return child


def _layer(path: Path, group: h5py.Group) -> Layer:
    config = dict(group.attrs)
    name = config.pop("class", None)
    layer_class = registered(name) if isinstance(name, str) else None
    if layer_class is None:
        raise CheckpointError(f"{path}: {group.name}: {_unregistered(str(name), str(name))}")
    plain = {key: value.item() if isinstance(value, np.generic) else value for key, value in config.items()}
    try:
        return layer_class(**plain)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: {group.name}: expected arguments of {name}, found {plain}: {error}") from error


def _parameter(path: Path, group: h5py.Group, name: str, shape: tuple[int, ...]) -> Array:
    dataset = _child(path, group, name, h5py.Dataset)
    if dataset.shape != shape or dataset.dtype != np.float64:
        raise CheckpointError(
            f"{path}: {dataset.name}: expected float64 {shape}, found {dataset.dtype} {dataset.shape}"
        )
    value: Array = dataset[...]
    if dataset.attrs.get("sha256") != _checksum(value):
        raise CheckpointError(
            f"{path}: {dataset.name}: expected its checksum, found other numbers: the file is damaged"
        )
    return value


def _unregistered(name: str, found: str) -> str:
    return f"expected a registered layer class, found {found}: put @minilayer.register before `class {name}`"


def _checksum(value: Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(value, "<f8").tobytes()).hexdigest()


def _library_version() -> str:
    try:
        return version("minilayer")
    except PackageNotFoundError:  # used from a source tree that is not installed
        return "unknown"


def _replace(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step, through a temporary file beside it and the disk's own flush."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    if os.name == "posix":  # elsewhere a folder cannot be opened to be flushed
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

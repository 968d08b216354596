"""Checkpoints: a network in an HDF5 file that ``h5dump`` shows as it is, and that is safe to load from anybody.

Format 1. Attributes are scalars: whole numbers, or text of fixed length in UTF-8.

    /                      format = "minilayer"; version = 1; minilayer = the version that wrote it; layers = how many;
                           sha256 = checksum of all layers' class, config and datasets' checksums
    /layers/<i>            class = the layer's registered name; config = its arguments, a JSON object
    /layers/<i>/<name>     a little-endian float64 dataset of the parameter's shape in one piece; sha256 = checksum of
                           its bytes

``load`` never hands a file to libhdf5: see plain_hdf5. A file of a newer version is refused with a sentence that says
so; older versions keep loading.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .checks import Array, check_count
from .files import replace_file
from .layers import Layer, registered
from .plain_hdf5 import MalformedError, Node, open_root
from .sequential import Sequential

FORMAT, VERSION = "minilayer", 1
MAX_BYTES = 1 << 30


class CheckpointError(ValueError):
    """A file that is not a checkpoint this library can read, or a model that cannot be stored."""


def save(model: Sequential, path: str | os.PathLike[str], *, allow_non_finite: bool = False) -> None:
    """Write architecture and parameters to ``path``, replacing a file there only when the new one is complete.

    The file is built in memory, written beside the target under a temporary name, flushed to the disk and moved into
    place: an exception, a full disk, a kill or a power cut leaves the old file as it was.

    Raises CheckpointError for a layer class that is not registered and, unless ``allow_non_finite``, for parameters
    that are NaN or infinite; OSError where the folder cannot be written or the disk is full.

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
    for index, layer in enumerate(model.layers):
        if registered(type(layer).__name__) is not type(layer):
            raise CheckpointError(f"layers[{index}]: {_unregistered(type(layer).__name__, repr(layer))}")
        for name, value in layer.parameters.items():
            if not (allow_non_finite or np.isfinite(value).all()):
                hint = "save(..., allow_non_finite=True) stores it all the same"
                raise CheckpointError(f"layers[{index}] {layer!r}, {name}: expected finite numbers: {hint}")
    replace_file(Path(path), _encode(model))


def _encode(model: Sequential) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver="earliest") as file:
        contents = []
        for index, layer in enumerate(model.layers):
            group = file.create_group(f"layers/{index}")
            sums = {name: _checksum(value) for name, value in layer.parameters.items()}
            contents.append((type(layer).__name__, json.dumps(layer.config()), sums))
            group.attrs["class"], group.attrs["config"] = (np.bytes_(text.encode()) for text in contents[-1][:2])
            for name, value in layer.parameters.items():
                group.create_dataset(name, data=value, dtype="<f8").attrs["sha256"] = np.bytes_(sums[name])
        file.attrs.update({"format": np.bytes_(FORMAT), "version": VERSION, "layers": len(model.layers)})
        file.attrs.update({"minilayer": np.bytes_(_library_version()), "sha256": np.bytes_(_seal(contents))})
    return buffer.getvalue()


def load(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Sequential:
    """The network that ``save`` wrote. Safe on files from strangers: no code, no other file, bounded memory.

    Raises FileNotFoundError where there is no file, CheckpointError, naming the file, the place in it, what was
    expected and what was found, for a file that is not a checkpoint, is damaged, of a newer version, larger than
    ``max_bytes``, or has a layer class that is not registered.
    """
    layers, parameters = _read(Path(path), check_count("max_bytes", max_bytes))
    try:
        model = Sequential(layers)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: /layers: expected layers that make a network: {error}") from error
    model.parameters[:] = parameters
    return model


def load_parameters(model: Sequential, path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> None:
    """Set a model's parameters from a checkpoint of the same architecture; all is checked before any is changed.

    Raises what ``load`` raises, and CheckpointError for another architecture.
    """
    layers, parameters = _read(Path(path), check_count("max_bytes", max_bytes))
    found, expected = ([(type(layer), layer.config()) for layer in some] for some in (layers, model.layers))
    if found != expected:
        raise CheckpointError(f"{path}: /layers: expected {list(model.layers)}, found {layers}")
    model.parameters[:] = parameters


def _read(path: Path, max_bytes: int) -> tuple[list[Layer], Array]:
    """Layers and the flat vector of a checkpoint, all of it checked."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a checkpoint, found no file there")
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > max_bytes:
                raise MalformedError(f"/: expected at most {max_bytes} bytes, found {size}: max_bytes allows more")
            root = open_root(file)
            _check_header(root)
            return _contents(root, size)
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


def _contents(root: Node, size: int) -> tuple[list[Layer], Array]:
    count = root.attribute("layers")
    if not isinstance(count, int) or not 1 <= count <= 10_000:
        raise MalformedError(f"/: expected layers = 1 to 10000, found {count!r}")
    group = root.child("layers")
    nodes = [group.child(str(index)) for index in range(count)]
    layers = [_layer(node) for node in nodes]
    needed = 8 * sum(math.prod(shape) for layer in layers for shape in layer.shapes().values())
    if needed > size:
        raise MalformedError(f"/layers: expected {needed} bytes of parameters, found a file of {size} bytes")
    pieces, contents = [], []
    for node, layer in zip(nodes, layers, strict=True):
        sums = {}
        for name, shape in layer.shapes().items():
            dataset = node.child(name)
            value = dataset.array(shape)
            sums[name] = _checksum(value)
            if dataset.attribute("sha256") != sums[name]:
                raise MalformedError(f"{dataset.place}: expected its checksum, found other numbers: it is damaged")
            pieces.append(value.ravel())
        contents.append((str(node.attribute("class")), str(node.attribute("config")), sums))
    if root.attribute("sha256") != _seal(contents):
        raise MalformedError("/: expected the checksum of all layers, found another: the file is damaged")
    return layers, np.concatenate(pieces) if pieces else np.zeros(0)


def _layer(node: Node) -> Layer:
    name, text = node.attribute("class"), node.attribute("config")
    layer_class = registered(name) if isinstance(name, str) else None
    if layer_class is None:
        raise MalformedError(f"{node.place}: {_unregistered(str(name), str(name))}")
    try:
        config: Any = json.loads(text) if isinstance(text, str) else None
        layer = layer_class(**config)
        if json.loads(json.dumps(layer.config())) != config:
            raise ValueError(f"it gives {layer.config()} back")
    except Exception as error:  # a class of the user's own may raise anything
        raise MalformedError(f"{node.place}: expected arguments of {name}, found {text!r}: {error}") from None
    return layer


def _unregistered(name: str, found: str) -> str:
    return f"expected a registered layer class, found {found}: put @minilayer.register before `class {name}`"


def _checksum(value: Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(value, "<f8").tobytes()).hexdigest()


def _seal(contents: list[tuple[str, str, dict[str, str]]]) -> str:
    return hashlib.sha256(json.dumps(contents).encode()).hexdigest()


def _library_version() -> str:
    try:
        return version("minilayer")
    except PackageNotFoundError:  # used from a source tree that is not installed
        return "unknown"

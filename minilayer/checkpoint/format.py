"""Checkpoints: a network in an HDF5 file that ``h5dump`` shows as it is, and that is safe to load from anybody.

Format 1. Attributes are scalars: whole numbers, or text of fixed length in UTF-8. Datasets are little-endian float64 in
one piece, each with an attribute sha256, the checksum of its bytes.

    /                      format = "minilayer"; version = 1; minilayer = the version that wrote it; layers = how many;
                           sha256 = checksum of all that follows; state = a JSON object of the training state's values
                           and its arrays' shapes, where there is one
    /layers/<i>            class = the layer's registered name; config = its arguments, a JSON object
    /layers/<i>/<name>     a parameter
    /state/<name>          an array of the training state

``load`` never hands a file to libhdf5: see plain_hdf5. A file of a newer version is refused with a sentence that says
so; older versions keep loading.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

from ..utils.types import Array

FORMAT = "minilayer"
VERSION = 1
MAX_BYTES = 1 << 30
"""The largest file that is read unless the caller allows more: one gibibyte."""


def checksum(value: Array) -> str:
    """Of a dataset's bytes."""
    return hashlib.sha256(np.ascontiguousarray(value, "<f8").tobytes()).hexdigest()


def seal(layers: list[tuple[str, str, dict[str, str]]], state: dict[str, str]) -> str:
    """Of all that a checkpoint says: classes, configurations, checksums, state."""
    return hashlib.sha256(json.dumps([layers, state]).encode()).hexdigest()


def unregistered(name: str, found: str) -> str:
    """The sentence that helps."""
    return f"expected a registered layer class, found {found}: put @minilayer.register before `class {name}`"

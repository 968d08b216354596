"""A place for results that the caller gives: an array or a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from .checks import short_repr


def check_output(name: str, out: Any, shape: tuple[int, ...], kinds: str) -> None:
    """Raise TypeError or ValueError for what cannot take numbers of those kinds and that shape.

    An array, or a file that takes ``out[start:stop] = rows``, can.
    """
    numbers = "floating-point numbers" if kinds == "f" else "integers"
    try:
        found_shape = tuple(out.shape)
        dtype = np.dtype(out.dtype)
    except Exception:
        found_shape = None
    if found_shape is None or not hasattr(type(out), "__setitem__"):
        raise TypeError(
            f"{name}: expected an array of shape {shape}, or a file's that takes "
            f"{name}[start:stop] = rows, found {short_repr(out)}"
        )
    if found_shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, found {found_shape}")
    if dtype.kind not in kinds:
        raise TypeError(f"{name}: expected {numbers}, found dtype {dtype}")
    if _is_read_only(out):
        raise ValueError(f"{name}: expected one that can be written to, found one that cannot")


def _is_read_only(out: Any) -> bool:
    if isinstance(out, np.ndarray):
        return not out.flags.writeable
    file = getattr(out, "file", None)  # of an h5py dataset
    return getattr(file, "mode", "") == "r" or bool(getattr(out, "read_only", False))  # zarr

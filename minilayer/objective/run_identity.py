"""What identifies an objective, so that a checkpoint is resumed with the same one only."""

from __future__ import annotations

import hashlib

import numpy as np

from ..nn import Loss, Sequential
from ..nn.configured import identifying_text
from ..nn.initializers import without_initializers


def fingerprint(network: Sequential, loss: Loss, l2: float, *, digest: str, shards: int) -> str:
    """Return a checksum of layers, loss, penalty, and of the rows, whose ``digest`` is given."""
    about = f"{_layers(network)!r}|{identifying_text(loss)}|{l2!r}|{digest}"
    return hashlib.sha256(about.encode()).hexdigest() + f"/{shards}"


def identity(
    network: Sequential,
    loss: Loss,
    l2: float,
    *,
    rows: int,
    shards: int,
    dtype: np.dtype,
    copy: bool,
) -> dict[str, str]:
    """Return in words what the fingerprint depends on, apart from the numbers of X and Y."""
    layers = [
        f"{name}({', '.join(f'{argument}={value!r}' for argument, value in config.items())})"
        for name, config in _layers(network)
    ]
    return {
        "layers": ", ".join(layers),
        "loss": identifying_text(loss),
        "l2": repr(l2),
        "rows": str(rows),
        "shards": str(shards),
        "dtype": str(dtype),
        "copy": str(copy),
    }


def _layers(network: Sequential) -> list[tuple[str, dict[str, object]]]:
    """Return the class and the configuration of each layer, wherever it started."""
    return [
        (type(layer).__name__, without_initializers(layer.config())) for layer in network.layers
    ]

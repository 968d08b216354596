"""Advice on columns whose sizes are hard for training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..nn import Loss, Sequential
from ..utils.checks import check_vector
from ..utils.types import Array
from .inputs import is_regression

ADVISED_ROWS = 1000
"""Spread over the data, of which the sizes are taken."""
INPUT_SIZES = (0.1, 10.0)
"""Root mean squares between which the largest column suits the usual starting values of weights."""
TARGET_SIZES = (0.01, 100.0)
"""The same for targets, whose unit the last layer alone has to learn."""
DIFFERENT_SIZES = 10.0
"""A ratio of sizes from which a sentence names the smallest column too."""
EXPLAINED_SHARE = 0.5
"""Of the targets' variance: what a run that succeeded must explain, or its columns are named."""


def scaling_advice(X: Array, Y: Array | None) -> str:
    """Return a sentence on the sizes of the columns of X and Y, or "" if they suit training."""
    of_inputs = _sizes("X", X, INPUT_SIZES)
    of_targets = "" if Y is None else _sizes("Y", Y, TARGET_SIZES)
    found = ", and ".join(sentence for sentence in (of_inputs, of_targets) if sentence)
    if not found:
        return ""
    layer = "Standardize.of(X) as the first layer" if of_inputs else "Rescale.of(Y) as the last"
    return f"{found}: use fit(..., standardize=True), or {layer}"


def advice_on_rows(
    network: Sequential,
    loss: Loss,
    x: npt.ArrayLike,
    inputs: Array,
    targets: Array,
    *,
    success: bool,
) -> str:
    """Return the advice on a run that ended at x; "" if it explains the targets after a success."""
    advice = scaling_advice(inputs, targets if is_regression(network, loss) else None)
    if advice and success:
        point = check_vector("x", x, network.parameters.size).astype(np.float64)
        predictions = network.replica(point).predict(inputs)
        return "" if explains(predictions, targets) else advice
    return advice


def explains(predictions: Array, targets: Array) -> bool:
    """Return whether predictions explain half of the variance of the targets."""
    variance = np.mean((targets - targets.mean(axis=0)) ** 2)
    return bool(np.mean((predictions - targets) ** 2) <= (1 - EXPLAINED_SHARE) * variance)


def _sizes(name: str, matrix: Array, suitable: tuple[float, float]) -> str:
    """Return what to say of the sizes of columns; "" if they suit training."""
    largest = np.abs(matrix).max(axis=0).astype(np.float64)
    unit = np.where(largest > 0, largest, 1.0)  # squares of 1e300 overflow
    sizes = largest * np.sqrt(np.mean((matrix / unit) ** 2, axis=0))
    high = int(sizes.argmax())
    if sizes[high] < suitable[0]:
        return f"no column of {name} is above {sizes[high]:.2g} in size" if sizes[high] else ""
    if sizes[high] <= suitable[1]:
        return ""
    low = int(np.where(sizes > 0, sizes, np.inf).argmin())
    if sizes[high] < DIFFERENT_SIZES * sizes[low]:
        return f"column {high} of {name} is {sizes[high]:.2g} in size"
    return f"columns {high} and {low} of {name} are {sizes[high]:.2g} and {sizes[low]:.2g} in size"

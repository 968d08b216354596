"""Standardizing a model: the layers of constants that fit puts in for the sizes of X and Y."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ..nn import Loss, Rescale, Sequential, Standardize, Workspace
from ..utils.row_source import AnyRows, RowsLike, read_blocks
from .inputs import check_output_activation, check_rows, is_regression

UNITS_OF_COST = (1e-300, 1e300)
"""Between which ``l2`` and tolerances are multiplied; beyond, costs overflow or vanish anyway."""
ROWS_PER_LOSS = 10_000
"""Whose loss is computed at a time."""


def standardize_model(
    model: Sequential, X: RowsLike, Y: RowsLike, loss: Loss, *, starts_anew: bool
) -> float:
    """Insert the Standardize and the Rescale that the model lacks; return the unit of its cost.

    A new start replaces those of earlier data.
    """
    check_output_activation(model, loss)
    inputs, targets = check_rows(model, loss, X, Y)
    if starts_anew:
        for index in reversed(range(len(model))):
            if isinstance(model[index], Standardize | Rescale):
                model.remove(index)
    if not any(isinstance(layer, Standardize) for layer in model.leading_layers):
        model.insert(0, Standardize.of(inputs))
    if is_regression(model, loss):
        model.insert(len(model.inner_layers), _rescale(targets))
    last = model.inner_layers[-1]
    return _unit_of_cost(loss, last, targets) if isinstance(last, Rescale) else 1.0


def _rescale(targets: AnyRows) -> Rescale:
    """Return a Rescale with the means of the targets, and one scale for all columns.

    The scale is the geometric mean of the columns' deviations. With a scale for each column, the
    squared error is most sensitive to the largest.
    """
    own = Rescale.of(targets)
    ranges = [(block.min(axis=0), block.max(axis=0)) for _, block in read_blocks(targets)]
    lows, highs = zip(*ranges, strict=True)
    varies = np.min(lows, axis=0) < np.max(highs, axis=0)
    scale = np.exp(np.log(own.scale[varies]).mean()) if varies.any() else 1.0
    return Rescale(own.mean, np.full_like(own.scale, scale))


def _unit_of_cost(loss: Loss, rescale: Rescale, targets: AnyRows) -> float:
    """Return twice the mean loss of predicting the mean: 1 for the square of deviation 1."""
    total = 0.0
    for start in range(0, len(targets), ROWS_PER_LOSS):
        part = targets[start : start + ROWS_PER_LOSS].astype(np.float64)
        z = np.empty(part.shape, order="F")
        z[...] = rescale.mean
        with np.errstate(all="ignore"):
            total += loss.value_and_error_(z, part, Workspace())
    unit = 2 * total / (len(targets) * targets.shape[1])
    return unit if UNITS_OF_COST[0] < unit < UNITS_OF_COST[1] else 1.0


@contextmanager
def layers_restored_after_errors(model: Sequential) -> Iterator[None]:
    """Leave the model with its layers and feature names if arguments are refused."""
    before = model.layers
    names = model.feature_names
    try:
        yield
    except BaseException:
        for index in reversed(range(len(model))):
            if model[index] not in before:
                model.remove(index)
        for index, layer in enumerate(before):
            if layer not in model.layers:
                model.insert(index, layer.unbound_copy())
        model.feature_names = names
        raise

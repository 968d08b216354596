"""What an Objective is given: model and loss, rows, targets, weights, precision, all checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from numbers import Integral

import numpy as np
import numpy.typing as npt

from ..labels import one_hot
from ..nn import Activation, Identity, Layer, Loss, Rescale, Sequential
from ..nn.configured import undescribed_arguments
from ..nn.loss import required_activation
from ..utils.checks import (
    check_finite,
    check_instance,
    check_number,
    check_numeric,
    check_vector,
    short_repr,
)
from ..utils.row_source import (
    AnyRows,
    RowsLike,
    RowSource,
    as_rows,
    check_row_matrix,
    in_memory,
    read_blocks,
)
from ..utils.target_rows import ColumnRows, OneHotRows
from ..utils.types import Array

ClassWeight = str | Sequence[float] | Mapping[int, float]


def check_dtype(dtype: npt.DTypeLike) -> np.dtype:
    """Return float64 or float32; ValueError for anything else."""
    with suppress(TypeError):
        found = np.dtype(dtype)
        if found.name in ("float64", "float32"):
            return found
    raise ValueError(f"dtype: expected 'float64' or 'float32', found {dtype!r}")


def check_output_activation(model: Sequential, loss: Loss) -> None:
    """Raise for a loss that is incomplete, and a model that ends with the wrong activation."""
    check_instance("model", model, Sequential, "a Sequential")
    check_instance("loss", loss, Loss, "a Loss such as BinaryCrossEntropy()")
    name = type(loss).__name__
    missing = undescribed_arguments(loss)
    if missing:
        raise TypeError(
            f"loss: expected {name}.config() to give every argument of {name}(...), found none for "
            f"{missing[0]!r}: keep it as an attribute of that name, as it identifies a run"
        )
    last = model.layers[-1]
    needed = required_activation(loss)
    ends_without = needed is Identity and not isinstance(last, Activation)
    if needed is not None and type(last) is not needed and not ends_without:
        raise ValueError(
            f"loss: {loss!r} needs {needed.__name__} as the last layer, found {last!r}"
            f"{subclass_hint(last, needed)}"
        )


def subclass_hint(last: Layer, needed: type[Activation]) -> str:
    """Return what to say of a last layer that is a subclass of the needed one."""
    if not isinstance(last, needed):
        return ""
    return (
        f", a subclass of {needed.__name__}, which may compute something else: "
        f"use {needed.__name__}() itself"
    )


def check_rows(model: Sequential, loss: Loss, X: RowsLike, Y: RowsLike) -> tuple[AnyRows, AnyRows]:
    """Return inputs (m, n_inputs) and targets (m, n_outputs), finite and valid for the loss.

    Rows that are to be read stay where they are. One pass over each file checks them.
    """
    inputs = model.check_inputs(X)
    targets = _targets(model, loss, Y, is_in_memory=isinstance(inputs, np.ndarray))
    if len(inputs) != len(targets):
        raise ValueError(f"Y: expected as many rows as X, {len(inputs)}, found {len(targets)}")
    for start, block in read_blocks(inputs):
        check_finite("X", block, start)
    for start, block in read_blocks(targets):
        check_finite("Y", block, start)
        _check_targets(loss, block, start)
    return inputs, targets


def to_be_read(*rows: AnyRows) -> bool:
    """Return whether any of the rows are not in memory."""
    return any(isinstance(part, RowSource) for part in rows)


def _check_targets(loss: Loss, targets: Array, first_row: int) -> None:
    """Raise what the loss says of targets; rows in its message are counted from ``first_row``."""
    try:
        loss.check_targets(targets)
    except ValueError as error:
        if first_row == 0:
            raise
        text = re.sub(r"\brow (\d+)", lambda row: f"row {first_row + int(row[1])}", str(error))
        raise ValueError(text) from None


def _targets(model: Sequential, loss: Loss, Y: RowsLike, *, is_in_memory: bool) -> AnyRows:
    """Return Y as (m, n_outputs): one-hot for labels (m,), a column for numbers (m,)."""
    values: AnyRows | None = as_rows("Y", Y)
    if values is None:
        with suppress(ValueError):  # rows of several lengths, which check_numeric refuses
            if np.asanyarray(Y).dtype.kind in "US":
                raise TypeError(
                    "Y: expected numbers, found strings: "
                    "minilayer.encode_labels(Y) gives class numbers and their names"
                )
        values = check_numeric("Y", Y)
    outputs = model.n_outputs
    if values.ndim == 1 and len(values):
        if outputs == 1:
            return values[:, None] if isinstance(values, np.ndarray) else ColumnRows(values)
        _check_labels(values, outputs, loss)
        if isinstance(values, np.ndarray) and is_in_memory:
            return one_hot(values, outputs)
        return OneHotRows(values, outputs)
    meaning = "columns (outputs of the model)"
    is_column = values.ndim == 2 and values.shape[1] == 1
    if is_column and values.dtype.kind in "ui" and loss.takes_labels:
        hint = "use Y.ravel() for labels" if isinstance(values, np.ndarray) else "labels are (m,)"
        meaning = f"columns (outputs of the model; {hint})"
    return check_row_matrix("Y", values, outputs, meaning)


def _check_labels(values: AnyRows, outputs: int, loss: Loss) -> None:
    """Raise for what are not labels (m,) of a model with several outputs."""
    if not loss.takes_labels:
        raise ValueError(
            f"Y: expected {outputs} columns (outputs of the model), found shape {values.shape}: "
            "for integer labels end the model with Softmax()"
        )
    if values.dtype.kind not in "bui":
        is_read = isinstance(values, RowSource)
        some: Array = values[:1000] if isinstance(values, RowSource) else values
        conversion = "Y[:].astype(int)" if is_read else "Y.astype(int)"
        hint = f": use {conversion}" if (some == np.round(some)).all() else ""
        raise TypeError(
            f"Y: expected integers as labels, or {outputs} columns, "
            f"found dtype {values.dtype}{hint}"
        )
    ranges = [(int(block.min()), int(block.max())) for _, block in read_blocks(values)]
    low = min(low for low, _ in ranges)
    high = max(high for _, high in ranges)
    if low < 0 or high >= outputs:
        raise ValueError(
            f"Y: expected labels 0..{outputs - 1} (the model has {outputs} outputs), "
            f"found {low}..{high}: minilayer.encode_labels(Y) gives labels from 0 up"
        )


def check_row_numbers(rows: npt.ArrayLike, of_rows: int) -> Array:
    """Return the numbers of a minibatch's rows (b,)."""
    chosen = check_numeric("rows", rows)
    if chosen.ndim != 1 or chosen.size == 0 or chosen.dtype.kind not in "ui":
        hint = ": use numpy.flatnonzero(rows)" if chosen.dtype.kind == "b" else ""
        found = f"{short_repr(rows)}{hint}"
        raise ValueError(f"rows: expected a 1-D array of row numbers, found {found}")
    low, high = int(chosen.min()), int(chosen.max())
    if low < 0 or high >= of_rows:
        raise ValueError(f"rows: expected numbers from 0 to {of_rows - 1}, found {low}..{high}")
    return chosen


def is_regression(model: Sequential, loss: Loss) -> bool:
    """Return whether the model gives numbers of any size, without a Rescale for their unit."""
    gives_numbers = isinstance(model.output_activation, Identity | None)
    is_rescaled = isinstance(model.inner_layers[-1], Rescale)
    return gives_numbers and not loss.takes_labels and not is_rescaled


def row_weights(
    loss: Loss,
    targets: AnyRows,
    sample_weight: RowsLike | None,
    class_weight: ClassWeight | None,
) -> Array | None:
    """Return (m, 1): how many times each row counts; None: each once."""
    if class_weight is None and sample_weight is None:
        return None
    own = np.ones(len(targets))
    if sample_weight is not None:
        given = in_memory("sample_weight", sample_weight)
        own = check_vector("sample_weight", given, len(targets)).astype(np.float64)
        check_finite("sample_weight", own[:, None])
        if own.min() < 0:
            raise ValueError(
                f"sample_weight: expected numbers >= 0, found {own.min():g} in row {own.argmin()}"
            )
    weights = own
    if class_weight is not None:
        weights = own * class_weights(loss, targets, class_weight, own)
    if not weights.any():
        raise ValueError(
            "sample_weight and class_weight: expected at least one row of positive weight, "
            "found 0 for each"
        )
    return weights[:, None]


def class_weights(loss: Loss, targets: AnyRows, class_weight: ClassWeight, own: Array) -> Array:
    """Return each row's class weight (m,); a row shared between classes has their mean."""
    if not loss.takes_labels:
        raise ValueError(
            "class_weight: expected a loss for classes, such as CategoricalCrossEntropy, "
            f"found {loss!r}"
        )
    counts: Array | float = 0.0
    for start, block in read_blocks(targets):
        shares = _class_shares(block)
        sums = shares.sum(axis=1)
        if np.abs(sums - 1).max() > 1e-6:
            row = int(np.argmax(np.abs(sums - 1)))
            raise ValueError(
                "class_weight: expected one class a row, "
                f"found targets that sum to {sums[row]:.6g} in row {start + row}"
            )
        counts = counts + own[start : start + len(block)] @ shares
    weights = _weight_of_each_class(np.asarray(counts), class_weight)
    return np.concatenate([_class_shares(block) @ weights for _, block in read_blocks(targets)])


def _class_shares(targets: Array) -> Array:
    """Return the share of each class in each row (m, classes)."""
    shares = np.asarray(targets, dtype=np.float64)
    return np.hstack([1 - shares, shares]) if shares.shape[1] == 1 else shares


def _weight_of_each_class(counts: Array, class_weight: ClassWeight) -> Array:
    """Return (classes,) weights, where ``counts`` (classes,) says how often each class occurs."""
    classes = len(counts)
    weights = np.ones(classes)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(
                "class_weight: expected 'balanced' or a weight for each class, "
                f"found {class_weight!r}"
            )
        present = counts > 0
        weights[present] = counts.sum() / (np.count_nonzero(present) * counts[present])
        return weights
    if not isinstance(class_weight, Mapping):
        if np.ndim(class_weight) != 1 or len(class_weight) != classes:
            raise ValueError(
                f"class_weight: expected {classes} weights, one a class, "
                f"found {short_repr(class_weight)}"
            )
        class_weight = dict(enumerate(class_weight))
    for label, weight in class_weight.items():
        if not isinstance(label, Integral) or label not in range(classes):
            raise ValueError(f"class_weight: expected classes 0..{classes - 1}, found {label!r}")
        weights[label] = check_number(f"class_weight of class {label}", weight)
    return weights

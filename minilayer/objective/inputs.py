"""What an Objective is given, checked before anything is made of it: loss and link, rows, targets, weights, dtype."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from numbers import Integral

import numpy as np
import numpy.typing as npt

from ..labels import one_hot
from ..nn.losses import Loss
from ..nn.sequential import Sequential
from ..utils.checks import check_finite, check_instance, check_matrix, check_number, check_numeric, check_vector, shown
from ..utils.types import Array

ClassWeight = str | Sequence[float] | Mapping[int, float]


def check_dtype(dtype: npt.DTypeLike) -> np.dtype:
    """float64 or float32."""
    with suppress(TypeError):
        found = np.dtype(dtype)
        if found.name in ("float64", "float32"):
            return found
    raise ValueError(f"dtype: expected 'float64' or 'float32', found {dtype!r}")


def check_link(model: Sequential, loss: Loss) -> None:
    """A model that ends with the activation that the loss is paired with."""
    check_instance("model", model, Sequential, "a Sequential")
    check_instance("loss", loss, Loss, "a Loss such as BinaryCrossEntropy()")
    last = model.layers[-1]
    if type(last) is not loss.link:
        raise ValueError(f"loss: {loss!r} needs {loss.link.__name__} as the last layer, found {last!r}")


def check_rows(model: Sequential, loss: Loss, X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Array, Array]:
    """Inputs (m, inputs) and targets (m, outputs), finite and as the loss wants them."""
    inputs = check_matrix("X", X, model.inputs, f"columns (inputs of {model.layers[0]!r})")
    targets = _targets(model, loss, Y)
    if len(inputs) != len(targets):
        raise ValueError(f"Y: expected as many rows as X, {len(inputs)}, found {len(targets)}")
    check_finite("X", inputs)
    check_finite("Y", targets)
    loss.check_targets(targets)
    return inputs, targets


def _targets(model: Sequential, loss: Loss, Y: npt.ArrayLike) -> Array:
    """Y itself, or the one-hot targets that labels (m,) stand for, or the one column that numbers (m,) are."""
    with suppress(ValueError):  # of rows of several lengths, which is told of below
        if np.asanyarray(Y).dtype.kind in "US":
            raise TypeError("Y: expected numbers, found texts: numpy.unique(Y, return_inverse=True) gives labels")
    values, outputs = check_numeric("Y", Y), model.outputs
    if values.ndim == 1 and values.size:
        if outputs == 1:
            return values[:, None]
        if not loss.takes_labels:
            raise ValueError(f"Y: expected {outputs} columns (outputs of the model), found shape {values.shape}")
        if values.dtype.kind not in "bui":
            hint = ": use Y.astype(int)" if (values == np.round(values)).all() else ""
            raise TypeError(f"Y: expected integers as labels, or {outputs} columns, found dtype {values.dtype}{hint}")
        low, high = int(values.min()), int(values.max())
        if low < 0 or high >= outputs:
            raise ValueError(
                f"Y: expected labels 0..{outputs - 1} (the model has {outputs} outputs), found {low}..{high}"
            )
        return one_hot(values, outputs)
    labels = values.ndim == 2 and values.shape[1] == 1 and values.dtype.kind in "ui" and loss.takes_labels
    meaning = "columns (outputs of the model; use Y.ravel() for labels)" if labels else "columns (outputs of the model)"
    return check_matrix("Y", values, outputs, meaning)


def row_weights(
    loss: Loss, targets: Array, sample_weight: npt.ArrayLike | None, class_weight: ClassWeight | None
) -> Array | None:
    """(m, 1): how many times each row counts, the product of both kinds of weight; None: each once."""
    if class_weight is None and sample_weight is None:
        return None
    own = np.ones(len(targets))
    if sample_weight is not None:
        own = check_vector("sample_weight", sample_weight, len(targets)).astype(np.float64)
        check_finite("sample_weight", own[:, None])
        if own.min() < 0:
            raise ValueError(f"sample_weight: expected numbers >= 0, found {own.min():g} in row {own.argmin()}")
    weights = own if class_weight is None else own * _class_weights(loss, targets, class_weight, own)
    if not weights.any():
        raise ValueError("sample_weight and class_weight: expected a row that counts, found 0 for each")
    return weights[:, None]


def _class_weights(loss: Loss, targets: Array, class_weight: ClassWeight, own: Array) -> Array:
    """(m,): each row's weight is that of its class, the mean over the classes where the targets are shares."""
    if not loss.takes_labels:
        raise ValueError(f"class_weight: expected a loss for classes, such as CategoricalCrossEntropy, found {loss!r}")
    shares = np.asarray(targets, dtype=np.float64)
    if shares.shape[1] == 1:
        shares = np.hstack([1 - shares, shares])
    sums = shares.sum(axis=1)
    if np.abs(sums - 1).max() > 1e-6:
        row = int(np.argmax(np.abs(sums - 1)))
        raise ValueError(
            f"class_weight: expected one class a row, found targets that sum to {sums[row]:.6g} in row {row}"
        )
    return np.asarray(shares @ _weight_of_each_class(own @ shares, class_weight))


def _weight_of_each_class(counts: Array, class_weight: ClassWeight) -> Array:
    """(classes,), where ``counts`` says how often each class is there."""
    classes = len(counts)
    weights = np.ones(classes)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(f"class_weight: expected 'balanced' or a weight for each class, found {class_weight!r}")
        present = counts > 0
        weights[present] = counts.sum() / (np.count_nonzero(present) * counts[present])
        return weights
    if not isinstance(class_weight, Mapping):
        if np.ndim(class_weight) != 1 or len(class_weight) != classes:
            raise ValueError(f"class_weight: expected {classes} weights, one a class, found {shown(class_weight)}")
        class_weight = dict(enumerate(class_weight))
    for label, weight in class_weight.items():
        if not isinstance(label, Integral) or label not in range(classes):
            raise ValueError(f"class_weight: expected classes 0..{classes - 1}, found {label!r}")
        weights[label] = check_number(f"class_weight of class {label}", weight)
    return weights

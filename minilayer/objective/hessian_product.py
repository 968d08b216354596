"""Products of the Hessian, or of the Gauss-Newton matrix, with a vector; neither is ever formed.

The forward pass is differentiated along the direction v: Pearlmutter's operator R (Fast exact
multiplication by the Hessian, 1994). The backward pass carries the change of the output error to
the parameters, and each layer adds its own second derivative. Without these terms the product is
that of the Gauss-Newton matrix J' H J (Schraudolph, Fast curvature matrix-vector products, 2002).
Here J is the derivative of what the loss sees by the parameters, and H is the loss's own second
derivative, or a positive semidefinite part of it where the loss is not convex. For the squared
error, which sees the prediction, that is J'J whatever the output activation.
"""

from __future__ import annotations

import numpy as np

from ..nn import Loss, Sequential, Workspace
from ..nn.loss import CanonicalLoss, checked_array
from ..nn.parameter_layout import parameter_views
from ..utils.types import Array


def hessian_product(
    model: Sequential,
    loss: Loss,
    output: Array,
    *,
    depth: int,
    target: Array,
    weight: Array | None,
    v: Array,
    gauss_newton: bool,
    work: Workspace,
) -> Array:
    """Return the product with v of the Hessian of a loss, summed over the rows.

    Parameters
    ----------
    model : Sequential
        The network.
    loss : Loss
        The loss.
    output : ndarray, shape (m, n_outputs)
        What the last forward pass gave: the prediction for a canonical loss, else what the loss
        sees. Left as it is, so that products with other vectors may follow.
    depth : int
        Number of layers up to what the loss sees.
    target : ndarray, shape (m, n_outputs)
        The targets.
    weight : ndarray, shape (m, 1), or None
        How many times each row counts.
    v : ndarray, shape (n_parameters,)
        The direction, in the precision of ``model.parameters``.
    gauss_newton : bool
        Whether to leave out the layers' second derivatives.
    work : Workspace
        Where work arrays come from.

    Returns
    -------
    ndarray, shape (n_parameters,)
        ``model.gradient``, overwritten by the next pass.
    """
    is_canonical = isinstance(loss, CanonicalLoss)
    directions = parameter_views(model.layers, v)
    first = len(model.leading_layers)  # before it nothing changes along v
    passed = len(model.layers) if is_canonical else depth
    change: Array | None = None  # of the layer's input, then of the error, along v
    for layer, direction in zip(model.layers[first:passed], directions[first:passed], strict=True):
        change = layer.jvp(change, direction)
    assert change is not None  # a model has layers
    error = work.array("error", output.shape, output.dtype)
    if is_canonical:
        np.subtract(output, target, out=error)
        if weight is not None:
            error *= weight
            change = change * weight  # not in place: the last layer may rely on its own array
    else:
        if not gauss_newton:
            np.copyto(error, output)
            loss.value_and_error_(error, target, work, weight)
        found = loss.error_jvp(output, change, target, work, weight, gauss_newton=gauss_newton)
        change = checked_array(loss, "error_jvp", found, output)
    for index in range(depth - 1, first - 1, -1):
        layer, direction = model.layers[index], directions[index]
        layer.parameter_gradient(change)
        own = None if gauss_newton else layer.second_order_term(error, direction)
        if index == first:
            break
        change = layer.input_gradient(change)
        if not gauss_newton:  # a sum of its own, as the layer's next gradient overwrites its array
            total = work.array("change", change.shape, change.dtype)
            change = np.add(change, 0 if own is None else own, out=total)
            error = layer.input_gradient(error)
    return model.gradient

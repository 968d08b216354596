"""Products of the Hessian, or of its Gauss-Newton part, with a vector, without either matrix.

Forward, the network is differentiated along the direction v (Pearlmutter, Fast exact multiplication by the Hessian,
1994: the operator R); backward, the change of the output error is carried to the parameters as any error is, and what
the layers themselves bend is added (Schraudolph, Fast curvature matrix-vector products, 2002, for leaving it out:
Gauss-Newton). Behind its link every loss has the output error prediction - target, so that its change is the change of
the prediction, whatever the loss.
"""

from __future__ import annotations

import numpy as np

from ..nn.parameter_layout import views
from ..nn.sequential import Sequential
from ..nn.workspace import Workspace
from ..utils.types import Array


def curvature_product(
    model: Sequential,
    output: Array,
    target: Array,
    weight: Array | None,
    v: Array,
    gauss_newton: bool,
    work: Workspace,
) -> Array:
    """The product with v for a loss behind its link, summed over the rows: ``model.gradient``, overwritten.

    ``output`` (m, outputs) is what the model's last ``propagate`` gave, and is left as it is, so that products with
    other vectors may follow; target (m, outputs), weight (m, 1) or None, v in the layout and precision of
    ``model.parameters``.
    """
    layers, directions = model.layers, views(model.layers, v)
    rdy: Array | None = None
    for layer, direction in zip(layers, directions, strict=True):
        rdy = layer.tangent(rdy, direction)
    assert rdy is not None  # a model has layers
    dy = np.subtract(output, target, out=work.array("dy", output.shape, output.dtype))
    if weight is not None:
        dy *= weight
        rdy *= weight
    for index in range(len(layers) - 2, -1, -1):
        layer, direction = layers[index], directions[index]
        layer.parameter_gradient(rdy)
        bend = None if gauss_newton else layer.curvature(dy, direction)
        if index == 0:
            break
        rdy = layer.input_gradient(rdy)
        if not gauss_newton:
            total = work.array(f"rdy{index % 2}", rdy.shape, rdy.dtype)  # as the layer gives dC/dx in the same array
            rdy = np.add(rdy, 0 if bend is None else bend, out=total)
            dy = layer.input_gradient(dy)
    return model.gradient

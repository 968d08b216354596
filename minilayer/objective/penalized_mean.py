"""The mean of a loss over rows, plus the penalty, from sums over the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import numpy as np

from ..nn import Sequential
from ..utils.types import Array


@final
class PenalizedMean:
    """Makes cost, gradient and Hessian products of the sums over all rows.

        cost(x) = 1/m * (sum of the rows' losses) + l2 / (2 m) * (sum of weights**2)

    Parameters
    ----------
    model : Sequential
        The network, which says which parameters are penalized.
    l2 : float
        The penalty.
    total_weight : float
        m, or the sum of the rows' weights.
    """

    def __init__(self, model: Sequential, l2: float, total_weight: float) -> None:
        self._decay = l2 * model.l2_mask()
        self._total_weight = total_weight

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self._decay.size

    def cost_and_gradient(
        self, x: Array, add_sums: Callable[[Array], float], scale: float = 1.0
    ) -> tuple[float, Array]:
        """Return cost and gradient at x, with the sums over rows taken ``scale`` times.

        ``add_sums`` returns the sum of the losses, and adds its gradient to its argument.
        """
        gradient = np.multiply(self._decay, x, dtype=np.float64)
        penalty = float(gradient @ x) / 2
        if scale != 1:
            gradient /= scale
        loss = add_sums(gradient)  # onto the penalty's gradient: a pass over memory less
        gradient /= self._total_weight / scale
        return (scale * loss + penalty) / self._total_weight, gradient

    def product(self, v: Array, add_product: Callable[[Array], object]) -> Array:
        """Return the product of the Hessian with v; ``add_product`` adds that of the losses."""
        product = np.multiply(self._decay, v, dtype=np.float64)
        add_product(product)
        product /= self._total_weight
        return product

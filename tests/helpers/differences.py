"""Derivatives by central differences of four points, with an error of order step**4."""

import numpy as np

import minilayer as ml
from minilayer.utils.types import Array


def gradient_by_differences(objective: ml.Objective, x: Array, step: float = 1e-4) -> Array:
    """Return the gradient of the cost at x, one parameter at a time."""
    gradient = np.empty_like(x)
    for index, unit in enumerate(np.eye(x.size)):
        values = [objective(x + steps * step * unit)[0] for steps in (1, -1, 2, -2)]
        near = values[0] - values[1]
        far = values[2] - values[3]
        gradient[index] = (8 * near - far) / (12 * step)
    return gradient


def product_by_differences(
    objective: ml.Objective, x: Array, v: Array, step: float = 1e-4
) -> Array:
    """Return the change of the gradient at x along v: the Hessian times v."""
    near = objective(x + step * v)[1] - objective(x - step * v)[1]
    far = objective(x + 2 * step * v)[1] - objective(x - 2 * step * v)[1]
    return np.asarray((8 * near - far) / (12 * step))

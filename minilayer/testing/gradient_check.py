"""check_gradient: are the derivatives of a model's layers, of its loss and of the whole right?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..nn import Sequential, Workspace
from ..nn.loss import sees_prediction
from ..objective import Objective
from ..objective.evaluator import forward_to_loss
from ..utils.checks import check_count, check_instance, check_number, check_seed, check_vector
from ..utils.types import Array
from .finite_differences import (
    Comparison,
    GradientReport,
    compare,
    compare_layer,
    rademacher,
    report,
)

SAMPLE_ROWS = 20
"""Rows that go through each layer by itself."""


def check_gradient(
    objective: Objective,
    x: npt.ArrayLike | None = None,
    *,
    directions: int = 5,
    every_parameter: bool = False,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> GradientReport:
    """Compare every derivative of an objective with central differences.

    Compared are each layer by itself, by its input and by each parameter; the loss by the
    pre-activation; and the whole objective, one parameter array at a time. The difference has four
    points, with an error of order step**4. The relative error is abs(analytic - difference) over
    the largest of these: both derivatives, the norm of the gradient they belong to, and a millionth
    of the function's values, below which rounding leaves nothing to compare. Shorter steps are
    tried where kinks, such as ReLU's, may lie within; the step that agrees best counts. Where the
    values show a kink at the point itself, points nearby are compared: a kink has no derivative.

    Parameters
    ----------
    objective : Objective
        Of float64; single precision is too coarse for differences.
    x : array_like, shape (n_parameters,), optional
        The point; default: the model's parameters.
    directions : int, default 5
        Random directions for each array.
    every_parameter : bool, default False
        Whether to compare the whole objective by each single parameter, at 4 or more evaluations
        each.
    tolerance : float, default 1e-6
        Of the relative errors.
    seed : int, default 0
        Of the directions.

    Returns
    -------
    GradientReport
        The relative errors.

    Raises
    ------
    GradientError
        For an error above the tolerance; it names the first layer and derivative at fault.
    TypeError, ValueError
        For arguments of another kind.

    Examples
    --------
    >>> from minilayer import Dense, Sigmoid, BinaryCrossEntropy
    >>> model = Sequential([Dense(2, 3), Sigmoid(), Dense(3, 1), Sigmoid()], seed=0)
    >>> objective = Objective(model, [[1, 2], [3, 4]], [[0], [1]], BinaryCrossEntropy(), l2=0.1)
    >>> check_gradient(objective, every_parameter=True).worst < 1e-7
    True
    """
    check_instance("objective", objective, Objective, "an Objective")
    if objective.dtype != np.float64:
        raise ValueError(
            f"objective: expected dtype float64, found {objective.dtype}, too coarse for "
            "differences: check the same objective without dtype"
        )
    check_count("directions", directions)
    check_number("tolerance", tolerance, above=True)
    start = objective.x0 if x is None else check_vector("x", x, objective.x0.size)
    point = np.array(start, dtype=np.float64)
    rng = check_seed(seed)
    comparisons = _layers_and_loss(objective, point, directions, rng)
    if every_parameter:
        comparisons += _by_each_parameter(objective, point)
    else:
        comparisons += _by_each_array(objective, point, directions, rng)
    return report(comparisons, tolerance)


def _layers_and_loss(
    objective: Objective, point: Array, count: int, rng: np.random.Generator
) -> list[Comparison]:
    """Compare each layer by itself on the rows that reach it, then the loss."""
    model = objective.model.replica(point.copy())
    x, target = objective.head(SAMPLE_ROWS)
    is_prediction = sees_prediction(objective.loss, model.output_activation)
    z = np.array(forward_to_loss(model, x, Workspace(), is_prediction=is_prediction))
    comparisons = []
    for index, layer in enumerate(model.layers):
        layer_input = np.array(x)
        name = f"layers[{index}] {layer!r}"
        comparisons += compare_layer(name, layer, layer_input, count, rng)
        x = layer.forward(layer_input)

    def loss(z: Array) -> float:
        return objective.loss.value_and_error_(z.copy(order="F"), target, Workspace())

    error = z.copy(order="F")
    objective.loss.value_and_error_(error, target, Workspace())
    last = f"layers[{len(model) - 1}] {model.layers[-1]!r}"
    what = f"{objective.loss!r} with {last}: output error"
    comparisons.append(compare(what, loss, z, error, rademacher(z.shape, count, rng)))
    return comparisons


def _by_each_array(
    objective: Objective, point: Array, count: int, rng: np.random.Generator
) -> list[Comparison]:
    """Compare the objective along directions within each parameter array."""
    comparisons = []
    for name, place in _arrays(objective.model):
        directions = [np.zeros_like(point) for _ in range(count)]
        steps = rademacher(point[place].shape, count, rng)
        for direction, step in zip(directions, steps, strict=True):
            direction[place] = step
        what = f"{name} in the whole objective"
        cost, part = _part(objective, place)
        comparisons.append(compare(what, cost, point, part(point), directions, part))
    return comparisons


def _by_each_parameter(objective: Objective, point: Array) -> list[Comparison]:
    """Compare the objective by each single parameter."""
    _, gradient = objective(point)
    comparisons = []
    for name, place in _arrays(objective.model):
        for index in range(place.start, place.stop):
            unit = np.zeros_like(point)
            unit[index] = 1.0
            own = index - place.start
            what = f"{name}[{own}] (parameter {index}) in the whole objective"
            cost, whole = _part(objective, slice(None))
            comparisons.append(compare(what, cost, point, gradient, [unit], whole))
    return comparisons


def _part(
    objective: Objective, place: slice
) -> tuple[Callable[[Array], float], Callable[[Array], Array]]:
    """Return the cost, and its gradient by the parameters in that place, as functions of x."""

    def cost(x: Array) -> float:
        return objective(x)[0]

    def gradient(x: Array) -> Array:
        part = np.zeros_like(x)
        part[place] = objective(x)[1][place]
        return part

    return cost, gradient


def _arrays(model: Sequential) -> list[tuple[str, slice]]:
    """Return name and place of each parameter array."""
    indices = {id(layer): index for index, layer in enumerate(model.layers)}
    return [
        (f"layers[{indices[id(layer)]}] {layer!r}, {name}", place)
        for place, layer, name in model.parameter_slices()
    ]

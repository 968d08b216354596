"""check_gradient: are the derivatives of a model's layers, of its loss and of the whole right?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..nn.sequential import Sequential
from ..nn.workspace import Workspace
from ..objective.objective import Objective
from ..utils.checks import check_count, check_instance, check_number, check_vector
from ..utils.types import Array
from .finite_differences import Check, GradientReport, compare, layer_gradients, refuse_wrong, signs

SAMPLE_ROWS = 20


def check_gradient(
    objective: Objective,
    x: npt.ArrayLike | None = None,
    *,
    directions: int = 5,
    every_parameter: bool = False,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> GradientReport:
    """Compare every derivative with central differences at ``x`` (default: the model's parameters).

    In turn: each layer by itself (by its input and by each parameter, at what the first rows of the data send through
    it), the loss by the pre-activation, and the whole objective, array by array along ``directions`` random directions
    or, with ``every_parameter``, by each single entry, at 4 or more evaluations each. The difference has four points,
    an error of order step**4; the relative error is abs(analytic - difference) over the larger of that derivative and
    the norm of the gradient that it is part of, or a millionth of the function's values where these are smaller, of
    which rounding leaves nothing to compare. Where kinks (ReLU's) lie within the step, shorter ones are tried, and the
    one that agrees best counts.

    Raises GradientError, naming the first layer and parameter at fault, for an error above ``tolerance``. Returns the
    errors otherwise. An objective in single precision, in which differences drown, is refused with ValueError.

    >>> from minilayer import Dense, Sigmoid, BinaryCrossEntropy
    >>> model = Sequential([Dense(2, 3), Sigmoid(), Dense(3, 1), Sigmoid()], seed=0)
    >>> objective = Objective(model, [[1, 2], [3, 4]], [[0], [1]], BinaryCrossEntropy(), l2=0.1)
    >>> check_gradient(objective, every_parameter=True).worst < 1e-7
    True
    """
    check_instance("objective", objective, Objective, "an Objective")
    if objective.dtype != np.float64:
        raise ValueError(
            f"objective: expected dtype float64, found {objective.dtype}, too coarse for differences: check the same "
            "objective without dtype"
        )
    check_count("directions", directions)
    check_number("tolerance", tolerance, above=True)
    point = np.array(objective.x0 if x is None else check_vector("x", x, objective.x0.size), dtype=np.float64)
    rng = np.random.default_rng(seed)
    checks = [
        *_layers(objective, point, directions, rng),
        *(_entries(objective, point) if every_parameter else _whole(objective, point, directions, rng)),
    ]
    return refuse_wrong(checks, tolerance)


def _layers(objective: Objective, point: Array, count: int, rng: np.random.Generator) -> list[Check]:
    """Each layer by itself on the rows that reach it, then the loss."""
    model = objective.model.replica(point.copy())
    x, target = objective.sample(SAMPLE_ROWS)
    checks, z = [], x
    for index, layer in enumerate(model.layers):
        z = np.array(x)
        checks += layer_gradients(f"layers[{index}] {layer!r}", layer, z, count, rng)
        x = layer.forward(z)

    def loss(z: Array) -> float:
        return objective.loss.evaluate(z.copy(), target, Workspace())

    error = z.copy()
    objective.loss.evaluate(error, target, Workspace())
    what = f"{objective.loss!r} with layers[{len(model.layers) - 1}] {model.layers[-1]!r}: output error"
    checks.append(compare(what, loss, z, error, signs(z.shape, count, rng)))
    return checks


def _whole(objective: Objective, point: Array, count: int, rng: np.random.Generator) -> list[Check]:
    """The objective along directions within each parameter array."""
    _, gradient = objective(point)
    checks = []
    for name, piece in _pieces(objective.model):
        along = [np.zeros_like(point) for _ in range(count)]
        for direction, step in zip(along, signs(gradient[piece].shape, count, rng), strict=True):
            direction[piece] = step
        own = np.zeros_like(point)
        own[piece] = gradient[piece]
        checks.append(compare(f"{name} in the whole objective", lambda x: objective(x)[0], point, own, along))
    return checks


def _entries(objective: Objective, point: Array) -> list[Check]:
    """The objective by each single parameter."""
    _, gradient = objective(point)
    checks = []
    for name, piece in _pieces(objective.model):
        for index in range(piece.start, piece.stop):
            unit = np.zeros_like(point)
            unit[index] = 1.0
            what = f"{name}[{index - piece.start}] (parameter {index}) in the whole objective"
            checks.append(compare(what, lambda x: objective(x)[0], point, gradient, [unit]))
    return checks


def _pieces(model: Sequential) -> list[tuple[str, slice]]:
    places = {id(layer): index for index, layer in enumerate(model.layers)}
    return [(f"layers[{places[id(layer)]}] {layer!r}, {name}", piece) for piece, layer, name in model.named_pieces()]

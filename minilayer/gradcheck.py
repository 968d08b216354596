"""check_gradient: are the derivatives of a model's layers, of its loss and of the whole right?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .checks import Array, check_count, check_number, check_vector
from .layers import Layer
from .objective import Objective
from .sequential import Sequential
from .workspace import Workspace

STEPS = (1e-3, 1e-4, 1e-5)
"""Steps of the difference, the first for accuracy, the others for where a kink lies within the first."""
SAMPLE_ROWS = 20


class GradientError(AssertionError):
    """A derivative is wrong; the message names the layer and the derivative."""


@dataclass(frozen=True)
class GradientReport:
    """What was checked, and the relative error of each."""

    errors: dict[str, float]

    @property
    def worst(self) -> float:
        """The largest relative error."""
        return max(self.errors.values())

    def __str__(self) -> str:
        return "\n".join(f"{error:9.1e}  {what}" for what, error in self.errors.items())


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
    the norm of the gradient that it is part of.

    Raises GradientError, naming the first layer and parameter at fault, for an error above ``tolerance``. Returns the
    errors otherwise.

    >>> from minilayer import Dense, Sigmoid, BinaryCrossEntropy
    >>> model = Sequential([Dense(2, 3), Sigmoid(), Dense(3, 1), Sigmoid()], seed=0)
    >>> objective = Objective(model, [[1, 2], [3, 4]], [[0], [1]], BinaryCrossEntropy(), l2=0.1)
    >>> check_gradient(objective, every_parameter=True).worst < 1e-7
    True
    """
    if not isinstance(objective, Objective):
        raise TypeError(f"objective: expected an Objective, found {objective!r}")
    check_count("directions", directions)
    check_number("tolerance", tolerance, above=True)
    point = np.array(objective.x0 if x is None else check_vector("x", x, objective.x0.size), dtype=np.float64)
    rng = np.random.default_rng(seed)
    checks = [
        *_layers(objective, point, directions, rng),
        *(_entries(objective, point) if every_parameter else _whole(objective, point, directions, rng)),
    ]
    for check in checks:
        if check.error > tolerance:
            raise GradientError(
                f"{check.what}: analytic {check.analytic:.9g}, central difference {check.difference:.9g}, "
                f"relative error {check.error:.1e}, above the tolerance of {tolerance:g}"
            )
    return GradientReport({check.what: check.error for check in checks})


@dataclass(frozen=True)
class _Check:
    what: str
    analytic: float
    difference: float
    error: float


def _compare(what: str, function: Callable[[Array], float], at: Array, gradient: Array, along: list[Array]) -> _Check:
    """The worst of some directions, each with the step that agrees best."""
    norm = float(np.linalg.norm(gradient))
    worst = _Check(what, 0.0, 0.0, -1.0)
    for direction in along:
        analytic = float(np.sum(gradient * direction))
        best = _Check(what, analytic, np.nan, np.inf)
        for step in STEPS:
            difference = _difference(function, at, direction, step)
            scale = max(norm, abs(analytic), abs(difference), 1e-12)
            error = abs(analytic - difference) / scale
            if error < best.error:
                best = _Check(what, analytic, difference, error)
            if error < 1e-8:
                break
        if best.error > worst.error:
            worst = best
    return worst


def _difference(function: Callable[[Array], float], at: Array, direction: Array, step: float) -> float:
    h = step * max(1.0, float(np.abs(at).max())) / max(1.0, float(np.abs(direction).max()))
    near = function(at + h * direction) - function(at - h * direction)
    far = function(at + 2 * h * direction) - function(at - 2 * h * direction)
    return (8 * near - far) / (12 * h)


def _signs(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> list[Array]:
    """Random directions of +-1: no entry is left out of any of them."""
    return [rng.choice((-1.0, 1.0), size=shape) for _ in range(count)]


def _layers(objective: Objective, point: Array, count: int, rng: np.random.Generator) -> list[_Check]:
    """Each layer by itself on the rows that reach it, then the loss."""
    model = objective.model.replica(point.copy())
    x, target = objective.sample(SAMPLE_ROWS)
    checks, z = [], x
    for index, layer in enumerate(model.layers):
        z = np.array(x)
        checks += _layer(f"layers[{index}] {layer!r}", layer, z, count, rng)
        x = layer.forward(z)

    def loss(z: Array) -> float:
        return objective.loss.evaluate(z.copy(), target, Workspace())

    error = z.copy()
    objective.loss.evaluate(error, target, Workspace())
    what = f"{objective.loss!r} with layers[{len(model.layers) - 1}] {model.layers[-1]!r}: output error"
    checks.append(_compare(what, loss, z, error, _signs(z.shape, count, rng)))
    return checks


def _layer(name: str, layer: Layer, x: Array, count: int, rng: np.random.Generator) -> list[_Check]:
    """By the input and by each parameter, of sum(dy * layer(x)) for a random dy."""
    dy = rng.standard_normal(layer.forward(x).shape)
    layer.parameter_gradient(dy)
    by_input = np.array(layer.input_gradient(dy))
    by_parameter = {key: np.array(value) for key, value in layer.gradients.items()}
    checks = [
        _compare(
            f"{name}, gradient by the input",
            lambda x: float(np.sum(dy * layer.forward(x))),
            x,
            by_input,
            _signs(x.shape, count, rng),
        )
    ]
    for key, gradient in by_parameter.items():
        parameter = layer.parameters[key]
        start = parameter.copy()

        def output(value: Array, parameter: Array = parameter) -> float:
            parameter[...] = value
            return float(np.sum(dy * layer.forward(x)))

        checks.append(_compare(f"{name}, gradient by {key}", output, start, gradient, _signs(start.shape, count, rng)))
        parameter[...] = start
    layer.forward(x)
    return checks


def _whole(objective: Objective, point: Array, count: int, rng: np.random.Generator) -> list[_Check]:
    """The objective along directions within each parameter array."""
    _, gradient = objective(point)
    checks = []
    for name, piece in _pieces(objective.model):
        along = [np.zeros_like(point) for _ in range(count)]
        for direction, signs in zip(along, _signs(gradient[piece].shape, count, rng), strict=True):
            direction[piece] = signs
        own = np.zeros_like(point)
        own[piece] = gradient[piece]
        checks.append(_compare(f"{name} in the whole objective", lambda x: objective(x)[0], point, own, along))
    return checks


def _entries(objective: Objective, point: Array) -> list[_Check]:
    """The objective by each single parameter."""
    _, gradient = objective(point)
    checks = []
    for name, piece in _pieces(objective.model):
        for index in range(piece.start, piece.stop):
            unit = np.zeros_like(point)
            unit[index] = 1.0
            what = f"{name}[{index - piece.start}] (parameter {index}) in the whole objective"
            checks.append(_compare(what, lambda x: objective(x)[0], point, gradient, [unit]))
    return checks


def _pieces(model: Sequential) -> list[tuple[str, slice]]:
    places = {id(layer): index for index, layer in enumerate(model.layers)}
    return [(f"layers[{places[id(layer)]}] {layer!r}, {name}", piece) for piece, layer, name in model.named_pieces()]

"""Derivatives against central differences: the arithmetic of check_gradient and of the layer battery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import GradientError
from ..nn.layer import Layer
from ..utils.types import Array

STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
"""Steps of the difference, the first for accuracy, the others for where kinks lie within: many rows have many."""
KNOWN = 1e-6
"""Of the function's values: rounding hides errors in derivatives that are smaller than this."""


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


@dataclass(frozen=True)
class Check:
    """A derivative along a direction: what was found, what it should be, and how far that is off."""

    what: str
    analytic: float
    difference: float
    error: float


def refuse_wrong(checks: list[Check], tolerance: float) -> GradientReport:
    """All errors; GradientError for the first above the tolerance."""
    for check in checks:
        if check.error > tolerance:
            raise GradientError(
                f"{check.what}: analytic {check.analytic:.9g}, central difference {check.difference:.9g}, "
                f"relative error {check.error:.1e}, above the tolerance of {tolerance:g}"
            )
    return GradientReport({check.what: check.error for check in checks})


def compare(what: str, function: Callable[[Array], float], at: Array, gradient: Array, along: list[Array]) -> Check:
    """The worst of some directions, each with the step that agrees best."""
    norm = float(np.linalg.norm(gradient))
    worst = Check(what, 0.0, 0.0, -1.0)
    for direction in along:
        analytic = float(np.sum(gradient * direction))
        best = Check(what, analytic, np.nan, np.inf)
        for step in STEPS:
            difference, size = _difference(function, at, direction, step)
            scale = max(norm, abs(analytic), abs(difference), KNOWN * size, 1e-12)
            error = abs(analytic - difference) / scale
            if error < best.error:
                best = Check(what, analytic, difference, error)
            if error < 1e-8:
                break
        if best.error > worst.error:
            worst = best
    return worst


def _difference(function: Callable[[Array], float], at: Array, direction: Array, step: float) -> tuple[float, float]:
    """The derivative along the direction, and the size of the values that it was found from."""
    h = step * max(1.0, float(np.abs(at).max())) / max(1.0, float(np.abs(direction).max()))
    ahead, behind, far, back = (function(at + k * h * direction) for k in (1, -1, 2, -2))
    return (8 * (ahead - behind) - (far - back)) / (12 * h), max(abs(ahead), abs(behind))


def signs(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> list[Array]:
    """Random directions of +-1: no entry is left out of any of them."""
    return [rng.choice((-1.0, 1.0), size=shape) for _ in range(count)]


def layer_gradients(name: str, layer: Layer, x: Array, count: int, rng: np.random.Generator) -> list[Check]:
    """By the input and by each parameter, of sum(dy * layer(x)) for a random dy."""
    dy = rng.standard_normal(layer.forward(x).shape)
    layer.parameter_gradient(dy)
    by_input = np.array(layer.input_gradient(dy))
    by_parameter = {key: np.array(value) for key, value in layer.gradients.items()}
    checks = [
        compare(
            f"{name}, gradient by the input",
            lambda x: float(np.sum(dy * layer.forward(x))),
            x,
            by_input,
            signs(x.shape, count, rng),
        )
    ]
    for key, gradient in by_parameter.items():
        parameter = layer.parameters[key]
        start = parameter.copy()

        def output(value: Array, parameter: Array = parameter) -> float:
            parameter[...] = value
            return float(np.sum(dy * layer.forward(x)))

        checks.append(compare(f"{name}, gradient by {key}", output, start, gradient, signs(start.shape, count, rng)))
        parameter[...] = start
    layer.forward(x)
    return checks

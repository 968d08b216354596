"""Derivatives against central differences: the arithmetic of check_gradient and check_layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import GradientError
from ..nn import Layer
from ..utils.types import Array

STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
"""Steps of the difference: the first is the most accurate, shorter ones may fit between kinks."""
ROUNDING_OF_VALUES = 1e-6
"""Rounding hides errors in derivatives below this share of the function's values."""
SMALLEST_SCALE = 1e-12
GOOD_ENOUGH = 1e-8
"""At this relative error no shorter step is tried."""
SHOWN_ERRORS = 20
"""Rows that the repr of a report shows."""


@dataclass(frozen=True, repr=False)
class GradientReport:
    """What was checked, and the relative error of each derivative.

    ``print(report)`` shows all of them, ``repr`` the largest.

    Attributes
    ----------
    errors : dict of str to float
        Relative error by what was compared.
    """

    errors: dict[str, float]

    @property
    def worst(self) -> float:
        """The largest relative error."""
        return max(self.errors.values())

    def __str__(self) -> str:
        return "\n".join(f"{error:9.1e}  {what}" for what, error in self.errors.items())

    def __repr__(self) -> str:
        largest = sorted(self.errors.items(), key=lambda item: -item[1])[:SHOWN_ERRORS]
        lines = [f"{error:9.1e}  {what}" for what, error in largest]
        left = len(self.errors) - len(lines)
        more = [f"{'...':>9}  {left} smaller ones: print(report)"] if left else []
        return "\n".join([f"{len(self.errors)} derivatives, relative errors:", *lines, *more])


@dataclass(frozen=True)
class Comparison:
    """A derivative along a direction, the central difference, and their relative error."""

    what: str
    analytic: float
    difference: float
    error: float


def report(comparisons: list[Comparison], tolerance: float) -> GradientReport:
    """Return all errors; GradientError for the first one above the tolerance."""
    for one in comparisons:
        if one.error > tolerance:
            raise GradientError(
                f"{one.what}: analytic {one.analytic:.9g}, "
                f"central difference {one.difference:.9g}, "
                f"relative error {one.error:.1e}, above the tolerance of {tolerance:g}"
            )
    return GradientReport({one.what: one.error for one in comparisons})


def compare(
    what: str,
    function: Callable[[Array], float],
    point: Array,
    gradient: Array,
    directions: list[Array],
) -> Comparison:
    """Return the worst of some directions, each with the step that agrees best."""
    norm = float(np.linalg.norm(gradient))
    worst = Comparison(what, 0.0, 0.0, -1.0)
    for direction in directions:
        analytic = float(np.sum(gradient * direction))
        best = Comparison(what, analytic, np.nan, np.inf)
        for step in STEPS:
            difference, size = _central_difference(function, point, direction, step)
            rounding = ROUNDING_OF_VALUES * size
            scale = max(norm, abs(analytic), abs(difference), rounding, SMALLEST_SCALE)
            error = abs(analytic - difference) / scale
            if error < best.error:
                best = Comparison(what, analytic, difference, error)
            if error < GOOD_ENOUGH:
                break
        if best.error > worst.error:
            worst = best
    return worst


def _central_difference(
    function: Callable[[Array], float], point: Array, direction: Array, step: float
) -> tuple[float, float]:
    """Return the four-point difference along the direction, and the size of its values."""
    length = max(1.0, float(np.abs(point).max())) / max(1.0, float(np.abs(direction).max()))
    h = step * length
    ahead = function(point + h * direction)
    behind = function(point - h * direction)
    far_ahead = function(point + 2 * h * direction)
    far_behind = function(point - 2 * h * direction)
    difference = (8 * (ahead - behind) - (far_ahead - far_behind)) / (12 * h)
    return difference, max(abs(ahead), abs(behind))


def rademacher(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> list[Array]:
    """Return random directions of +-1: no entry is missing in any of them."""
    return [rng.choice((-1.0, 1.0), size=shape) for _ in range(count)]


def compare_layer(
    name: str, layer: Layer, x: Array, count: int, rng: np.random.Generator
) -> list[Comparison]:
    """Compare the gradients of sum(dy * layer(x)), dy random, by input and by each parameter."""
    dy = rng.standard_normal(layer.forward(x).shape)
    layer.parameter_gradient(dy)
    by_input = np.array(layer.input_gradient(dy))
    by_parameter = {key: np.array(value) for key, value in layer.gradients.items()}

    def by_x(x: Array) -> float:
        return float(np.sum(dy * layer.forward(x)))

    directions = rademacher(x.shape, count, rng)
    comparisons = [compare(f"{name}, gradient by the input", by_x, x, by_input, directions)]
    for key, gradient in by_parameter.items():
        parameter = layer.parameters[key]
        start = parameter.copy()

        def by_value(value: Array, parameter: Array = parameter) -> float:
            parameter[...] = value
            return by_x(x)

        directions = rademacher(start.shape, count, rng)
        what = f"{name}, gradient by {key}"
        comparisons.append(compare(what, by_value, start, gradient, directions))
        parameter[...] = start
    layer.forward(x)
    return comparisons

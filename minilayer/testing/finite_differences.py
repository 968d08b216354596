"""Derivatives against central differences: the arithmetic of check_gradient and check_layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..errors import GradientError
from ..nn import Layer
from ..utils.types import Array
from .report_html import report_html

STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
"""Steps of the difference: the first is the most accurate, shorter ones may fit between kinks."""
ROUNDING_OF_VALUES = 1e-6
"""Rounding hides errors in derivatives below this share of the function's values."""
SMALLEST_SCALE = 1e-12
GOOD_ENOUGH = 1e-8
"""At this relative error no shorter step is tried."""
LONGEST_KINK_STEP = 1e-5
"""Longer steps do not tell a kink from a change of curvature."""
ROUNDINGS = 100
"""Errors of a value, in units of EPSILON, that a kink must exceed."""
EPSILON = float(np.finfo(np.float64).eps)
NEARBY = 1e-4
"""How far nearby points are, relative to the point's size."""
NEARBY_POINTS = 3
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

    def _repr_html_(self) -> str:
        return report_html(self.errors)


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
    gradient_at: Callable[[Array], Array] | None = None,
) -> Comparison:
    """Return the worst of some directions, each with the step that agrees best.

    A kink at the point has no derivative to compare with. Where the values show one, nearby points
    are compared instead, with ``gradient_at``, the same gradient at any point.
    """
    worst = Comparison(what, 0.0, 0.0, -1.0)
    for direction in directions:
        best = _best_step(what, function, point, gradient, direction)
        is_good = best.error < GOOD_ENOUGH
        if gradient_at and not is_good and _has_kink(function, point, direction):
            nearby = [
                _best_step(what, function, other, gradient_at(other), direction)
                for other in _nearby_points(point)
            ]
            best = min([best, *nearby], key=lambda one: one.error)
        if best.error > worst.error:
            worst = best
    return worst


def _best_step(
    what: str,
    function: Callable[[Array], float],
    point: Array,
    gradient: Array,
    direction: Array,
) -> Comparison:
    """Return the comparison with the step that agrees best."""
    norm = float(np.linalg.norm(gradient))
    analytic = float(np.sum(gradient * direction))
    best = Comparison(what, analytic, np.nan, np.inf)
    for step in STEPS:
        line = _Values.around(function, point, direction, step)
        rounding = ROUNDING_OF_VALUES * line.size
        scale = max(norm, abs(analytic), abs(line.difference), rounding, SMALLEST_SCALE)
        error = abs(analytic - line.difference) / scale
        if error < best.error:
            best = Comparison(what, analytic, line.difference, error)
        if error < GOOD_ENOUGH:
            break
    return best


def _has_kink(function: Callable[[Array], float], point: Array, direction: Array) -> bool:
    """Return whether values near the point show a kink along the direction."""
    here = function(point)
    return any(
        _Values.around(function, point, direction, step).shows_kink(here)
        for step in STEPS
        if step <= LONGEST_KINK_STEP
    )


def _nearby_points(point: Array) -> list[Array]:
    """Return points that no kink passes through, or a kink does so by chance."""
    rng = np.random.default_rng(0)
    size = NEARBY * max(1.0, float(np.abs(point).max()))
    return [point + size * rng.standard_normal(point.shape) for _ in range(NEARBY_POINTS)]


@dataclass(frozen=True)
class _Values:
    """A function's values at two points ahead on a line and at two behind."""

    h: float
    ahead: float
    far_ahead: float
    behind: float
    far_behind: float

    @classmethod
    def around(
        cls, function: Callable[[Array], float], point: Array, direction: Array, step: float
    ) -> Self:
        """Evaluate the function around the point; the step is relative to the point's size."""
        length = max(1.0, float(np.abs(point).max())) / max(1.0, float(np.abs(direction).max()))
        h = step * length
        return cls(
            h=h,
            ahead=function(point + h * direction),
            far_ahead=function(point + 2 * h * direction),
            behind=function(point - h * direction),
            far_behind=function(point - 2 * h * direction),
        )

    @property
    def difference(self) -> float:
        """The four-point difference, with an error of order h**4."""
        near = self.ahead - self.behind
        far = self.far_ahead - self.far_behind
        return (8 * near - far) / (12 * self.h)

    @property
    def size(self) -> float:
        """The size of the values."""
        return max(abs(self.ahead), abs(self.behind))

    def shows_kink(self, here: float) -> bool:
        """Return whether the slopes ahead and behind differ by more than rounding explains.

        Each is a three-point difference, in which curvature cancels.
        """
        near = self.ahead + self.behind
        far = self.far_ahead + self.far_behind
        jump = (4 * near - far - 6 * here) / (2 * self.h)
        return abs(jump) * self.h > ROUNDINGS * EPSILON * max(self.size, abs(here))


def rademacher(shape: tuple[int, ...], count: int, rng: np.random.Generator) -> list[Array]:
    """Return random directions of +-1: no entry is missing in any of them."""
    return [rng.choice((-1.0, 1.0), size=shape) for _ in range(count)]


def compare_layer(
    name: str, layer: Layer, x: Array, count: int, rng: np.random.Generator
) -> list[Comparison]:
    """Compare the gradients of sum(dy * layer(x)), dy random, by input and by each parameter."""
    dy = rng.standard_normal(layer.forward(x).shape)

    def by_x(x: Array) -> float:
        return float(np.sum(dy * layer.forward(x)))

    def gradient_by_x(x: Array) -> Array:
        layer.forward(x)
        layer.parameter_gradient(dy)
        return np.array(layer.input_gradient(dy))

    by_input = gradient_by_x(x)
    by_parameter = {key: np.array(value) for key, value in layer.gradients.items()}
    directions = rademacher(x.shape, count, rng)
    what = f"{name}, gradient by the input"
    comparisons = [compare(what, by_x, x, by_input, directions, gradient_by_x)]
    for key, gradient in by_parameter.items():
        start = layer.parameters[key].copy()

        def by_value(value: Array, key: str = key) -> float:
            layer.parameters[key][...] = value
            return by_x(x)

        def gradient_by_value(value: Array, key: str = key) -> Array:
            layer.parameters[key][...] = value
            gradient_by_x(x)
            return np.array(layer.gradients[key])

        directions = rademacher(start.shape, count, rng)
        what = f"{name}, gradient by {key}"
        comparisons.append(compare(what, by_value, start, gradient, directions, gradient_by_value))
        layer.parameters[key][...] = start
    layer.forward(x)
    return comparisons

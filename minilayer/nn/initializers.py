"""Where the parameters of a Dense layer start. An initializer fills ``theta`` (units, 1 + inputs) in place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import numpy as np

from ..utils.checks import check_number
from ..utils.types import Array


class Initializer(ABC):
    """A rule that fills theta, bias in column 0, from a random generator."""

    @abstractmethod
    def fill(self, theta: Array, rng: np.random.Generator) -> None:
        """Write the start into ``theta`` of shape (units, 1 + inputs)."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@final
class Glorot(Initializer):
    """Weights uniform in +-sqrt(6 / (inputs + units)), biases 0 (Glorot and Bengio, 2010). The default.

    >>> theta = np.empty((2, 4))
    >>> Glorot().fill(theta, np.random.default_rng(0))
    >>> bool((theta[:, 0] == 0).all() and (abs(theta) <= np.sqrt(6 / 5)).all())
    True
    """

    def fill(self, theta: Array, rng: np.random.Generator) -> None:
        theta[:, 0] = 0.0
        theta[:, 1:] = _symmetric(theta[:, 1:].shape, _fan_epsilon(theta), rng)


@final
class UniformEpsilon(Initializer):
    """All of theta, biases too, uniform in +-epsilon: the exercise's ``randInitializeWeights``.

    Without ``epsilon`` it is sqrt(6) / sqrt(inputs + units), the exercise's advice. ``UniformEpsilon(0.125)`` is the
    article's ``(rand - 0.5) * 0.25``, number for number.

    >>> theta = np.empty((1, 2))
    >>> UniformEpsilon(0.125).fill(theta, np.random.default_rng(0))
    >>> bool((theta == (np.random.default_rng(0).random((1, 2)) - 0.5) * 0.25).all())
    True
    """

    def __init__(self, epsilon: float | None = None) -> None:
        self.epsilon = None if epsilon is None else check_number("epsilon", epsilon, above=True)

    def fill(self, theta: Array, rng: np.random.Generator) -> None:
        theta[:] = _symmetric(theta.shape, _fan_epsilon(theta) if self.epsilon is None else self.epsilon, rng)

    def __repr__(self) -> str:
        return f"UniformEpsilon({'' if self.epsilon is None else self.epsilon})"


@final
class Zeros(Initializer):
    """All zeros: right for a single layer (logistic or linear regression), where nothing must break symmetry.

    >>> theta = np.ones((1, 2))
    >>> Zeros().fill(theta, np.random.default_rng(0))
    >>> theta
    array([[0., 0.]])
    """

    def fill(self, theta: Array, rng: np.random.Generator) -> None:
        theta[:] = 0.0


def _symmetric(shape: tuple[int, ...], epsilon: float, rng: np.random.Generator) -> Array:
    return (rng.random(shape) - 0.5) * (2 * epsilon)


def _fan_epsilon(theta: Array) -> float:
    units, columns = theta.shape
    return float(np.sqrt(6) / np.sqrt(units + columns - 1))

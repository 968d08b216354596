"""Initializers: where the parameters of a layer start."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np

from ..utils.checks import check_number, short_repr
from ..utils.types import Array
from .configured import Configured, ConfigValue, identity, register


class Initializer(Configured, ABC):
    """A rule for starting values. Layers of your own can use it as Dense does.

    Attributes
    ----------
    draws_biases : bool
        Whether Dense draws its biases with the weights; if not, they start at 0.
    """

    is_storable = True
    draws_biases: ClassVar[bool] = False

    @abstractmethod
    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> Array:
        """Return starting values.

        Parameters
        ----------
        shape : tuple of int
            The shape of the result.
        fan_in, fan_out : int
            Number of inputs and of units of the layer.
        rng : numpy.random.Generator
            The source of randomness.

        Returns
        -------
        ndarray
            float64 values of that shape.
        """


@final
@register
class Glorot(Initializer):
    """Weights uniform in +-sqrt(6 / (fan_in + fan_out)), biases 0.

    References
    ----------
    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
    2010.

    Examples
    --------
    >>> values = Glorot().sample((2, 3), 3, 2, np.random.default_rng(0))
    >>> bool((abs(values) <= np.sqrt(6 / 5)).all())
    True
    """

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> Array:
        return _uniform(shape, _fan_epsilon(fan_in, fan_out), rng)


@final
@register
class UniformEpsilon(Initializer):
    """Weights and biases uniform in +-epsilon: ``randInitializeWeights`` of exercise 4.

    Without epsilon it is the default of Dense, and what scikit-learn's MLP does.

    ``UniformEpsilon(0.125)`` gives the article's ``(rand - 0.5) * 0.25``, number for number.

    Parameters
    ----------
    epsilon : float, optional
        Half the width; default sqrt(6) / sqrt(fan_in + fan_out), the exercise's advice.

    Examples
    --------
    >>> start = UniformEpsilon(0.125).sample((1, 2), 1, 1, np.random.default_rng(0))
    >>> bool((start == (np.random.default_rng(0).random((1, 2)) - 0.5) * 0.25).all())
    True
    """

    draws_biases = True

    def __init__(self, epsilon: float | None = None) -> None:
        self.epsilon = None if epsilon is None else check_number("epsilon", epsilon, above=True)

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> Array:
        epsilon = _fan_epsilon(fan_in, fan_out) if self.epsilon is None else self.epsilon
        return _uniform(shape, epsilon, rng)

    def __repr__(self) -> str:
        return f"UniformEpsilon({'' if self.epsilon is None else self.epsilon})"


@final
@register
class Zeros(Initializer):
    """All zeros: right for a single layer, such as logistic regression; deeper ones need Glorot.

    Examples
    --------
    >>> Zeros().sample((1, 2), 2, 1, np.random.default_rng(0))
    array([[0., 0.]])
    """

    def sample(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> Array:
        return np.zeros(shape)


def sample_of(
    initializer: Initializer,
    shape: tuple[int, ...],
    fan_in: int,
    fan_out: int,
    rng: np.random.Generator,
) -> Array:
    """Return an initializer's sample; ValueError names one that gives anything else."""
    sample = initializer.sample(shape, fan_in, fan_out, rng)
    expected = f"initializer: expected {initializer!r}.sample to return"
    if not isinstance(sample, np.ndarray) or sample.shape != shape:
        raise ValueError(f"{expected} an array of shape {shape}, found {short_repr(sample)}")
    if not np.isfinite(sample).all():
        raise ValueError(f"{expected} finite numbers, found others")
    return sample


def without_initializers(config: Mapping[str, ConfigValue]) -> dict[str, object]:
    """Return what decides a layer's computation: its configuration apart from where it started.

    The values are those of ``identity``.
    """
    return {
        name: identity(value)
        for name, value in config.items()
        if not isinstance(value, Initializer)
    }


def _uniform(shape: tuple[int, ...], epsilon: float, rng: np.random.Generator) -> Array:
    return (rng.random(shape) - 0.5) * (2 * epsilon)


def _fan_epsilon(fan_in: int, fan_out: int) -> float:
    return float(np.sqrt(6) / np.sqrt(fan_in + fan_out))

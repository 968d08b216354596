"""Schedules: how the learning rate changes during a run."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import final

from ...utils.checks import check_count, check_instance, check_number
from ...utils.reprs import check_shows_arguments, constructor_repr


class Schedule(ABC):
    """A factor of the learning rate as a function of the iterations so far.

    A minibatch has its share of an epoch as a fraction. A run's identity contains the ``repr``, so
    that must show every argument.
    """

    @abstractmethod
    def __call__(self, iterations: float) -> float:
        """Return the factor, at most 1, after so many iterations."""

    def __repr__(self) -> str:
        return constructor_repr(self)


@final
class StepDecay(Schedule):
    """factor**k after k times ``every`` iterations.

    Parameters
    ----------
    every : int
        Iterations between two steps.
    factor : float, default 0.5
        In (0, 1].

    Raises
    ------
    TypeError, ValueError
        For arguments out of range.

    Examples
    --------
    >>> [StepDecay(10, 0.5)(iterations) for iterations in (0, 9.9, 10, 20)]
    [1.0, 1.0, 0.5, 0.25]
    """

    def __init__(self, every: int, factor: float = 0.5) -> None:
        self.every = check_count("every", every)
        self.factor = _share("factor", factor)

    def __call__(self, iterations: float) -> float:
        return float(self.factor ** (iterations // self.every))


@final
class ExponentialDecay(Schedule):
    """factor**iterations.

    Parameters
    ----------
    factor : float
        In (0, 1].

    Raises
    ------
    TypeError, ValueError
        For a factor out of range.

    Examples
    --------
    >>> ExponentialDecay(0.5)(2)
    0.25
    """

    def __init__(self, factor: float) -> None:
        self.factor = _share("factor", factor)

    def __call__(self, iterations: float) -> float:
        return float(self.factor**iterations)


@final
class InverseTimeDecay(Schedule):
    """1 / (1 + decay iterations): stochastic gradients converge (Robbins and Monro, 1951).

    Parameters
    ----------
    decay : float
        At least 0.

    Raises
    ------
    TypeError, ValueError
        For a decay out of range.

    Examples
    --------
    >>> InverseTimeDecay(0.5)(2)
    0.5
    """

    def __init__(self, decay: float) -> None:
        self.decay = check_number("decay", decay)

    def __call__(self, iterations: float) -> float:
        return 1 / (1 + self.decay * iterations)


@final
class CosineDecay(Schedule):
    """Half a cosine from 1 to ``minimum``, and ``minimum`` from then on.

    Parameters
    ----------
    iterations : int
        Until the minimum.
    minimum : float, default 0
        In [0, 1].

    Raises
    ------
    TypeError, ValueError
        For arguments out of range.

    References
    ----------
    Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017.

    Examples
    --------
    >>> [round(CosineDecay(10, 0.1)(iterations), 3) for iterations in (0, 5, 10, 20)]
    [1.0, 0.55, 0.1, 0.1]
    """

    def __init__(self, iterations: int, minimum: float = 0.0) -> None:
        self.iterations = check_count("iterations", iterations)
        self.minimum = check_number("minimum", minimum)
        if self.minimum > 1:
            raise ValueError(f"minimum: expected a number up to 1, found {minimum}")

    def __call__(self, iterations: float) -> float:
        done = min(iterations / self.iterations, 1.0)
        return self.minimum + (1 - self.minimum) * (1 + math.cos(math.pi * done)) / 2


@final
class Warmup(Schedule):
    """A straight line from 1 / (n + 1) up to 1 in n iterations, then another schedule.

    Parameters
    ----------
    iterations : int
        The length of the line.
    then : Schedule, optional
        Begins after the line; default: stay at 1.

    Raises
    ------
    TypeError, ValueError
        For arguments of another kind.

    Examples
    --------
    >>> [Warmup(3)(iterations) for iterations in (0, 1, 3, 9)], Warmup(3, StepDecay(1))(4)
    ([0.25, 0.5, 1.0, 1.0], 0.5)
    """

    def __init__(self, iterations: int, then: Schedule | None = None) -> None:
        self.iterations = check_count("iterations", iterations)
        if then is not None:
            check_instance("then", then, Schedule, "a Schedule such as CosineDecay(100)")
            check_shows_arguments("then", then, Schedule)
        self.then = then

    def __call__(self, iterations: float) -> float:
        if iterations < self.iterations:
            return (iterations + 1) / (self.iterations + 1)
        return 1.0 if self.then is None else self.then(iterations - self.iterations)


def _share(name: str, value: object) -> float:
    number = check_number(name, value, above=True)
    if number > 1:
        raise ValueError(f"{name}: expected a number up to 1, found {value}")
    return number

"""Schedules: how the learning rate changes as a run goes on."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import final

from ...utils.checks import check_count, check_instance, check_number


class Schedule(ABC):
    """The factor of the learning rate after so many iterations; of an epoch's batches each has its share of one.

    ``repr`` is how one would write the schedule: it is part of a run's identity.
    """

    @abstractmethod
    def __call__(self, iterations: float) -> float:
        """The factor, at most 1."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


@final
class StepDecay(Schedule):
    """factor**k after the k-th ``every`` iterations.

    >>> [StepDecay(10, 0.5)(iterations) for iterations in (0, 9.9, 10, 20)]
    [1.0, 1.0, 0.5, 0.25]
    """

    def __init__(self, every: int, factor: float = 0.5) -> None:
        self.every, self.factor = check_count("every", every), _share("factor", factor)

    def __call__(self, iterations: float) -> float:
        return float(self.factor ** (iterations // self.every))


@final
class ExponentialDecay(Schedule):
    """factor**iterations.

    >>> ExponentialDecay(0.5)(2)
    0.25
    """

    def __init__(self, factor: float) -> None:
        self.factor = _share("factor", factor)

    def __call__(self, iterations: float) -> float:
        return float(self.factor**iterations)


@final
class InverseTimeDecay(Schedule):
    """1 / (1 + decay iterations): slow enough for stochastic gradients to converge (Robbins and Monro, 1951).

    >>> InverseTimeDecay(0.5)(2)
    0.5
    """

    def __init__(self, decay: float) -> None:
        self.decay = check_number("decay", decay)

    def __call__(self, iterations: float) -> float:
        return 1 / (1 + self.decay * iterations)


@final
class CosineDecay(Schedule):
    """Half a cosine from 1 to ``minimum`` in so many iterations, ``minimum`` from then on (Loshchilov, Hutter, 2017).

    >>> [round(CosineDecay(10, 0.1)(iterations), 3) for iterations in (0, 5, 10, 20)]
    [1.0, 0.55, 0.1, 0.1]
    """

    def __init__(self, iterations: int, minimum: float = 0.0) -> None:
        self.iterations, self.minimum = check_count("iterations", iterations), check_number("minimum", minimum)
        if self.minimum > 1:
            raise ValueError(f"minimum: expected a number up to 1, found {minimum}")

    def __call__(self, iterations: float) -> float:
        done = min(iterations / self.iterations, 1.0)
        return self.minimum + (1 - self.minimum) * (1 + math.cos(math.pi * done)) / 2


@final
class Warmup(Schedule):
    """A straight line from 1 / (n + 1) up to 1 in n iterations; then the other schedule, from its start, if any.

    >>> [Warmup(3)(iterations) for iterations in (0, 1, 3, 9)], Warmup(3, StepDecay(1))(4)
    ([0.25, 0.5, 1.0, 1.0], 0.5)
    """

    def __init__(self, iterations: int, then: Schedule | None = None) -> None:
        self.iterations = check_count("iterations", iterations)
        if then is not None:
            check_instance("then", then, Schedule, "a Schedule such as CosineDecay(100)")
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

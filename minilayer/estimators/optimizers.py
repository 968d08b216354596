"""The steps of adam and sgd as scikit-learn makes them, from minilayer's update rules."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Literal, final

from ..training.methods import Adam, Momentum
from ..utils.types import Array, State

LearningRate = Literal["constant", "invscaling", "adaptive"]
ADAPTIVE_FACTOR = 0.2
"""Of the learning rate, after each stall."""
MIN_ADAPTIVE_RATE = 1e-6
"""An adaptive learning rate that is no larger ends the training at the next stall."""


class Optimizer(ABC):
    """Makes a step of the gradient of each minibatch, and remembers what the next step needs.

    Attributes
    ----------
    learning_rate : float
        Of the next step.
    """

    name: ClassVar[str]
    learning_rate: float

    @abstractmethod
    def step(self, gradient: Array) -> Array:
        """Return what to add to the parameters."""

    def end_epoch(self, samples_seen: int) -> None:
        """Adapt the learning rate after an epoch; here it stays."""

    def goes_on_after_stall(self) -> bool:
        """Return whether a smaller learning rate is to be tried; here not."""
        return False


@final
class AdamOptimizer(Optimizer):
    """Adam, with epsilon outside of the correction of the means: scikit-learn's form."""

    name = "adam"

    def __init__(
        self, size: int, learning_rate: float, beta_1: float, beta_2: float, epsilon: float
    ) -> None:
        self.learning_rate = learning_rate
        self._beta_1 = beta_1
        self._beta_2 = beta_2
        self._epsilon = epsilon
        self._state: State = Adam().init(size)

    def step(self, gradient: Array) -> Array:
        correction = math.sqrt(1 - self._beta_2 ** (self._state["steps"] + 1))
        rule = Adam(beta1=self._beta_1, beta2=self._beta_2, epsilon=self._epsilon / correction)
        step, self._state = rule.update(self._state, gradient, self.learning_rate)
        return step


@final
class SGDOptimizer(Optimizer):
    """Gradient descent with momentum.

    The learning rate is constant. Or it is ``learning_rate / (samples + 1) ** power_t`` after so
    many samples ("invscaling"), or a fifth of it after each stall ("adaptive").
    """

    name = "sgd"

    def __init__(
        self,
        size: int,
        learning_rate: float,
        *,
        schedule: LearningRate,
        power_t: float,
        momentum: float,
        nesterov: bool,
    ) -> None:
        self.learning_rate = learning_rate
        self._start_rate = learning_rate
        self._schedule = schedule
        self._power_t = power_t
        self._rule = Momentum(momentum, nesterov)
        self._state: State = self._rule.init(size)

    def step(self, gradient: Array) -> Array:
        step, self._state = self._rule.update(self._state, gradient, self.learning_rate)
        return step

    def end_epoch(self, samples_seen: int) -> None:
        if self._schedule == "invscaling":
            self.learning_rate = self._start_rate / (samples_seen + 1) ** self._power_t

    def goes_on_after_stall(self) -> bool:
        if self._schedule != "adaptive" or self.learning_rate <= MIN_ADAPTIVE_RATE:
            return False
        self.learning_rate *= ADAPTIVE_FACTOR
        return True

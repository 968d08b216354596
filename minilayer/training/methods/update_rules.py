"""Rules: how gradient descent makes a step of a gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import numpy as np

from ...utils.checks import check_flag, check_number
from ...utils.types import Array, State


class Rule(ABC):
    """A step from a gradient, the learning rate and what the rule remembers of the steps before.

    What it remembers are numbers and float64 arrays by name, so that they can go into a checkpoint; ``step`` gives new
    ones and leaves the old alone. ``repr`` is how one would write the rule: it is part of a run's identity.
    """

    @abstractmethod
    def start(self, size: int) -> State:
        """What is remembered before the first step, for that many parameters."""

    @abstractmethod
    def step(self, state: State, gradient: Array, rate: float) -> tuple[Array, State]:
        """What to add to the parameters, and what to remember."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


@final
class Momentum(Rule):
    """v <- momentum v - rate gradient, the step being v (Polyak, 1964).

    With ``nesterov`` it is momentum v - rate gradient with that new v, which is Nesterov's (1983) method seen from
    where the gradient is taken (Sutskever, Martens, Dahl and Hinton, 2013).

    Raises TypeError or ValueError for a momentum outside [0, 1).

    >>> step, state = Momentum(0.9).step({"velocity": np.array([1.0])}, np.array([2.0]), 0.1)
    >>> step.round(9)
    array([0.7])
    """

    def __init__(self, momentum: float = 0.0, nesterov: bool = False) -> None:
        self.momentum = _below_one("momentum", momentum)
        self.nesterov = check_flag("nesterov", nesterov)

    def start(self, size: int) -> State:
        return {"velocity": np.zeros(size)}

    def step(self, state: State, gradient: Array, rate: float) -> tuple[Array, State]:
        velocity = self.momentum * state["velocity"]
        velocity -= rate * gradient
        step = self.momentum * velocity - rate * gradient if self.nesterov else velocity
        return step, {"velocity": velocity}


@final
class Adam(Rule):
    """Kingma and Ba's (2015): the step is -rate m / (sqrt(s) + epsilon).

    m and s are running means of the gradient and of its square, m <- beta1 m + (1 - beta1) gradient and
    s <- beta2 s + (1 - beta2) gradient**2, divided by 1 - beta**t at step t, for they start from 0.

    Raises TypeError or ValueError for betas outside [0, 1) and an epsilon not above 0.

    >>> rule = Adam()
    >>> step, state = rule.step(rule.start(2), np.array([5.0, -0.1]), 0.01)
    >>> step.round(6)  # the rate, whatever the size of the first gradient
    array([-0.01,  0.01])
    """

    def __init__(self, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta1, self.beta2 = _below_one("beta1", beta1), _below_one("beta2", beta2)
        self.epsilon = check_number("epsilon", epsilon, above=True)

    def start(self, size: int) -> State:
        return {"mean": np.zeros(size), "square": np.zeros(size), "steps": 0}

    def step(self, state: State, gradient: Array, rate: float) -> tuple[Array, State]:
        steps = state["steps"] + 1
        mean = self.beta1 * state["mean"]
        mean += (1 - self.beta1) * gradient
        square = gradient * gradient
        square *= 1 - self.beta2
        square += self.beta2 * state["square"]
        step = square / (1 - self.beta2**steps)
        np.sqrt(step, out=step)
        step += self.epsilon
        np.divide(mean, step, out=step)
        step *= -rate / (1 - self.beta1**steps)
        return step, {"mean": mean, "square": square, "steps": steps}


def _below_one(name: str, value: object) -> float:
    number = check_number(name, value)
    if number >= 1:
        raise ValueError(f"{name}: expected a number below 1, found {value}")
    return number

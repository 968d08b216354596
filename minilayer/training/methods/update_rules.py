"""Update rules: how gradient descent makes a step of a gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import numpy as np

from ...utils.checks import check_flag, check_number
from ...utils.reprs import constructor_repr
from ...utils.types import Array, State
from ..resume.state_check import Anything, Count, Entries, Expected, Floats


class Rule(ABC):
    """A step from a gradient, the learning rate and the state of the steps before.

    The state holds numbers and float64 arrays by name, so that a checkpoint can store it. A run's
    identity contains the ``repr``, so that must show every argument.
    """

    @abstractmethod
    def init(self, size: int) -> State:
        """Return the state before the first step.

        Parameters
        ----------
        size : int
            Number of parameters.

        Returns
        -------
        dict
            Numbers and float64 arrays by name.
        """

    @abstractmethod
    def update(self, state: State, gradient: Array, learning_rate: float) -> tuple[Array, State]:
        """Return a step and the new state; the old one stays as it is.

        Parameters
        ----------
        state : dict
            Of the last update, or of ``init``.
        gradient : ndarray, shape (n,)
            At the current point.
        learning_rate : float
            The schedule's factor included.

        Returns
        -------
        step : ndarray, shape (n,)
            What to add to the parameters.
        state : dict
            For the next update.
        """

    def expected_state(self, size: int) -> Expected:
        """Return a description of the state, which a checkpoint's is checked against.

        Parameters
        ----------
        size : int
            Number of parameters.

        Returns
        -------
        Expected
            Names, kinds and shapes; by default any.
        """
        return Anything()

    def __repr__(self) -> str:
        return constructor_repr(self)


@final
class Momentum(Rule):
    """v <- momentum v - learning_rate gradient, and the step is v (Polyak, 1964).

    With ``nesterov`` the step is momentum v - learning_rate gradient with the new v. This is
    Nesterov's method (1983) seen from where the gradient is taken (Sutskever, Martens, Dahl and
    Hinton, 2013).

    Parameters
    ----------
    momentum : float, default 0
        In [0, 1).
    nesterov : bool, default False
        Whether to take Nesterov's step.

    Raises
    ------
    TypeError, ValueError
        For a momentum outside [0, 1).

    Examples
    --------
    >>> step, state = Momentum(0.9).update({"velocity": np.array([1.0])}, np.array([2.0]), 0.1)
    >>> step.round(9)
    array([0.7])
    """

    def __init__(self, momentum: float = 0.0, nesterov: bool = False) -> None:
        self.momentum = _below_one("momentum", momentum)
        self.nesterov = check_flag("nesterov", nesterov)

    def init(self, size: int) -> State:
        return {"velocity": np.zeros(size)}

    def expected_state(self, size: int) -> Expected:
        return Entries({"velocity": Floats((size,))})

    def update(self, state: State, gradient: Array, learning_rate: float) -> tuple[Array, State]:
        velocity = self.momentum * state["velocity"]
        velocity -= learning_rate * gradient
        step = velocity
        if self.nesterov:
            step = self.momentum * velocity - learning_rate * gradient
        return step, {"velocity": velocity}


@final
class Adam(Rule):
    """The step -learning_rate m / (sqrt(s) + epsilon), with running means m and s.

    m <- beta1 m + (1 - beta1) gradient and s <- beta2 s + (1 - beta2) gradient**2, divided by
    1 - beta**t at step t because they start from 0.

    Parameters
    ----------
    beta1, beta2 : float, default 0.9 and 0.999
        In [0, 1).
    epsilon : float, default 1e-8
        Above 0.

    Raises
    ------
    TypeError, ValueError
        For arguments out of range.

    References
    ----------
    Kingma and Ba, Adam: a method for stochastic optimization, 2015.

    Examples
    --------
    >>> rule = Adam()
    >>> step, state = rule.update(rule.init(2), np.array([5.0, -0.1]), 0.01)
    >>> step.round(6)  # the learning rate, whatever the size of the first gradient
    array([-0.01,  0.01])
    """

    def __init__(self, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta1 = _below_one("beta1", beta1)
        self.beta2 = _below_one("beta2", beta2)
        self.epsilon = check_number("epsilon", epsilon, above=True)

    def init(self, size: int) -> State:
        return {"mean": np.zeros(size), "square": np.zeros(size), "steps": 0}

    def expected_state(self, size: int) -> Expected:
        vector = Floats((size,))
        return Entries({"mean": vector, "square": vector, "steps": Count()})

    def update(self, state: State, gradient: Array, learning_rate: float) -> tuple[Array, State]:
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
        step *= -learning_rate / (1 - self.beta1**steps)
        return step, {"mean": mean, "square": square, "steps": steps}


def _below_one(name: str, value: object) -> float:
    number = check_number(name, value)
    if number >= 1:
        raise ValueError(f"{name}: expected a number below 1, found {value}")
    return number

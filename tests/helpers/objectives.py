"""Objectives around other objectives. Each overrides what it is for and inherits all else.

Objectives that do not derive from ProblemWrapper, which trainers accept too, are in
training/test_problem.py.
"""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minilayer as ml
from minilayer.training import CostAndGradient
from minilayer.training.problem import ValidationRowsLike
from minilayer.utils.row_source import RowsLike
from minilayer.utils.types import Array
from tests.helpers.clock import FakeClock
from tests.helpers.problems import START, rosenbrock, rosenbrock_hessian

Alter = Callable[[float, Array], Any]
"""A function of cost and gradient that returns what the objective returns instead."""


class Rosenbrock(ml.ProblemWrapper):
    """Rosenbrock's function with its Hessian products."""

    def __init__(self) -> None:
        super().__init__(rosenbrock)

    def hessp(self, x: Array, v: Array, /, **options: bool) -> Array:
        return np.asarray(rosenbrock_hessian(x, **options) @ v)

    def require_hessian_support(self, gauss_newton: bool = False, /) -> None:
        """Raise nothing: there are products, though the function has none."""


class RosenbrockOfANetwork(ml.ProblemWrapper):
    """Rosenbrock's function * 1000 of the two parameters of a network, which files can hold.

    LBFGS needs several evaluations in some of its line searches.
    """

    def __init__(self) -> None:
        model = ml.mlp(1, 1, initializer=ml.Zeros())
        super().__init__(ml.Objective(model, [[1.0]], [[1.0]], ml.SquaredError()))
        self.set_parameters(np.array(START))

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        cost, gradient = rosenbrock(x)
        return 1000 * cost, 1000 * gradient


class Bowl(Rosenbrock):
    """x @ x / 2 with its Hessian products."""

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        return float(x @ x) / 2, x.copy()

    def hessp(self, x: Array, v: Array, /, **options: bool) -> Array:
        return v.copy()


class Recorded(ml.ProblemWrapper):
    """Records what it is asked for and what it returns.

    ``gradients`` are the arrays that were returned, not copies.
    """

    def __init__(self, objective: CostAndGradient) -> None:
        super().__init__(objective)
        self.points: list[Array] = []
        self.costs: list[float] = []
        self.gradients: list[Array] = []
        self.gauss_newton: list[bool] = []
        """One entry a Hessian product."""
        self.minibatches: list[list[int]] = []

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        self.points.append(x.copy())
        cost, gradient = super().__call__(x)
        self.costs.append(cost)
        self.gradients.append(gradient)
        return cost, gradient

    def hessp(self, x: Array, v: Array, /, **options: bool) -> Array:
        self.gauss_newton.append(options.get("gauss_newton", False))
        return super().hessp(x, v, **options)

    def minibatch(self, x: Array, rows: Array, /) -> tuple[float, Array]:
        self.minibatches.append(rows.tolist())
        return super().minibatch(x, rows)


class Altered(ml.ProblemWrapper):
    """Returns other values: in all evaluations, or only in one of them, counted from 1."""

    def __init__(
        self, objective: CostAndGradient, alter: Alter, *, only: int | None = None
    ) -> None:
        super().__init__(objective)
        self.evaluations = 0
        self._alter = alter
        self._only = only

    def __call__(self, x: Array, /) -> Any:
        self.evaluations += 1
        values = super().__call__(x)
        return self._alter(*values) if self._only in (None, self.evaluations) else values


class AlteredMinibatches(ml.ProblemWrapper):
    """Returns other values: for all minibatches, or only for one of them, counted from 1."""

    def __init__(
        self, objective: CostAndGradient, alter: Alter, *, only: int | None = None
    ) -> None:
        super().__init__(objective)
        self.minibatches = 0
        self._alter = alter
        self._only = only

    def minibatch(self, x: Array, rows: Array, /) -> Any:
        self.minibatches += 1
        values = super().minibatch(x, rows)
        return self._alter(*values) if self._only in (None, self.minibatches) else values


class AlteredProducts(ml.ProblemWrapper):
    """Returns other Hessian products."""

    def __init__(self, objective: CostAndGradient, alter: Callable[[Array], Array]) -> None:
        super().__init__(objective)
        self._alter = alter

    def hessp(self, x: Array, v: Array, /, **options: bool) -> Array:
        return self._alter(super().hessp(x, v, **options))


class Killed(ml.ProblemWrapper):
    """Kills its process, as kill -9 does, after so many evaluations and Hessian products."""

    def __init__(self, objective: CostAndGradient, after: int) -> None:
        super().__init__(objective)
        self._left = after

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        self._count()
        return super().__call__(x)

    def hessp(self, x: Array, v: Array, /, **options: bool) -> Array:
        self._count()
        return super().hessp(x, v, **options)

    def _count(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


class Interrupted(ml.ProblemWrapper):
    """Raises KeyboardInterrupt in one evaluation, counted from 1, as Ctrl-C does."""

    def __init__(self, objective: CostAndGradient, at: int) -> None:
        super().__init__(objective)
        self.costs: list[float] = []
        """Of the evaluations that were not interrupted."""
        self._evaluations = 0
        self._at = at

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        self._evaluations += 1
        cost, gradient = super().__call__(x)
        if self._evaluations == self._at:
            raise KeyboardInterrupt
        self.costs.append(cost)
        return cost, gradient


class OneArray(ml.ProblemWrapper):
    """Returns each gradient in the same array, which the next evaluation overwrites."""

    def __init__(self, objective: CostAndGradient, size: int) -> None:
        super().__init__(objective)
        self._array = np.empty(size)

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        cost, self._array[:] = super().__call__(x)
        return cost, self._array


class Slow(ml.ProblemWrapper):
    """Takes so many seconds of a fake clock for each evaluation and each minibatch."""

    def __init__(self, objective: CostAndGradient, clock: FakeClock, seconds: float) -> None:
        super().__init__(objective)
        self.minibatches = 0
        self._clock = clock
        self._seconds = seconds

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        self._clock.advance(self._seconds)
        return super().__call__(x)

    def minibatch(self, x: Array, rows: Array, /) -> tuple[float, Array]:
        self.minibatches += 1
        self._clock.advance(self._seconds)
        return super().minibatch(x, rows)


class ScriptedValidation(Rosenbrock):
    """Its validation rows have these costs, iteration by iteration, whatever the point.

    The one prediction is minus the cost.
    """

    def __init__(self, costs: list[float]) -> None:
        super().__init__()
        self.costs = costs

    def validation_rows(self, X: RowsLike, Y: RowsLike, /) -> ValidationRowsLike:
        return _ScriptedRows(iter(self.costs))


class _ScriptedRows:
    def __init__(self, costs: Iterator[float]) -> None:
        self._costs = costs

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        cost = next(self._costs)
        return cost, np.array([[-cost]])

    def fingerprint(self) -> str:
        return "scripted"

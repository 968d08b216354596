"""The user's functions within a run: objective and callback.

A run defers Ctrl-C, as it could tear its history or the model, and ignores floating-point errors.
The user's functions see neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, final

import numpy as np

from ..utils.interrupts import interruptible
from ..utils.row_source import RowsLike
from ..utils.types import Array
from .problem import PreconditionerLike, ProblemWrapper, ValidationRowsLike

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class UserCode:
    """Calls functions that Ctrl-C ends at once, in NumPy's error state as it is now."""

    def __init__(self) -> None:
        self._error_state = np.geterr()

    def wrap(self, function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        """Return the function, to be called within a run."""

        def call(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
            with np.errstate(**self._error_state), interruptible():
                return function(*arguments, **options)

        return call


@final
class UserProblem(ProblemWrapper):
    """The user's objective within a run. What only takes or tells a result is not interrupted."""

    def __init__(self, problem: ProblemWrapper, user_code: UserCode) -> None:
        super().__init__(problem)
        wrap = user_code.wrap
        self._evaluate = wrap(problem.__call__)
        self._hessp = wrap(problem.hessp)
        self._minibatch = wrap(problem.minibatch)
        self._preconditioner = wrap(problem.preconditioner)
        self._validation_rows = wrap(problem.validation_rows)
        self._fingerprint = wrap(problem.fingerprint)

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        return self._evaluate(x)

    def hessp(self, x: Array, v: Array, /, **options: bool) -> Array:
        return self._hessp(x, v, **options)

    def minibatch(self, x: Array, rows: Array, /) -> tuple[float, Array]:
        return self._minibatch(x, rows)

    def preconditioner(self) -> PreconditionerLike | None:
        return self._preconditioner()

    def validation_rows(self, X: RowsLike, Y: RowsLike, /) -> ValidationRowsLike:
        return self._validation_rows(X, Y)

    def fingerprint(self) -> str:
        return self._fingerprint()

"""Problem: everything that a trainer may ask of an objective."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from ..errors import CurvatureError
from ..nn import Loss, Sequential
from ..utils.checks import check_numeric, check_vector, short_repr
from ..utils.row_source import RowsLike
from ..utils.types import Array

CostAndGradient = Callable[[Array], tuple[float, Array]]
"""The least that an objective is: a function of x that returns (cost, gradient)."""


class PreconditionerLike(Protocol):
    """A product v -> P v, with P symmetric positive definite and fixed until it is refreshed."""

    def refresh(self, x: Array, /) -> None:
        """Fit P to the objective at x."""

    def __call__(self, v: Array, /) -> Array:
        """Return P v, a new array."""


class ValidationRowsLike(Protocol):
    """Rows that training does not see, as a function of the parameters."""

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        """Return the mean loss and the predictions at x."""

    def fingerprint(self) -> str:
        """Return a checksum of the rows."""


class Problem(Protocol):
    """All that a trainer may ask of an objective. minilayer's ``Objective`` offers all of it.

    An objective of your own needs only ``__call__``. What else it offers, trainers use; what it
    lacks, ``ProblemWrapper`` refuses by name when a method asks for it.
    """

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        """Return cost and gradient at x."""

    @property
    def x0(self) -> Array | None:
        """Where training starts, if nothing else is given."""

    @property
    def l2(self) -> float:
        """The penalty; 0 for none. LBFGS preconditions if there is one."""

    @property
    def rows(self) -> int:
        """Number of rows that ``minibatch`` chooses from."""

    @property
    def model(self) -> Sequential:
        """The network that a checkpoint stores."""

    @property
    def loss(self) -> Loss | None:
        """The loss that a checkpoint stores, if there is one."""

    def set_parameters(self, x: Array, /) -> None:
        """Take x as the result."""

    def hessp(self, x: Array, v: Array, /, *, gauss_newton: bool = False) -> Array:
        """Return the product of the Hessian (or the Gauss-Newton matrix) at x with v."""

    def require_hessian_support(self, gauss_newton: bool, /) -> None:
        """Raise TypeError if there are no Hessian products."""

    def preconditioner(self) -> PreconditionerLike | None:
        """Return a preconditioner, or None."""

    def minibatch(self, x: Array, rows: Array, /) -> tuple[float, Array]:
        """Return cost and gradient at x estimated from some rows."""

    def shuffled_rows(self, rng: np.random.Generator, /) -> Iterator[Array]:
        """Yield all row numbers once, in random order, some at a time: those of an epoch."""

    def validation_rows(self, X: RowsLike, Y: RowsLike, /) -> ValidationRowsLike:
        """Return other rows of the same model and loss."""

    def fingerprint(self) -> str:
        """Return a checksum of all that an evaluation depends on, apart from x."""

    def advice(self, x: Array, /, *, success: bool) -> str:
        """Return a sentence for the message of a run that ended at x; "" if there is none."""

    def identity(self) -> Mapping[str, str]:
        """Return in words what the fingerprint depends on, so that differences can be named."""

    def progress_note(self) -> str:
        """Return what the progress bar shows of the last evaluation, such as "2e+06 rows/s"."""


class ProblemWrapper:
    """An objective as a Problem. What the objective lacks is refused by name.

    A class of your own that wraps an objective, for instance to count its evaluations, derives from
    this one. It overrides what is to differ and inherits every other capability of the objective.

    Parameters
    ----------
    objective : callable
        A function x -> (cost, gradient), with or without the other members of Problem.

    Attributes
    ----------
    objective : callable
        As given.

    Raises
    ------
    TypeError
        For an objective that is not callable.

    Examples
    --------
    >>> from minilayer import LBFGS
    >>> class Counted(ProblemWrapper):
    ...     calls = 0
    ...     def __call__(self, x):
    ...         self.calls += 1
    ...         return super().__call__(x)
    >>> counted = Counted(lambda x: (x @ x / 2, x))
    >>> LBFGS().minimize(counted, [4.0, -2.0]).nfev == counted.calls
    True
    """

    def __init__(self, objective: CostAndGradient) -> None:
        is_function = callable(objective) and not isinstance(objective, (type, Sequential))
        if not is_function:
            raise TypeError(
                "objective: expected a function x -> (cost, gradient), "
                f"such as Objective(model, X, Y, loss), found {short_repr(objective)}"
            )
        self.objective = objective

    def __call__(self, x: Array, /) -> tuple[float, Array]:
        """Return cost and gradient at x."""
        return self.objective(x)

    @property
    def x0(self) -> Array | None:
        """Where training starts, or None."""
        own: Array | None = getattr(self.objective, "x0", None)
        return own

    @property
    def l2(self) -> float:
        """The penalty; 0 for none."""
        return float(getattr(self.objective, "l2", 0.0))

    @property
    def rows(self) -> int:
        """Number of rows."""
        own: int = self._member("rows", "batch_size: expected an Objective, which has rows")
        return own

    @property
    def model(self) -> Sequential:
        """The network that a checkpoint stores."""
        own: Sequential = self._member("model", "checkpoint: expected an Objective with a model")
        return own

    @property
    def loss(self) -> Loss | None:
        """The loss that a checkpoint stores; None if there is none."""
        own = getattr(self.objective, "loss", None)
        return own if isinstance(own, Loss) else None

    def set_parameters(self, x: Array, /) -> None:
        """Take x as the result; a plain function does nothing."""
        if hasattr(self.objective, "set_parameters"):
            self.objective.set_parameters(x)

    def hessp(self, x: Array, v: Array, /, **options: bool) -> Array:
        """Return the product of the Hessian at x with v."""
        product: Array = self._member("hessp", _NO_HESSP)(x, v, **options)
        return product

    def require_hessian_support(self, gauss_newton: bool = False, /) -> None:
        """Raise CurvatureError if there are no Hessian products."""
        if hasattr(self.objective, "require_hessian_support"):
            self.objective.require_hessian_support(gauss_newton)
        if not hasattr(self.objective, "hessp"):
            raise CurvatureError(f"{_NO_HESSP}, found {short_repr(self.objective)}")

    def preconditioner(self) -> PreconditionerLike | None:
        """Return a preconditioner, or None."""
        if not hasattr(self.objective, "preconditioner"):
            return None
        own: PreconditionerLike | None = self.objective.preconditioner()
        return own

    def minibatch(self, x: Array, rows: Array, /) -> tuple[float, Array]:
        """Return cost and gradient at x estimated from some rows."""
        expected = "batch_size: expected an Objective, which has minibatches"
        estimate: tuple[float, Array] = self._member("minibatch", expected)(x, rows)
        return estimate

    def shuffled_rows(self, rng: np.random.Generator, /) -> Iterator[Array]:
        """Yield all row numbers once, in random order; any order unless the objective says."""
        if hasattr(self.objective, "shuffled_rows"):
            yield from self.objective.shuffled_rows(rng)
        else:
            yield rng.permutation(self.rows)

    def validation_rows(self, X: RowsLike, Y: RowsLike, /) -> ValidationRowsLike:
        """Return other rows of the same model and loss."""
        expected = "validation: expected an Objective, which can evaluate other rows"
        rows: ValidationRowsLike = self._member("validation_rows", expected)(X, Y)
        return rows

    def fingerprint(self) -> str:
        """Return a checksum of all that an evaluation depends on, apart from x."""
        expected = "checkpoint: expected an Objective with a fingerprint"
        fingerprint: str = self._member("fingerprint", expected)()
        return fingerprint

    def advice(self, x: Array, /, *, success: bool) -> str:
        """Return a sentence for the message of a run that ended at x; "" for a plain function."""
        if not hasattr(self.objective, "advice"):
            return ""
        advice: str = self.objective.advice(x, success=success)
        return advice

    def identity(self) -> Mapping[str, str]:
        """Return in words what the fingerprint depends on; empty if the objective does not say."""
        if not hasattr(self.objective, "identity"):
            return {}
        own: Mapping[str, str] = self.objective.identity()
        return own

    def progress_note(self) -> str:
        """Return what the progress bar shows of the last evaluation; "" for a plain function."""
        if not hasattr(self.objective, "progress_note"):
            return ""
        note: str = self.objective.progress_note()
        return note

    def _member(self, name: str, expected: str) -> Any:
        if not hasattr(self.objective, name):
            raise TypeError(f"{expected}, found {short_repr(self.objective)}")
        return getattr(self.objective, name)


_NO_HESSP = "objective: expected one with hessp(x, v), as the method needs Hessian products"


def as_problem(objective: CostAndGradient) -> ProblemWrapper:
    """Return any objective as a Problem; TypeError for what is not callable."""
    return objective if isinstance(objective, ProblemWrapper) else ProblemWrapper(objective)


def check_cost_and_gradient(result: object, size: int) -> tuple[float, Array]:
    """Return what an objective returned as (cost, gradient (size,) float64).

    Lists and other numeric types are converted. NaN and infinity pass. TypeError or ValueError for
    anything else.
    """
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError(
            "objective: expected a function that returns (cost, gradient), "
            f"it returned {short_repr(result)}"
        )
    cost = check_numeric("objective's cost", result[0])
    if cost.size != 1:
        raise ValueError(f"objective's cost: expected one number, found {short_repr(cost)}")
    gradient = check_vector("objective's gradient", result[1], size)
    return float(cost.item()), gradient.astype(np.float64, copy=False)

"""Loss: the contract of all losses.

A loss says all that is asked of it: its value, its derivative, and for Newton methods the change of
its derivative. It starts from z, the last layer's pre-activation, or from the prediction itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, final

import numpy as np

from ..errors import CurvatureError
from ..utils.checks import short_repr
from ..utils.types import Array
from .activation import Activation
from .activations import Identity
from .configured import Configured
from .workspace import Workspace


class Loss(Configured, ABC):
    """A loss of rows of predictions (m, n) against rows of targets (m, n).

    Most losses of your own are easier to write as an ``ElementwiseLoss``.

    Attributes
    ----------
    output_activation : type of Activation or None
        The activation that the model must end with; the loss then sees its input z. If it is
        Identity, the model may also end with a layer that is no activation, such as Dense.
        None: the model may end with any layer, and the loss sees the prediction itself as z.
    takes_labels : bool
        Whether targets are classes, so that integer labels may stand for one-hot targets.
    """

    is_storable = True
    output_activation: ClassVar[type[Activation] | None]
    takes_labels: ClassVar[bool] = False

    @abstractmethod
    def value_and_error_(
        self, z: Array, target: Array, work: Workspace, weight: Array | None = None
    ) -> float:
        """Return the loss and overwrite z with the output error.

        Parameters
        ----------
        z : ndarray, shape (m, n)
            What the loss sees, in a Fortran-ordered work array. On return it holds the derivative
            of the result with respect to z, times ``weight`` if there is one.
        target : ndarray, shape (m, n)
            The targets, in any memory order.
        work : Workspace
            Where work arrays come from.
        weight : ndarray, shape (m, 1), optional
            How many times each row counts.

        Returns
        -------
        float
            The sum of the loss over all rows and columns.
        """

    def error_jvp(
        self,
        z: Array,
        dz: Array,
        target: Array,
        work: Workspace,
        weight: Array | None = None,
        *,
        gauss_newton: bool = False,
    ) -> Array:
        """Return the change of the error along dz: the loss's second derivative times dz.

        Only Hessian products need it. Must not write to its arguments.

        Parameters
        ----------
        z : ndarray, shape (m, n)
            What the loss sees.
        dz : ndarray, shape (m, n)
            A direction.
        target : ndarray, shape (m, n)
            The targets.
        work : Workspace
            Where work arrays come from.
        weight : ndarray, shape (m, 1), optional
            How many times each row counts.
        gauss_newton : bool, default False
            Whether to take a positive semidefinite part of the second derivative, so that
            ``sum(dz * result) >= 0``. For a loss that is convex in z, that is all of it.

        Returns
        -------
        ndarray, shape (m, n)
            The change, times ``weight`` if there is one.

        Raises
        ------
        CurvatureError
            For a loss that does not define it.
        """
        raise self._unsupported("error_jvp")

    def require_hessian_support(self) -> None:
        """Check that the loss gives what Hessian products need.

        Raises
        ------
        CurvatureError
            It names the loss and the method that is missing.
        """
        if type(self).error_jvp is Loss.error_jvp:
            raise self._unsupported("error_jvp")

    def _unsupported(self, method: str) -> CurvatureError:
        return CurvatureError(
            f"hessp: expected a loss with {method}, but {self!r} does not define it: "
            "LBFGS does without"
        )

    def check_targets(self, targets: Array) -> None:
        """Check finite targets.

        Parameters
        ----------
        targets : ndarray, shape (m, n)
            Finite numbers.

        Raises
        ------
        ValueError
            If the loss is not defined for them.
        """


class CanonicalLoss(Loss):
    """A loss whose error is ``prediction - target``, the exercise's delta3.

    The change of the error is then the change of the prediction, and Hessian products take it from
    the model's output activation, whose forward pass they use again. The loss is convex in z if the
    activation grows with its input.

    References
    ----------
    McCullagh and Nelder, Generalized linear models, 1989, section 2.2, on canonical links.
    """

    @final
    def error_jvp(
        self,
        z: Array,
        dz: Array,
        target: Array,
        work: Workspace,
        weight: Array | None = None,
        *,
        gauss_newton: bool = False,
    ) -> Array:
        activation = (self.output_activation or Identity)()
        activation.forward(z)
        change = activation.jvp(dz, {})
        return change if weight is None else change * weight


def required_activation(loss: Loss) -> type[Activation] | None:
    """Return the loss's output activation; TypeError for a class that does not give one."""
    missing = object()
    found = getattr(type(loss), "output_activation", missing)
    if found is None or (isinstance(found, type) and issubclass(found, Activation)):
        return found
    shown = "none" if found is missing else short_repr(found)
    raise TypeError(
        f"loss: expected {type(loss).__name__}.output_activation to be a class of activations or "
        f"None for any, found {shown}: write output_activation = Identity in the class"
    )


def sees_prediction(loss: Loss, last: Activation | None) -> bool:
    """Return whether the loss sees what the output activation gives, not what it takes.

    After Identity and without an activation both are the same.
    """
    return required_activation(loss) is None and last is not None and type(last) is not Identity


def checked_array(loss: Loss, method: str, found: object, expected: Array) -> Array:
    """Return what a loss's method returned, as an array like ``expected``.

    TypeError or ValueError for what is no array of numbers of that shape; they name class and
    method.
    """
    place = f"{type(loss).__name__}.{method}"
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "buif":
        shown = f"dtype {found.dtype}" if isinstance(found, np.ndarray) else short_repr(found)
        raise TypeError(f"{place}: expected an array of numbers, found {shown}")
    if found.shape != expected.shape:
        raise ValueError(f"{place}: expected shape {expected.shape}, found {found.shape}")
    return found.astype(expected.dtype, copy=False)


def checked_value(loss: Loss, found: object) -> float:
    """Return what ``value_and_error_`` returned as a float; TypeError for what is no number."""
    if type(found) is float:
        return found
    is_scalar = isinstance(found, np.generic | np.ndarray | int) and np.ndim(found) == 0
    if is_scalar and np.asarray(found).dtype.kind in "buif":
        return float(found)  # type: ignore[arg-type]
    raise TypeError(
        f"{type(loss).__name__}.value_and_error_: expected the sum of the loss as a number, "
        f"found {short_repr(found)}"
    )


def write_weighted(values: Array, weight: Array, out: Array) -> None:
    """Write ``values * weight``; a row of weight 0 gives 0 even if its values are infinite."""
    np.multiply(values, weight, out=out)
    np.copyto(out, 0, where=weight == 0)

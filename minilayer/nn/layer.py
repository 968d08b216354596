"""Layer: what every part of a network is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ..errors import CurvatureError
from ..utils.types import Array
from .configured import Configured
from .layer_contract import check_methods, is_built_in
from .workspace import Workspace


class Layer(Configured, ABC):
    """A differentiable map from rows x (m, inputs) to rows y (m, units).

    A subclass computes ``forward``, ``input_gradient`` and, if it has parameters,
    ``parameter_gradient``; it gives their ``shapes`` and its constructor arguments (``config``).
    With ``jvp`` and ``second_order_term``, Hessian products pass through it too. ``@register`` lets
    checkpoints store it, and ``minilayer.testing.check_layer`` tests it.

    A layer gets its parameters when a Sequential binds it: ``parameters`` and ``gradients`` are
    views of the model's flat vectors. ``forward`` remembers what the gradients need, so these refer
    to the last call. A method may return the same array in each call, so copy a result to keep it;
    other methods must leave it alone.

    Attributes
    ----------
    inputs : int or None
        Number of columns that the layer takes; None: any number.
    units : int or None
        Number of columns that the layer gives; None: as many as it takes.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not is_built_in(cls):
            check_methods(cls, is_activation=hasattr(cls, "function"))

    is_storable = True
    inputs: int | None = None
    units: int | None = None
    _parameters: Mapping[str, Array] | None = None
    _gradients: Mapping[str, Array] | None = None
    _workspace: Workspace | None = None

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """Return y (m, units) for x (m, inputs).

        Must not write to x, and may rely on x until the gradients are taken.
        """

    @abstractmethod
    def input_gradient(self, dy: Array) -> Array:
        """Return dC/dx (m, inputs) for dy = dC/dy (m, units) at the last ``forward``.

        Must not write to dy.
        """

    def parameter_gradient(self, dy: Array) -> None:
        """Write dC/dparameter, summed over the rows, into each of ``gradients``.

        It overwrites what is there and does not add to it.
        """

    def jvp(self, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
        """Return the Jacobian-vector product (dy/dx) dx + (dy/dparameter) dparameter, (m, units).

        Here dx (m, inputs) and dparameters are directions, not gradients; dx None means zero. This
        is Pearlmutter's R{y} (1994). Only Hessian products need it. Must not write to dx, and may
        rely on it for ``second_order_term``.
        """
        raise self._unsupported("jvp")

    def second_order_term(self, dy: Array, dparameters: Mapping[str, Array]) -> Array | None:
        """Add the layer's own second derivative to a Hessian product.

        Called after ``jvp`` and ``parameter_gradient``. Adds the change of dC/dparameter along the
        direction, at constant dy = dC/dy, to each of ``gradients``. Returns the change of dC/dx at
        constant dy, (m, inputs), or None for zero. Gauss-Newton products leave this out.
        """
        raise self._unsupported("second_order_term")

    def require_hessian_support(self, gauss_newton: bool) -> None:
        """Raise CurvatureError if the layer lacks what Hessian products need."""
        if type(self).jvp is Layer.jvp:
            raise self._unsupported("jvp")
        if not gauss_newton and type(self).second_order_term is Layer.second_order_term:
            raise self._unsupported("second_order_term")

    def _unsupported(self, method: str) -> CurvatureError:
        hint = "" if method == "jvp" else " (Gauss-Newton products do not need it)"
        return CurvatureError(
            f"hessp: expected layers with {method}, "
            f"but {type(self).__name__} does not define it{hint}"
        )

    def input_gram(self, name: str) -> Array | None:
        """Return the Gram matrix X'X (d, d) of what each row of a parameter multiplies.

        This is for parameters of shape (..., d) whose rows w are used as ``X @ w``, with X (m, d)
        the inputs of the last ``forward``. Divided by m it is the input factor of K-FAC (Martens
        and Grosse, 2015). LBFGS preconditions with it. None (default): no preconditioning.
        """
        return None

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each parameter by name, in the order of the model's vector."""
        return {}

    def initialize(self, rng: np.random.Generator) -> None:
        """Write the starting values into ``parameters``, which are zeros before."""

    def l2_mask(self, name: str) -> Array | bool:
        """Return which entries of a parameter the l2 penalty applies to.

        True, False (default) or an array of booleans of the parameter's shape.
        """
        return False

    @property
    def parameters(self) -> Mapping[str, Array]:
        """The parameters by name: views of the model's vector."""
        return self._bound(self._parameters)

    @property
    def gradients(self) -> Mapping[str, Array]:
        """The last gradient by parameter name: views of the model's gradient."""
        return self._bound(self._gradients)

    @property
    def workspace(self) -> Workspace:
        """Arrays that ``forward`` and the gradients may reuse in every call."""
        if self._workspace is None:
            self._workspace = Workspace()
        return self._workspace

    @property
    def is_bound(self) -> bool:
        """Whether a model holds this layer."""
        return self._parameters is not None

    def bind(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Take these views as the layer's own. Sequential calls it once."""
        self._parameters = parameters
        self._gradients = gradients

    def unbound_copy(self) -> Self:
        """Return a new layer with the same constructor arguments, which no model holds."""
        return type(self)(**self.config())

    def _bound(self, views: Mapping[str, Array] | None) -> Mapping[str, Array]:
        if views is None:
            raise RuntimeError(f"{self!r} has no parameters before a Sequential is made of it")
        return views

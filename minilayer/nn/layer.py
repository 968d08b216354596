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

    In a subclass outside minilayer every call is checked: LayerError names a method that returns
    another shape than it should, or nothing.

    Attributes
    ----------
    inputs : int or None, default None
        Number of columns that the layer takes; None: any number. ``__init__`` sets it where the
        parameters depend on it. Sequential compares it with the units of the layer before.
    units : int or None, default None
        Number of columns that the layer gives; None: as many as it takes. ``__init__`` sets it
        together with ``inputs``.

    Examples
    --------
    A layer with one parameter, a factor for each column:

    >>> class Scale(Layer):
    ...     def __init__(self, inputs):
    ...         self.inputs = self.units = inputs
    ...     def shapes(self):
    ...         return {"factor": (self.inputs,)}
    ...     def initialize(self, rng):
    ...         self.parameters["factor"][:] = 1
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x * self.parameters["factor"]
    ...     def input_gradient(self, dy):
    ...         return dy * self.parameters["factor"]
    ...     def parameter_gradient(self, dy):
    ...         self.gradients["factor"][:] = np.sum(dy * self.x, axis=0)
    >>> from minilayer.testing import check_layer
    >>> check_layer(Scale(3)).worst < 1e-6
    True
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
        """Return the output, and remember what the gradients need.

        Parameters
        ----------
        x : ndarray, shape (m, inputs)
            The rows: float64, or float32 in single precision. Must not be written to. It stays as
            it is until the gradients are taken.

        Returns
        -------
        ndarray, shape (m, units)
            The output, in the precision of x.
        """

    @abstractmethod
    def input_gradient(self, dy: Array) -> Array:
        """Return the gradient of the cost C by the input of the last ``forward``.

        Parameters
        ----------
        dy : ndarray, shape (m, units)
            dC/dy. Must not be written to.

        Returns
        -------
        ndarray, shape (m, inputs)
            dC/dx.
        """

    def parameter_gradient(self, dy: Array) -> None:
        """Write dC/dparameter, summed over the rows, into each of ``gradients``.

        It overwrites what is there and does not add to it.

        Parameters
        ----------
        dy : ndarray, shape (m, units)
            dC/dy. Must not be written to.
        """

    def jvp(self, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
        """Return the Jacobian-vector product (dy/dx) dx + (dy/dparameter) dparameter.

        This is Pearlmutter's R{y}. Only Hessian products need it.

        Parameters
        ----------
        dx : ndarray, shape (m, inputs), or None
            The direction of the input; None: zero. Must not be written to. It stays as it is until
            ``second_order_term``.
        dparameters : mapping of str to ndarray
            The direction of each parameter, in its shape.

        Returns
        -------
        ndarray, shape (m, units)
            The change of the output along the direction.

        Raises
        ------
        CurvatureError
            If the layer does not define it.

        References
        ----------
        Pearlmutter, Fast exact multiplication by the Hessian, 1994.
        """
        raise self._unsupported("jvp")

    def second_order_term(self, dy: Array, dparameters: Mapping[str, Array]) -> Array | None:
        """Add the layer's own second derivative to a Hessian product.

        Called after ``jvp`` and ``parameter_gradient``. It adds the change of dC/dparameter along
        the direction, at constant dC/dy, to each of ``gradients``. Gauss-Newton products leave this
        out.

        Parameters
        ----------
        dy : ndarray, shape (m, units)
            dC/dy. Must not be written to.
        dparameters : mapping of str to ndarray
            The direction of each parameter, as ``jvp`` was given it.

        Returns
        -------
        ndarray, shape (m, inputs), or None
            The change of dC/dx along the direction, at constant dC/dy; None: zero.

        Raises
        ------
        CurvatureError
            If the layer does not define it.
        """
        raise self._unsupported("second_order_term")

    def require_hessian_support(self, gauss_newton: bool) -> None:
        """Raise CurvatureError if the layer lacks what Hessian products need.

        Parameters
        ----------
        gauss_newton : bool
            Whether Gauss-Newton products are asked for, which need only ``jvp``.

        Raises
        ------
        CurvatureError
            It names the layer and the method.
        """
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
        the inputs of the last ``forward``. Divided by m it is the input factor of K-FAC. LBFGS
        preconditions with it.

        Parameters
        ----------
        name : str
            Of the parameter.

        Returns
        -------
        ndarray, shape (d, d), or None
            X'X; None (default): no preconditioning.

        References
        ----------
        Martens and Grosse, Optimizing neural networks with Kronecker-factored approximate
        curvature, 2015.
        """
        return None

    def to_onnx(self, graph: Any, x: str) -> str:
        """Add the operators of ``forward`` to an ONNX graph, for ``minilayer.export.to_onnx``.

        Parameters
        ----------
        graph : minilayer.export.OnnxGraph
            ``graph.node("Mul", x, self.parameters["factor"])`` adds an operator and returns the
            name of its result. ``graph.constant(array, "factor")`` gives a constant a name.
        x : str
            The name of the layer's input.

        Returns
        -------
        str
            The name of the layer's output.

        Raises
        ------
        TypeError
            If the layer does not define it.
        """
        raise TypeError(
            f"to_onnx: expected layers that define it, found {self!r}: "
            f"write {type(self).__name__}.to_onnx(self, graph, x)"
        )

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each parameter.

        Returns
        -------
        mapping of str to tuple of int
            Shapes by name, in the order of the model's vector; empty (default): no parameters.
        """
        return {}

    def initialize(self, rng: np.random.Generator) -> None:
        """Write the starting values into ``parameters``, which are zeros before.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of randomness.
        """

    def l2_mask(self, name: str) -> Array | bool:
        """Return which entries of a parameter the l2 penalty applies to.

        Parameters
        ----------
        name : str
            Of the parameter.

        Returns
        -------
        bool or ndarray of bool
            True, False (default) or an array of the parameter's shape.
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

    def named_parameters(self) -> Mapping[str, Array]:
        """Return the parameters under the names that ``Sequential.state_dict`` gives them.

        Returns
        -------
        mapping of str to ndarray
            Views; by default those of ``parameters``. Dense gives weight and bias, as PyTorch does.
        """
        return self.parameters

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
        """Take these views as the layer's own. Sequential calls it once.

        Parameters
        ----------
        parameters : mapping of str to ndarray
            The parameters by name.
        gradients : mapping of str to ndarray
            Where ``parameter_gradient`` writes.
        """
        self._parameters = parameters
        self._gradients = gradients

    def unbound_copy(self) -> Self:
        """Return a new layer with the same constructor arguments, which no model holds.

        Returns
        -------
        Layer
            The copy.
        """
        return type(self)(**self.config())

    def _bound(self, views: Mapping[str, Array] | None) -> Mapping[str, Array]:
        if views is None:
            raise RuntimeError(f"{self!r} has no parameters before a Sequential is made of it")
        return views

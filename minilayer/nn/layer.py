"""Layer: what every part of a network is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from ..errors import CurvatureError
from ..utils.types import Array
from .workspace import Workspace

LayerType = TypeVar("LayerType", bound="type[Layer]")
ConfigValue = bool | int | float | str

_REGISTRY: dict[str, type[Layer]] = {}


class Layer(ABC):
    """A differentiable map from rows x (m, inputs) to rows y (m, units).

    Until a Sequential binds it, a layer holds its sizes and nothing else. Bound, ``parameters`` and ``gradients`` are
    views into the model's flat vectors, by name. ``forward`` remembers what the two gradients need, so they refer to
    the last call; the arrays that a layer returns are its own work space, overwritten by the next call of the same
    method and by no other.

    A layer of your own says its ``config`` (the arguments that make it again) and, where it has parameters, their
    ``shapes``; it computes ``forward``, ``input_gradient`` and ``parameter_gradient``, and ``@register`` lets
    checkpoints hold it. With ``tangent`` and ``curvature`` too, products with the Hessian go through it.
    ``minilayer.testing.check_layer`` tells whether all of it is right.
    """

    inputs: int | None = None
    """Columns taken; None: any number, and as many come out."""
    units: int | None = None
    """Columns given."""
    _parameters: Mapping[str, Array] | None = None
    _gradients: Mapping[str, Array] | None = None
    _workspace: Workspace | None = None
    _described: frozenset[str] | None = None

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """y (m, units) for x (m, inputs). Must not write to x, and may rely on x until the gradients are taken."""

    @abstractmethod
    def input_gradient(self, dy: Array) -> Array:
        """dC/dx (m, inputs) for dy = dC/dy (m, units) at the last ``forward``. Must not write to dy."""

    def parameter_gradient(self, dy: Array) -> None:
        """Write dC/dparameter, summed over the rows, into each of ``gradients`` (overwriting, not adding)."""

    def tangent(self, rx: Array | None, direction: Mapping[str, Array]) -> Array:
        """How the last ``forward``'s y changes, (m, units), as x changes by rx and the parameters by ``direction``.

        That is (dy/dx) rx + (dy/dparameter) direction, Pearlmutter's R{y}; rx None: x does not change. Needed for
        products with the Hessian, and only for them. Must not write to rx, and may rely on it for ``curvature``.
        """
        raise self._lacks("a tangent")

    def curvature(self, dy: Array, direction: Mapping[str, Array]) -> Array | None:
        """What the layer's own bend adds to the Hessian's product, after ``tangent`` and ``parameter_gradient``.

        Adds the change of dC/dparameter at constant dy to each of ``gradients``, and returns the change of dC/dx at
        constant dy, (m, inputs), or None for zero. Not needed for Gauss-Newton products.
        """
        raise self._lacks("a curvature")

    def check_curvature(self, gauss_newton: bool) -> None:
        """Raise CurvatureError where the layer does not define what products with the Hessian take."""
        if type(self).tangent is Layer.tangent:
            raise self._lacks("a tangent")
        if not gauss_newton and type(self).curvature is Layer.curvature:
            raise self._lacks("a curvature")

    def _lacks(self, what: str) -> CurvatureError:
        hint = " (Gauss-Newton products do without)" if what == "a curvature" else ""
        return CurvatureError(f"hessp: expected layers with {what}, but {type(self).__name__} does not define it{hint}")

    def moment(self, name: str) -> Array | None:
        """The sum of ``x x'`` over the rows of the last ``forward``, x what each row of that parameter multiplies.

        For a parameter of shape (..., d), of which each row meets the data as a sum ``row @ x`` of d numbers: (d, d).
        LBFGS guides its steps by it; None, the default: it is left alone.
        """
        return None

    def config(self) -> dict[str, ConfigValue]:
        """The keyword arguments that construct this layer again."""
        return {}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each parameter, in the order in which they lie in the model's vector."""
        return {}

    def initialize(self, rng: np.random.Generator) -> None:
        """Write the starting values into ``parameters`` (zeros before)."""

    def penalized(self, name: str) -> Array | bool:
        """Which entries of a parameter the l2 penalty applies to: True, False or an array of them. Default: none."""
        return False

    @property
    def parameters(self) -> Mapping[str, Array]:
        """The parameters by name: views into the model's vector."""
        return self._bound(self._parameters)

    @property
    def gradients(self) -> Mapping[str, Array]:
        """The last gradient by parameter name: views into the model's gradient."""
        return self._bound(self._gradients)

    @property
    def workspace(self) -> Workspace:
        """Arrays that ``forward`` and the gradients may use again at every call."""
        if self._workspace is None:
            self._workspace = Workspace()
        return self._workspace

    @property
    def is_bound(self) -> bool:
        """Whether a model holds this layer."""
        return self._parameters is not None

    def bind(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Take these views as the layer's own; done once, by Sequential."""
        if self._described is None:
            self._described = frozenset(self.__dict__)
        self._parameters, self._gradients = parameters, gradients

    def unbound_copy(self) -> Layer:
        """The same layer as it was described, without what it was bound to and what it remembers of a pass."""
        described = self.__dict__ if self._described is None else self._described
        twin = object.__new__(type(self))
        twin.__dict__.update({name: self.__dict__[name] for name in described if name in self.__dict__})
        return twin

    def _bound(self, views: Mapping[str, Array] | None) -> Mapping[str, Array]:
        if views is None:
            raise RuntimeError(f"{self!r} has no parameters before a Sequential is made of it")
        return views

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in self.config().items())})"


def register(layer: LayerType) -> LayerType:
    """Class decorator: let checkpoints store and rebuild this layer, under its class name.

    >>> @register
    ... class Halve(Layer):
    ...     def forward(self, x):
    ...         return x / 2
    ...     def input_gradient(self, dy):
    ...         return dy / 2
    >>> registered("Halve")
    <class 'minilayer.nn.layer.Halve'>
    """
    if not (isinstance(layer, type) and issubclass(layer, Layer)):
        raise TypeError(f"register: expected a subclass of Layer, found {layer!r}")
    known = _REGISTRY.get(layer.__name__, layer)
    if (known.__module__, known.__qualname__) != (layer.__module__, layer.__qualname__):
        raise ValueError(f"register: the name {layer.__name__} is taken by {known.__module__}.{known.__qualname__}")
    _REGISTRY[layer.__name__] = layer
    return layer


def registered(name: str) -> type[Layer] | None:
    """The registered layer class of that name, or None."""
    return _REGISTRY.get(name)

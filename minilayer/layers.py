"""Layer, what every part of a network is, and Dense, the part with weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TypeVar, final

import numpy as np

from .checks import Array, check_count
from .initializers import Glorot, Initializer
from .workspace import Workspace

LayerType = TypeVar("LayerType", bound="type[Layer]")
ConfigValue = bool | int | float | str

_REGISTRY: dict[str, type[Layer]] = {}


class Layer(ABC):
    """A differentiable map from rows x (m, inputs) to rows y (m, units).

    Until a Sequential binds it, a layer holds its sizes and nothing else. Bound, ``parameters`` and ``gradients`` are
    views into the model's flat vectors, by name. ``forward`` remembers what the two gradients need, so they refer to
    the last call; the arrays that a layer returns are its own work space, overwritten by the next call.

    A layer of your own says its ``config`` (the arguments that make it again) and, where it has parameters, their
    ``shapes``; it computes ``forward``, ``input_gradient`` and ``parameter_gradient``, and ``@register`` lets
    checkpoints hold it. ``minilayer.check_gradient`` tells whether its derivatives are right.
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
    <class 'minilayer.layers.Halve'>
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


@final
@register
class Dense(Layer):
    """y = x @ weight.T + bias, with theta = [bias, weight] of shape (units, 1 + inputs).

    ``theta``, ``weight`` (units, inputs) and ``bias`` (units,) are views of one piece of the model's vector; the l2
    penalty leaves the bias out. Gradients, summed over rows: dC/dweight = dy.T @ x, dC/dbias = the column sums of dy,
    dC/dx = dy @ weight (Rumelhart, Hinton and Williams, 1986).

    Raises TypeError or ValueError for sizes that are not integers of at least 1.

    >>> from minilayer import Sequential
    >>> model = Sequential([Dense(2, 1)])
    >>> model.layers[0].theta[:] = [[10, 1, 2]]
    >>> model.predict([[3.0, 4.0]])
    array([[21.]])
    """

    inputs: int
    units: int

    def __init__(self, inputs: int, units: int, initializer: Initializer | None = None) -> None:
        self.inputs = check_count("inputs of Dense", inputs)
        self.units = check_count("units of Dense", units)
        if initializer is not None and not isinstance(initializer, Initializer):
            raise TypeError(f"initializer of Dense: expected an Initializer such as Glorot(), found {initializer!r}")
        self.initializer = initializer or Glorot()

    @property
    def theta(self) -> Array:
        """(units, 1 + inputs), bias in column 0, as the exercise has it."""
        return self.parameters["theta"]

    @property
    def weight(self) -> Array:
        """(units, inputs), a view of theta."""
        return self.theta[:, 1:]

    @property
    def bias(self) -> Array:
        """(units,), a view of theta."""
        return self.theta[:, 0]

    def forward(self, x: Array) -> Array:
        self._x = x
        z = self.workspace.array("z", (len(x), self.units), x.dtype)
        np.matmul(x, self.weight.T, out=z)
        z += self.bias
        return z

    def input_gradient(self, dy: Array) -> Array:
        dx = self.workspace.array("dx", (len(dy), self.inputs), dy.dtype)
        product = np.multiply if self.units == 1 else np.matmul  # the same for one unit, and four times as fast
        return product(dy, self.weight, out=dx)

    def parameter_gradient(self, dy: Array) -> None:
        gradient = self.gradients["theta"]
        np.matmul(dy.T, self._x, out=gradient[:, 1:])
        np.sum(dy, axis=0, out=gradient[:, 0])

    def config(self) -> dict[str, ConfigValue]:
        return {"inputs": self.inputs, "units": self.units}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"theta": (self.units, 1 + self.inputs)}

    def initialize(self, rng: np.random.Generator) -> None:
        self.initializer.fill(self.theta, rng)

    def penalized(self, name: str) -> Array | bool:
        mask = np.ones((self.units, 1 + self.inputs), bool)
        mask[:, 0] = False
        return mask

    def __repr__(self) -> str:
        return f"Dense({self.inputs}, {self.units})"

"""Configured: objects that their constructor arguments describe, and their classes by name."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, TypeVar, Union
from weakref import WeakKeyDictionary

import numpy as np

from ..utils.checks import short_repr
from ..utils.types import Array

ConfigValue = Union[bool, int, float, str, None, Array, "Configured"]
"""What a constructor argument may be, so that a checkpoint can store it.

An array is float64 and not empty. It is a constant: nobody writes to it.
"""

_ARGUMENTS: WeakKeyDictionary[type, tuple[str, ...]] = WeakKeyDictionary()
"""By class: reading a signature takes longer than making the object."""


class Configured:
    """An object that ``config`` describes: ``type(self)(**self.config())`` makes an equal one."""

    is_storable: ClassVar[bool] = False
    """Whether checkpoints can name the class: layers, losses and initializers."""

    def config(self) -> Mapping[str, ConfigValue]:
        """Return every constructor argument by name.

        By default these are the attributes that have the names of constructor arguments.

        Returns
        -------
        mapping of str to bool, int, float, str, None, ndarray of float64 or Configured
            The keyword arguments that construct this object again.
        """
        attributes = vars(self)
        return {name: attributes[name] for name in _arguments(type(self)) if name in attributes}

    def __repr__(self) -> str:
        shown = {
            name: short_repr(value) if isinstance(value, np.ndarray) else repr(value)
            for name, value in self.config().items()
        }
        arguments = ", ".join(f"{name}={value}" for name, value in shown.items())
        return f"{type(self).__name__}({arguments})"


ConfiguredClass = TypeVar("ConfiguredClass", bound=type[Configured])

_REGISTRY: dict[str, type[Configured]] = {}


def register(configured: ConfiguredClass) -> ConfiguredClass:
    """Let checkpoints store and rebuild objects of this class, under the class's name.

    Parameters
    ----------
    configured : type
        A subclass of Layer, Loss or Initializer. Use ``@register`` as a class decorator.

    Returns
    -------
    type
        The class itself.

    Raises
    ------
    TypeError
        If it is not a subclass of Layer, Loss or Initializer.
    ValueError
        If another class of that name is registered.

    Examples
    --------
    >>> from minilayer import Layer
    >>> @register
    ... class Halve(Layer):
    ...     def forward(self, x):
    ...         return x / 2
    ...     def input_gradient(self, dy):
    ...         return dy / 2
    >>> registered("Halve")
    <class 'minilayer.nn.configured.Halve'>
    """
    is_configured = isinstance(configured, type) and issubclass(configured, Configured)
    if not (is_configured and configured.is_storable):
        found = repr(configured)
        expected = "a subclass of Layer, Loss or Initializer"
        raise TypeError(f"register: expected {expected}, found {found}")
    name = configured.__name__
    known = _REGISTRY.get(name, configured)
    place = f"{known.__module__}.{known.__qualname__}"
    if place != f"{configured.__module__}.{configured.__qualname__}":
        raise ValueError(f"register: the name {name} is taken by {place}")
    _REGISTRY[name] = configured
    return configured


def registered(name: str) -> type[Configured] | None:
    """Return the registered class of that name, or None.

    Parameters
    ----------
    name : str
        The name of a class.

    Returns
    -------
    type or None
        The class.
    """
    return _REGISTRY.get(name)


def identity(value: object) -> object:
    """Return what tells a constructor argument, or a Configured with all of its own, from others.

    The results of two calls are equal, and so are their reprs, if the values are. An array counts
    with all its numbers, of which a repr shows some. NumPy's scalars become Python's.
    """
    if isinstance(value, np.ndarray):
        numbers = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"array {value.dtype.str} {value.shape} {numbers}"
    if isinstance(value, Configured):
        arguments = {name: identity(own) for name, own in value.config().items()}
        return type(value).__name__, arguments
    if isinstance(value, list | tuple):
        return [identity(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value


@contextmanager
def registered_for_now(configured: type[Configured]) -> Iterator[None]:
    """Register a class for a while, also under a name that another class has."""
    name = configured.__name__
    before = _REGISTRY.get(name)
    _REGISTRY[name] = configured
    try:
        yield
    finally:
        if before is None:
            del _REGISTRY[name]
        else:
            _REGISTRY[name] = before


def identifying_text(described: Configured) -> str:
    """Return all arguments in full, whatever a class shows of them in its repr."""
    text = Configured.__repr__(described)
    shortened = (np.ndarray, Configured, list, tuple)
    if any(isinstance(value, shortened) for value in described.config().values()):
        return f"{text} {identity(described)!r}"
    return text


def undescribed_arguments(described: Configured) -> list[str]:
    """Return the constructor arguments that ``config`` does not give.

    A copy or a checkpoint of such an object would silently differ from it.
    """
    given = described.config()
    return [name for name in _arguments(type(described)) if name not in given]


def _arguments(cls: type[Configured]) -> tuple[str, ...]:
    names = _ARGUMENTS.get(cls)
    if names is None:
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        parameters = inspect.signature(cls).parameters.values()
        names = tuple(parameter.name for parameter in parameters if parameter.kind in named)
        _ARGUMENTS[cls] = names
    return names

"""The contract of Layer, checked for the layers that minilayer does not have.

Their methods are wrapped when the class is made. What a method returns is checked in each call, and
a shape mistake names the class, the method, the expected and the found shape. The layers of
minilayer are not wrapped, so that they pay nothing.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import LayerError
from ..utils.checks import short_repr
from ..utils.types import Array
from .configured import undescribed_arguments

if TYPE_CHECKING:
    from .layer import Layer

Method = Callable[..., Any]

ARGUMENTS = {
    "config": (),
    "shapes": (),
    "initialize": ("rng",),
    "l2_mask": ("name",),
    "input_gram": ("name",),
    "to_onnx": ("graph", "x"),
    "forward": ("x",),
    "input_gradient": ("dy",),
    "parameter_gradient": ("dy",),
    "jvp": ("dx", "dparameters"),
    "second_order_term": ("dy", "dparameters"),
    "function": ("x", "out"),
    "gradient": ("x", "y", "dy", "out"),
    "second_derivative": ("x", "y", "dx", "jvp", "dy", "out"),
}
"""The methods that minilayer calls, and what it calls them with."""
OF_ACTIVATIONS = ("function", "gradient", "second_derivative")
"""Methods that mean nothing in other layers."""
SHAPE_MISTAKE = re.compile("broadcast|mismatch|shape|aligned|dimension")
"""In the messages of NumPy about arrays that do not fit."""


def is_built_in(defined: type | Method) -> bool:
    """Return whether minilayer itself defines the class or function."""
    return str(defined.__module__).partition(".")[0] == __name__.partition(".")[0]


def check_methods(layer: type[Layer], is_activation: bool) -> None:
    """Check the signatures of a new class, and wrap its methods so that each call is checked."""
    for name, arguments in ARGUMENTS.items():
        if name not in vars(layer) or (name in OF_ACTIVATIONS and not is_activation):
            continue
        method = vars(layer)[name]
        if not inspect.isfunction(method):
            if not callable(getattr(layer, name)):
                raise TypeError(
                    f"{layer.__name__}.{name}: expected a method "
                    f"{_signature(name, arguments)}, found {short_repr(method)}"
                )
            continue
        _check_signature(layer, name, arguments, method)
        if name in CHECKED and not is_built_in(method):  # such as ``jvp = Layer.jvp``
            setattr(layer, name, CHECKED[name](name, method))


def _signature(name: str, arguments: tuple[str, ...]) -> str:
    return f"{name}({', '.join(('self', *arguments))})"


def _check_signature(layer: type, name: str, arguments: tuple[str, ...], method: Method) -> None:
    found = inspect.signature(method)
    try:
        found.bind(None, *arguments)
    except TypeError:
        raise TypeError(
            f"{layer.__name__}.{name}: expected {_signature(name, arguments)}, found {name}{found}"
        ) from None


def _call(layer: Layer, name: str, method: Method, arguments: tuple[Any, ...]) -> Any:
    """Call a method; what NumPy says of shapes is said of the layer."""
    try:
        return method(layer, *arguments)
    except ValueError as error:
        if not SHAPE_MISTAKE.search(str(error)):
            raise
        shapes = [
            f"{argument} of shape {value.shape}"
            for argument, value in zip(ARGUMENTS[name], arguments, strict=True)
            if isinstance(value, np.ndarray)
        ]
        if layer.is_bound:
            own = layer.parameters.items()
            shapes += [f"parameter {key} of shape {value.shape}" for key, value in own]
        raise LayerError(
            f"{layer!r}: expected {name} to fit {', '.join(shapes)}, found: {error}"
        ) from error


def _expect_shape(
    layer: Layer, name: str, what: str, found: object, shape: tuple[int | None, ...]
) -> None:
    """Check an array; None in the shape fits any length."""
    if isinstance(found, np.ndarray) and len(found.shape) == len(shape):
        pairs = zip(found.shape, shape, strict=True)
        if all(expected in (None, length) for length, expected in pairs):
            return
    expected = str(shape).replace("None", "m")
    is_array = isinstance(found, np.ndarray)
    shown = f"shape {found.shape}" if isinstance(found, np.ndarray) else short_repr(found)
    hint = ": is a return missing?" if found is None and not is_array else ""
    raise LayerError(
        f"{layer!r}: expected {name} to return {what} of shape {expected}, found {shown}{hint}"
    )


def _expect_none(layer: Layer, name: str, place: str, found: object) -> None:
    if found is not None:
        raise LayerError(
            f"{layer!r}: expected {name} to write into {place} and to return nothing, "
            f"found that it returns {short_repr(found)}"
        )


def _forward(name: str, method: Method) -> Method:
    @functools.wraps(method)
    def forward(self: Layer, x: Array) -> Array:
        y: Array = _call(self, name, method, (x,))
        units = x.shape[1] if self.units is None else self.units
        _expect_shape(self, name, "an output", y, (len(x), units))
        return y

    return forward


def _input_gradient(name: str, method: Method) -> Method:
    @functools.wraps(method)
    def input_gradient(self: Layer, dy: Array) -> Array:
        dx: Array = _call(self, name, method, (dy,))
        inputs = dy.shape[1] if self.inputs is None else self.inputs
        _expect_shape(self, name, "an input gradient", dx, (len(dy), inputs))
        return dx

    return input_gradient


def _parameter_gradient(name: str, method: Method) -> Method:
    @functools.wraps(method)
    def parameter_gradient(self: Layer, dy: Array) -> None:
        found = _call(self, name, method, (dy,))
        _expect_none(self, name, "self.gradients", found)

    return parameter_gradient


def _jvp(name: str, method: Method) -> Method:
    @functools.wraps(method)
    def jvp(self: Layer, dx: Array | None, dparameters: Mapping[str, Array]) -> Array:
        change: Array = _call(self, name, method, (dx, dparameters))
        rows = None if dx is None else len(dx)
        units = dx.shape[1] if self.units is None and dx is not None else self.units
        _expect_shape(self, name, "a change of the output", change, (rows, units))
        return change

    return jvp


def _second_order_term(name: str, method: Method) -> Method:
    @functools.wraps(method)
    def second_order_term(self: Layer, dy: Array, dparameters: Mapping[str, Array]) -> Array | None:
        change: Array | None = _call(self, name, method, (dy, dparameters))
        if change is not None:
            inputs = dy.shape[1] if self.inputs is None else self.inputs
            _expect_shape(self, name, "a change of the input gradient", change, (len(dy), inputs))
        return change

    return second_order_term


def _writes(place: str) -> Callable[[str, Method], Method]:
    """Return a wrapper for methods that write into an argument and return nothing."""

    def wrap(name: str, method: Method) -> Method:
        @functools.wraps(method)
        def write(self: Layer, *arguments: Any) -> None:
            _expect_none(self, name, place, _call(self, name, method, arguments))

        return write

    return wrap


CHECKED: dict[str, Callable[[str, Method], Method]] = {
    "initialize": _writes("self.parameters"),
    "forward": _forward,
    "input_gradient": _input_gradient,
    "parameter_gradient": _parameter_gradient,
    "jvp": _jvp,
    "second_order_term": _second_order_term,
    "function": _writes("out"),
    "gradient": _writes("out"),
    "second_derivative": _writes("out"),
}
"""How each method is wrapped."""


def check_layer_description(place: str, layer: Layer) -> None:
    """Raise TypeError for sizes and a configuration that a copy of the layer could not have.

    Parameters
    ----------
    place : str
        What the message calls the layer, such as ``layers[1]``.
    layer : Layer
        The layer.
    """
    name = type(layer).__name__
    for size in ("inputs", "units"):
        value = getattr(layer, size)
        is_count = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if value is not None and not (is_count and value > 0):
            raise TypeError(
                f"{place}: expected {size} of {name} to be a positive integer or None, "
                f"found {short_repr(value)}"
            )
    shapes = layer.shapes()
    if not (isinstance(shapes, Mapping) and all(map(_is_shape, shapes.values()))):
        raise TypeError(
            f"{place}: expected {name}.shapes() to give a tuple of integers for each parameter, "
            f"such as {{'weight': (3, 2)}}, found {short_repr(shapes)}"
        )
    if shapes and is_built_in(type(layer).parameter_gradient):
        raise TypeError(
            f"{place}: expected {name} to define parameter_gradient(self, dy), "
            f"as it has parameters: {', '.join(shapes)}"
        )
    mistake = config_mistake(layer)
    if mistake is not None:
        raise TypeError(f"{place}: {mistake}: copies of the layer would differ from it")


def _is_shape(shape: object) -> bool:
    return isinstance(shape, tuple) and all(isinstance(k, (int, np.integer)) for k in shape)


def config_mistake(layer: Layer, config: Mapping[str, Any] | None = None) -> str | None:
    """Return what is wrong with a layer's configuration, or None.

    Parameters
    ----------
    layer : Layer
        The layer.
    config : mapping, optional
        Its configuration as a file gives it back; default: ``layer.config()``.

    Returns
    -------
    str or None
        In which way a layer of this configuration differs.
    """
    name = type(layer).__name__
    own = layer.config()
    if not isinstance(own, Mapping):
        return f"expected {name}.config() to return a mapping, found {short_repr(own)}"
    missing = undescribed_arguments(layer)
    if missing:
        return (
            f"expected {name}.config() to give every argument of {name}(...), "
            f"found none for {missing[0]!r}"
        )
    config = own if config is None else config
    expected = f"expected {name}(**config()) to make an equal layer, found"
    try:
        copy = type(layer)(**config)
    except Exception as error:  # a layer of the user's own may raise anything
        return f"{expected} {type(error).__name__}: {error}"
    for what, value, again in (
        *((f"{key} =", value, copy.config().get(key)) for key, value in own.items()),
        ("inputs =", layer.inputs, copy.inputs),
        ("units =", layer.units, copy.units),
        ("shapes() =", dict(layer.shapes()), dict(copy.shapes())),
        *(
            (f"{key} =", value, vars(copy).get(key))
            for key, value in vars(layer).items()
            if key.removeprefix("_") in own and isinstance(value, bool | int | float | str)
        ),
    ):
        if not _is_equal(value, again):
            return f"{expected} {what} {short_repr(again)} instead of {short_repr(value)}"
    return None


def _is_equal(value: Any, other: Any) -> bool:
    """Return whether two arguments are equal: NaN equals itself, and a tuple its list."""
    if isinstance(value, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(value) == len(other) and all(map(_is_equal, value, other))
    if value is other or (type(value) is type(other) and repr(value) == repr(other)):
        return True
    return bool(np.all(value == other))

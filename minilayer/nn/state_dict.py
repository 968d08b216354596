"""A network's arrays under the names that PyTorch gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import LayerError
from ..utils.checks import check_finite, check_instance, check_numeric
from ..utils.types import Array
from .layer import Layer

if TYPE_CHECKING:
    from .sequential import Sequential


def state_dict(model: Sequential) -> dict[str, Array]:
    """Return copies of all parameters and constants, by index of the layer and name."""
    return {
        key: np.array(value, np.float64, order="C")
        for key, (_, _, value) in _entries(model).items()
    }


def load_state_dict(model: Sequential, state: object) -> tuple[Layer, ...] | None:
    """Set the parameters, all or none; return the layers if constants of some are new.

    A layer's constants are constructor arguments, so a layer with other ones is another object.
    """
    entries = _entries(model)
    given = _checked(entries, state)
    changed: dict[int, dict[str, Array]] = {}
    for key, (index, is_parameter, value) in entries.items():
        if not is_parameter and not np.array_equal(value, given[key]):
            changed.setdefault(index, {})[key.partition(".")[2]] = given[key]
    layers = list(model.layers)
    for index, constants in changed.items():
        layers[index] = _with_constants(index, model.layers[index], constants)
    for key, (_, is_parameter, value) in entries.items():
        if is_parameter:
            value[...] = given[key]
    return tuple(layers) if changed else None


def _entries(model: Sequential) -> dict[str, tuple[int, bool, Array]]:
    """Return the index of the layer, whether it is a parameter, and the array, by key."""
    entries: dict[str, tuple[int, bool, Array]] = {}
    for index, layer in enumerate(model.layers):
        for name, value in layer.named_parameters().items():
            entries[f"{index}.{name}"] = (index, True, value)
        for name, constant in layer.config().items():
            if not isinstance(constant, np.ndarray):
                continue
            if f"{index}.{name}" in entries:
                raise LayerError(
                    f"layers[{index}] {layer!r}: expected parameters and arguments of different "
                    f"names, found {name!r} twice"
                )
            entries[f"{index}.{name}"] = (index, False, constant)
    return entries


def _checked(entries: Mapping[str, tuple[int, bool, Array]], state: object) -> dict[str, Array]:
    """Return a float64 array for each key; TypeError or ValueError for anything else."""
    check_instance("state", state, Mapping, "arrays by name, such as model.state_dict()")
    assert isinstance(state, Mapping)
    missing = [key for key in entries if key not in state]
    unknown = [key for key in state if key not in entries]
    if missing or unknown:
        expected = ", ".join(map(repr, entries)) or "no keys"
        found = ", ".join(map(repr, state)) or "none"
        hint = _prefix_hint(entries, state) or _difference(missing, unknown)
        raise ValueError(f"state: expected {expected}, found {found}: {hint}")
    return {key: _array(key, state[key], value.shape) for key, (_, _, value) in entries.items()}


def _difference(missing: list[str], unknown: list[object]) -> str:
    parts = (("missing", missing), ("not in the model", unknown))
    return "; ".join(f"{what}: {', '.join(map(repr, keys))}" for what, keys in parts if keys)


def _prefix_hint(expected: Mapping[str, object], state: Mapping[object, object]) -> str:
    """Return what to type if all keys begin with the name of a module's attribute."""
    first = str(next(iter(state), ""))
    prefix = next((first.removesuffix(key) for key in expected if first.endswith(f".{key}")), "")
    if not prefix or {str(key).removeprefix(prefix) for key in state} != set(expected):
        return ""
    return f"use {{key.removeprefix({prefix!r}): value for key, value in state.items()}}"


def _array(key: str, value: object, shape: tuple[int, ...]) -> Array:
    name = f"state[{key!r}]"
    try:
        array = check_numeric(name, np.asarray(value))
    except (RuntimeError, TypeError) as error:  # a tensor that NumPy cannot read says why
        if getattr(value, "requires_grad", False):
            raise TypeError(
                f"{name}: expected an array, found a tensor that requires grad: "
                "use module.state_dict(), or tensor.detach()"
            ) from None
        if str(error).startswith(name):
            raise
        raise TypeError(f"{name}: expected an array, found {type(value)}: {error}") from None
    if array.shape != shape:
        is_transposed = array.ndim == 2 and array.shape == shape[::-1]
        hint = f": use .T, as Keras' kernels are (inputs, units): {name}.T" if is_transposed else ""
        raise ValueError(f"{name}: expected shape {shape}, found {array.shape}{hint}")
    numbers = array.astype(np.float64)
    check_finite(name, numbers.reshape(len(numbers), -1) if numbers.ndim else numbers[None, None])
    return numbers


def _with_constants(index: int, layer: Layer, constants: Mapping[str, Array]) -> Layer:
    """Return the layer with other constants over the same parameters."""
    try:
        new = type(layer)(**{**layer.config(), **constants})
    except (TypeError, ValueError) as error:
        raise ValueError(f"state: expected constants for layers[{index}]: {error}") from None
    new.bind(layer.parameters, layer.gradients)
    return new

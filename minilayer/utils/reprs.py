"""repr that could be typed, from the constructor's own signature."""

from __future__ import annotations

import inspect

from .checks import short_repr


def constructor_repr(value: object, *, defaults: bool = True) -> str:
    """Return ``Class(argument, name=argument, ...)``.

    Parameters
    ----------
    value : object
        An object with an attribute for each argument of its constructor.
    defaults : bool, default True
        Whether to show arguments that equal their default.

    Returns
    -------
    str
        Such as ``Momentum(momentum=0.9, nesterov=False)``.
    """
    parts = []
    for name, parameter in inspect.signature(type(value)).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD or not hasattr(value, name):
            continue
        found = getattr(value, name)
        if parameter.default is inspect.Parameter.empty and not defaults:
            parts.append(short_repr(found))
        elif defaults or (found is not parameter.default and found != parameter.default):
            parts.append(f"{name}={short_repr(found)}")
    return f"{type(value).__name__}({', '.join(parts)})"

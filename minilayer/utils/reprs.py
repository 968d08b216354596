"""repr that could be typed, from the constructor's own signature."""

from __future__ import annotations

import inspect

from .checks import short_repr


def short_count(count: float) -> str:
    """Return a count of three digits with its unit of a thousand, a million or more.

    Parameters
    ----------
    count : float
        A number from 0 up.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> [short_count(count) for count in (0.5, 999, 1234, 66_000, 2.5e6, 7e13)]
    ['0.5', '999', '1.23k', '66k', '2.5M', '7e+04G']
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.3g}"


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


def check_shows_arguments(name: str, value: object, base: type) -> None:
    """Raise TypeError if the base class's repr cannot show an argument of the constructor.

    A run's identity is made of such reprs: a checkpoint would be resumed with another argument.

    Parameters
    ----------
    name : str
        What the value is, for the message.
    value : object
        An object whose repr is ``constructor_repr``, unless its class has another.
    base : type
        Whose repr that is.
    """
    own: object = type(value).__repr__
    if own is not base.__repr__:
        return
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    for argument, parameter in inspect.signature(type(value)).parameters.items():
        if parameter.kind in kinds and not hasattr(value, argument):
            raise TypeError(
                f"{name}: expected {type(value).__name__} to keep its argument {argument!r} as an "
                "attribute of that name, as it identifies a run"
            )

"""Floating-point errors within minilayer neither warn nor raise, whatever the user's settings.

An overflow to infinity is a result, which trainers report; an underflow to 0 is a rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def ignores_floating_point_errors(
    function: Callable[Parameters, Result],
) -> Callable[Parameters, Result]:
    """Decorate a function to run as within ``np.errstate(all="ignore")``.

    It runs in a copy of the caller's context. So Ctrl-C cannot leave the setting behind, as it can
    at the edges of ``np.errstate``.
    """

    @wraps(function)
    def quiet(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        return copy_context().run(_call, function, arguments, options)

    return quiet


def _call(
    function: Callable[..., Result], arguments: tuple[Any, ...], options: dict[str, Any]
) -> Result:
    np.seterr(all="ignore")
    return function(*arguments, **options)

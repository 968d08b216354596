"""The version of the installed package."""

from __future__ import annotations

from functools import cache


@cache  # it takes as long as writing a small file
def library_version() -> str:
    """Return the version of the installed package, "unknown" if it is not installed.

    Returns
    -------
    str
        Such as "0.2.0".
    """
    from importlib.metadata import PackageNotFoundError, version  # it takes a while

    try:
        return version("minilayer")
    except PackageNotFoundError:
        return "unknown"

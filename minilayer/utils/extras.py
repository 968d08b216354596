"""Optional libraries: each belongs to an extra, which the error of a missing one names."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(module: str, extra: str) -> ModuleType:
    """Import an optional library.

    Parameters
    ----------
    module : str
        Its name for ``import``.
    extra : str
        The extra that installs it.

    Returns
    -------
    module
        The library.

    Raises
    ------
    ImportError
        If it is not installed; the message has the command to type.

    Examples
    --------
    >>> require("numpy", "plots").__name__
    'numpy'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ImportError(
            f"{module}: expected it to be installed, found no such module: "
            f"pip install 'minilayer[{extra}]'",
            name=module,
        ) from error

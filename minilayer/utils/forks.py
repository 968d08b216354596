"""What a forked child must do first: it has its parent's locks, but only one of its threads."""

from __future__ import annotations

import os
from collections.abc import Callable


def call_in_child(function: Callable[[], None]) -> None:
    """Call the function in each forked child before anything else runs there.

    Parameters
    ----------
    function : callable
        Replaces locks that other threads may have held, and forgets threads.
    """
    if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
        os.register_at_fork(after_in_child=function)

"""Work in a forked child, which a test may kill."""

import os
from collections.abc import Callable

import pytest

NEEDS_FORK = (
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning"),
)
"""Marks of tests that fork: ``pytestmark = NEEDS_FORK``, or ``@forks`` for one test."""


def forks(test: Callable[..., None]) -> Callable[..., None]:
    """Apply NEEDS_FORK to one test."""
    for mark in NEEDS_FORK:
        test = mark(test)
    return test


def in_child(work: Callable[[], object]) -> int:
    """Return the exit status of the work in a forked child; negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

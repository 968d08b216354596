"""Ctrl-C at safe places only.

Python raises KeyboardInterrupt between any two instructions of the main thread: after a lock is
taken and before the ``try`` that releases it, or between two assignments that belong together. No
``finally`` helps, as it can be interrupted itself. Within ``deferred_interrupts`` SIGINT is only
noted. It is raised where the code says so: by ``raise_interrupt``, anywhere within
``interruptible``, and at the end.

Other threads need none of this, as Python handles signals in the main thread. There all three do
nothing.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from enum import Enum
from types import FrameType
from typing import Any

from .forks import call_in_child

SIGNALS_OF_IMPATIENCE = 5
"""So many in one deferral are raised at once: the code that defers them hangs."""


class _Mode(Enum):
    NORMAL = "the user's handler is in place"
    DEFERRED = "signals are noted, and raised at safe places"
    INTERRUPTIBLE = "signals are raised at once"
    NESTED = "signals are noted; a deferral further out raises them"


_mode = _Mode.NORMAL
_noted = 0
_users_handler: Any = None


class deferred_interrupts:
    """Note SIGINT within; raise it at the safe places named above, and at the end.

    Raising means to call the user's own handler, which is put back at the end too. Python's default
    handler raises KeyboardInterrupt. A process that ignores SIGINT, or ends at once, still does.

    A deferral within another one leaves all to the outer one, which may be in the middle of
    something. But if the outer one is ``interruptible`` there, the inner one does as if it were
    alone.
    """

    def __enter__(self) -> None:
        global _mode
        self._mode_before = _mode if _is_main_thread() else None
        if self._mode_before is _Mode.NORMAL:
            _install()
        elif self._mode_before is _Mode.INTERRUPTIBLE:
            _mode = _Mode.DEFERRED
        elif self._mode_before is _Mode.DEFERRED:
            _mode = _Mode.NESTED

    def __exit__(self, *exception: object) -> None:
        global _mode
        if self._mode_before is None or _mode is _Mode.NORMAL:
            return  # NORMAL: the user has no handler, or this is a fork's child
        if self._mode_before is _Mode.NORMAL:
            _uninstall()
        else:
            _mode = self._mode_before
        if self._mode_before in (_Mode.NORMAL, _Mode.INTERRUPTIBLE):
            _call_users_handler()


class interruptible:
    """Raise SIGINT at once within, also one that was noted before. It is raised once only.

    The code that follows, such as a ``finally``, is deferred again even if signals come in a row.
    Outside of ``deferred_interrupts`` it does nothing.
    """

    def __enter__(self) -> None:
        global _mode
        self._changes_mode = _mode is _Mode.DEFERRED and _is_main_thread()
        if self._changes_mode:
            _mode = _Mode.INTERRUPTIBLE
            _call_users_handler()

    def __exit__(self, *exception: object) -> None:
        global _mode
        if self._changes_mode and _mode is _Mode.INTERRUPTIBLE:
            _mode = _Mode.DEFERRED


def raise_interrupt() -> None:
    """Raise a SIGINT that was noted: a safe place within ``deferred_interrupts``."""
    if _noted and _mode is _Mode.DEFERRED and _is_main_thread():
        _call_users_handler()


def _handle(number: int, frame: FrameType | None) -> None:
    """Stand in for the user's handler."""
    global _noted
    _noted += 1
    if _mode is _Mode.INTERRUPTIBLE:
        _call_users_handler()
    elif _mode is not _Mode.NORMAL and _noted >= SIGNALS_OF_IMPATIENCE:
        _users_handler(number, frame)


def _call_users_handler() -> None:
    """Hand over what was noted; what comes meanwhile, and after an exception, is noted again."""
    global _mode, _noted
    mode = _mode
    while _noted:
        if mode is _Mode.INTERRUPTIBLE:
            _mode = _Mode.DEFERRED
        _noted = 0
        _users_handler(signal.SIGINT, sys._getframe())
        _mode = mode


def _install() -> None:
    """Put our handler in place of the user's, if he has one."""
    global _mode, _noted, _users_handler
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        return
    if handler is not _handle:  # it is if the user has put back ours, too late
        _users_handler = handler
    _noted = 0
    with suppress(ValueError):  # the main thread of a subinterpreter has no handlers
        signal.signal(signal.SIGINT, _handle)
        _mode = _Mode.DEFERRED


def _uninstall() -> None:
    """Put the user's handler back, unless he has set another one meanwhile."""
    global _mode
    _mode = _Mode.NORMAL
    replaced = signal.signal(signal.SIGINT, _users_handler)
    if replaced is not _handle:
        signal.signal(signal.SIGINT, replaced)


def _end_in_child() -> None:
    """End the deferral, which may be that of a thread that the child does not have."""
    global _mode
    _mode = _Mode.NORMAL
    if signal.getsignal(signal.SIGINT) is _handle:
        signal.signal(signal.SIGINT, _users_handler)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


call_in_child(_end_in_child)

"""A process that makes one object, such as a framework at work on its data, and waits for calls."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

PAUSE_SECONDS = 0.08
"""Threads of BLAS and OpenMP fall asleep within this time after their work."""
JOIN_SECONDS = 5.0


class WorkerFailed(RuntimeError):
    """The object could not be made, or a call raised, or the process ended."""


class Reply(NamedTuple):
    """The outcome of a call, and what the process used while it waited for that call."""

    is_success: bool
    value: Any
    """The result of the call, or the text of its exception."""
    idle_cpu_seconds: float
    idle_seconds: float


class WorkerProcess:
    """A process that holds the object ``make(*arguments)`` and computes with it on request.

    Between calls it does not use the CPU, apart from threads of its libraries that spin.

    Parameters
    ----------
    make : callable
        Makes the object, in the process. It must be importable there by its name.
    *arguments
        The arguments of ``make``, which are pickled.

    Raises
    ------
    WorkerFailed
        If ``make`` raises, or the process ends.
    """

    def __init__(self, make: Callable[..., Any], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make, arguments), daemon=True)
        self._process.start()
        theirs.close()
        self._idle_cpu_seconds = 0.0
        self._idle_seconds = 0.0
        self._is_resting = True  # until the first rest has ended: preparation is not waiting
        try:
            self._receive()
        except WorkerFailed:
            self.close()
            raise

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return ``function(object, *arguments)``, computed in the process."""
        self._connection.send((function, arguments))
        return self._receive()

    def rest(self, seconds: float = PAUSE_SECONDS) -> None:
        """Wait until its threads are asleep. What they use until then does not count as idle."""
        time.sleep(seconds)
        self._is_resting = True
        self.call(_do_nothing)
        self._is_resting = False

    @property
    def idle_share(self) -> float:
        """CPU seconds that the process used per second of waiting, rests excluded."""
        return self._idle_cpu_seconds / self._idle_seconds if self._idle_seconds else 0.0

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join(timeout=JOIN_SECONDS)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()

    def _receive(self) -> Any:
        try:
            reply: Reply = self._connection.recv()
        except EOFError:
            raise WorkerFailed("its process ended") from None
        if not self._is_resting:
            self._idle_cpu_seconds += reply.idle_cpu_seconds
            self._idle_seconds += reply.idle_seconds
        if not reply.is_success:
            raise WorkerFailed(reply.value)
        return reply.value


def _do_nothing(_: object) -> None:
    pass


def _serve(connection: Connection, make: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Make the object, then serve calls until the other end is closed or ``make`` raises."""
    held: list[Any] = []

    def make_and_hold() -> None:
        held.append(make(*arguments))

    connection.send(_reply(make_and_hold, (), 0.0, 0.0))
    while held:
        cpu_start = time.process_time()
        start = time.perf_counter()
        try:
            function, others = connection.recv()
        except (EOFError, OSError):
            return
        idle_cpu_seconds = time.process_time() - cpu_start
        idle_seconds = time.perf_counter() - start
        connection.send(_reply(function, (held[0], *others), idle_cpu_seconds, idle_seconds))


def _reply(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    idle_cpu_seconds: float,
    idle_seconds: float,
) -> Reply:
    try:
        value = function(*arguments)
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        return Reply(False, text, idle_cpu_seconds, idle_seconds)
    return Reply(True, value, idle_cpu_seconds, idle_seconds)

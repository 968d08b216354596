"""Connection: a client of a cluster whose every answer is awaited with a limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any

from ..errors import ClusterError
from ..utils.checks import short_repr
from ..utils.cpus import default_workers
from ..utils.extras import require
from ..utils.interrupts import raise_interrupt

distributed: Any = require("distributed", "dask")

CANCELLED = (
    asyncio.CancelledError,
    require("distributed.comm", "dask").CommClosedError,
    require("distributed.scheduler", "dask").KilledWorker,
    require("distributed.scheduler", "dask").NoValidWorkerError,
)
"""What the cluster raises for a task that it gave up through no fault of the task."""

SLICE_SECONDS = 0.05
"""Between two looks for Ctrl-C."""
ANSWER_SECONDS = 10.0
"""What the scheduler has for a short answer; later it counts as unreachable."""


class GivenUp(Exception):
    """The cluster gave up work that is still wanted; it can be asked for again."""


UNANSWERED = (OSError, TimeoutError, CancelledError, GivenUp)
"""What a question to the scheduler raises if there is no answer."""


class Connection:
    """A client of a cluster.

    Parameters
    ----------
    client : distributed.Client, str or None
        A client, which stays open; the address of a scheduler; or None for the default client. If
        there is none, a LocalCluster with a process for each CPU is started.

    Attributes
    ----------
    client : distributed.Client
        The client.
    """

    def __init__(self, client: object) -> None:
        self._cluster: Any = None
        self._is_owner = True
        if isinstance(client, distributed.Client):
            if client.asynchronous:
                raise TypeError(
                    "client: expected a Client that waits, found an asynchronous one: "
                    "use Client(address)"
                )
            self.client: Any = client
            self._is_owner = False
        elif isinstance(client, str):
            self.client = _connected(client)
        elif client is None:
            self._take_default()
        else:
            raise TypeError(
                "client: expected a distributed.Client, the address of a scheduler or None, "
                f"found {short_repr(client)}: use distributed.Client(...)"
            )

    def _take_default(self) -> None:
        try:
            self.client = distributed.default_client()
            self._is_owner = False
        except ValueError:  # there is none
            self._cluster = distributed.LocalCluster(
                n_workers=default_workers(),
                threads_per_worker=1,
                processes=True,
                dashboard_address=":0",
            )
            self.client = distributed.Client(self._cluster, set_as_default=False)

    def begin(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Future[Any]:
        """Start a coroutine of the client or of its scheduler."""

        async def call() -> Any:
            try:
                return await function(*arguments, **options)
            except CANCELLED as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise  # by ``Future.cancel``
                raise GivenUp(f"{type(error).__name__}: {error}") from None

        return asyncio.run_coroutine_threadsafe(call(), self.client.loop.asyncio_loop)

    def ask(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        seconds: float | None = None,
        **options: Any,
    ) -> Any:
        """Return the result of a coroutine; TimeoutError if it takes longer (default: 10 s)."""
        seconds = ANSWER_SECONDS if seconds is None else seconds
        answer = self.begin(function, *arguments, **options)
        try:
            if not finishes(answer, seconds):
                raise TimeoutError(f"no answer within {seconds:g} s")
            return answer.result()
        finally:
            answer.cancel()

    def running_workers(self) -> dict[str, int]:
        """Return the threads of each worker that takes tasks, by address.

        A worker that retires, and one that is paused for lack of memory, takes none. Empty if the
        scheduler does not answer.
        """
        if self.client.status in ("closed", "closing") or self.client.scheduler is None:
            raise ClusterError("client: expected an open client, found a closed one")
        try:
            running: dict[str, int] = self.ask(self.client.scheduler.ncores_running)
        except UNANSWERED:
            return {}
        return running

    def is_busy(self, keys: set[str]) -> bool:
        """Return whether a worker is computing one of the tasks; with no keys, any task.

        False if the workers do not say so in time.
        """
        scheduler = self.client.scheduler
        try:
            stacks: dict[str, dict[str, object]] = self.ask(scheduler.call_stack)
        except (KeyError, OSError, TimeoutError, CancelledError, GivenUp):
            return False
        computing = {key for worker in stacks.values() for key in worker}
        return bool(computing & keys if keys else computing)

    def close(self) -> None:
        """Close what was opened here."""
        if self._is_owner:
            self.client.close()
        if self._cluster is not None:
            self._cluster.close()


def _connected(address: str) -> Any:
    try:
        return distributed.Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"client: expected the address of a scheduler, found {address!r}: {error}"
        ) from error


def finishes(answer: Future[Any], seconds: float) -> bool:
    """Wait for a future; return whether it finished in time. Ctrl-C is raised meanwhile."""
    end = time.monotonic() + seconds
    while not answer.done():
        left = end - time.monotonic()
        if left <= 0:
            return False
        with suppress(TimeoutError, CancelledError):
            answer.exception(timeout=min(SLICE_SECONDS, left))
        raise_interrupt()
    return True

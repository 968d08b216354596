"""Work: the tasks of one round, and those of them that must be started again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..utils.types import Array
from .connection import Connection, GivenUp
from .parts import add_part_sums
from .placement import Placement, new_keys

MAX_ARGUMENT_BYTES = 1 << 20
"""Of the arrays that travel with the tasks of a round; more are scattered first."""
SCATTER_SECONDS = 60.0
WITHOUT_RESULT = ("error", "cancelled", "lost")
"""What a future says of a task that has no result and will have none."""


@dataclass(frozen=True)
class Task:
    """What is to be done with each part: ``function(part, *shared, *own[part])``."""

    function: Callable[..., Any]
    shared: tuple[Array, ...] = ()
    """Arrays that all tasks take."""
    own: Mapping[int, tuple[Any, ...]] = field(default_factory=dict)
    """What only a part's own task takes."""


class Work:
    """The tasks of a round: a future for each part, and one for each group of parts.

    Parameters
    ----------
    connection : Connection
        The cluster.
    placement : Placement
        Where the parts are.
    task : Task
        What is done with each part.
    groups : list of list of int
        The parts. The results of a group of several are added up on a worker.
    """

    def __init__(
        self,
        connection: Connection,
        placement: Placement,
        task: Task,
        groups: list[list[int]],
    ) -> None:
        self._connection = connection
        self._placement = placement
        self._task = task
        self._groups = groups
        self._of_parts: dict[int, Any] = {}
        self._of_groups: dict[int, Any] = {}
        self._open = list(range(len(groups)))  # groups whose result has not been fetched
        count = sum(map(len, groups))
        size = sum(array.nbytes for array in task.shared)
        self._is_scattered = count * size > MAX_ARGUMENT_BYTES

    def start(self) -> None:
        """Start all tasks, unless they have been."""
        if not self._of_groups:
            self._start([part for group in self._groups for part in group], self._open)

    def start_again(self, parts: Collection[int], *, is_given_up: bool = False) -> None:
        """Start the tasks of parts that have been placed anew.

        All that is not done is started again if the cluster gave it up, or if it may wait for
        arrays that a dead worker held.
        """
        is_everything = is_given_up or self._is_scattered
        placed = set(parts)

        def is_due(future: Any) -> bool:
            return future is None or (is_everything and future.status != "finished")

        due_groups = [
            group
            for group in self._open
            if is_due(self._of_groups.get(group)) or placed & set(self._groups[group])
        ]
        due_parts = [
            part
            for group in due_groups
            for part in self._groups[group]
            if part in placed or is_due(self._of_parts.get(part))
        ]
        self._start(due_parts, due_groups)

    async def gather(self, wanted: Iterable[int]) -> Any:
        """Return the results of some groups."""
        futures = [self._of_groups[group] for group in wanted]
        return await self._connection.client.gather(futures, asynchronous=True)

    def forget(self, fetched: Collection[int]) -> None:
        """Let the workers forget the results of groups that have been fetched."""
        self._open = [group for group in self._open if group not in fetched]
        for group in fetched:
            del self._of_groups[group]
            for part in self._groups[group]:
                del self._of_parts[part]

    def replace_given_up(self) -> list[int]:
        """Load parts again whose loading was given up; return their numbers."""
        given_up = [
            part
            for group in self._open
            for part in self._groups[group]
            if self._placement.futures[part].status in WITHOUT_RESULT
        ]
        self._placement.replace(given_up, is_late=False)
        return given_up

    def unfinished_parts(self) -> list[int]:
        """Return the parts of groups that have no result."""
        return [
            part
            for group in self._open
            if self._of_groups[group].status != "finished"
            for part in self._groups[group]
            if self._of_parts[part].status != "finished"
        ]

    def failed_part(self) -> int | None:
        """Return the first part whose task raised an exception."""
        failed = [part for part, future in self._of_parts.items() if future.status == "error"]
        return min(failed, default=None)

    def is_done(self, wanted: Iterable[int]) -> bool:
        """Return whether some groups have their results, or one of them will have none."""
        found = {self._of_groups[group].status for group in wanted}
        return "pending" not in found or not found.isdisjoint(WITHOUT_RESULT)

    def count_finished(self) -> int:
        """Return how many tasks have a result, loading included."""
        return sum(future.status == "finished" for future in self._futures())

    def unfinished_keys(self) -> set[str]:
        """Return the keys of the tasks that are not done.

        Empty if parts are being loaded from arrays: then any task of the cluster may be part of it.
        """
        if any(self._placement.futures[part].status != "finished" for part in self._of_parts):
            return set()
        return {future.key for future in self._futures() if future.status != "finished"}

    def _futures(self) -> list[Any]:
        loading = [self._placement.futures[part] for part in self._of_parts]
        return [*loading, *self._of_parts.values(), *self._of_groups.values()]

    def _start(self, parts: Collection[int], groups: Collection[int]) -> None:
        shared = self._shared()
        of_worker: dict[str, list[int]] = {}
        for part in parts:
            of_worker.setdefault(self._placement.workers[part], []).append(part)
        for worker, own in of_worker.items():
            futures = self._map(own, shared, worker)
            self._of_parts.update(zip(own, futures, strict=True))
        for group in groups:
            members = [self._of_parts[part] for part in self._groups[group]]
            is_single = len(members) == 1
            self._of_groups[group] = members[0] if is_single else self._add_up(members)

    def _shared(self) -> Sequence[Any]:
        """Return the arrays that all tasks take, or futures of them if they are large."""
        if not self._is_scattered:
            return self._task.shared
        try:
            scattered: Sequence[Any] = self._connection.ask(
                self._connection.client.scatter,
                list(self._task.shared),
                hash=False,
                asynchronous=True,
                seconds=SCATTER_SECONDS,
            )
        except TimeoutError as error:
            raise GivenUp(str(error)) from None
        return scattered

    def _map(self, parts: list[int], shared: Sequence[Any], worker: str) -> Sequence[Any]:
        count = len(parts)
        own = [self._task.own.get(part, ()) for part in parts]
        futures: Sequence[Any] = self._connection.client.map(
            self._task.function,
            [self._placement.futures[part] for part in parts],
            *([one] * count for one in shared),
            *map(list, zip(*own, strict=True)),
            key=new_keys(self._task.function.__name__, count),
            workers=[worker],
            pure=False,
        )
        return futures

    def _add_up(self, members: list[Any]) -> Any:
        (key,) = new_keys(add_part_sums.__name__, 1)
        return self._connection.client.submit(add_part_sums, *members, key=key, pure=False)

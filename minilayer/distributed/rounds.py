"""Rounds: one task for each part, and their results in part order, whatever happens to workers.

Every wait has a limit and looks again. A round so survives dead workers, new ones, and tasks that
the cluster has forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any, NoReturn

from ..errors import ClusterError
from ..objective.ordered_sum import groups
from ..utils.interrupts import raise_interrupt
from .connection import Connection, GivenUp
from .parts import PartError, Span
from .placement import Placement
from .work import Task, Work

LOOK_SECONDS = 0.2
"""Between two looks at the workers while results are awaited."""
MIN_PAUSE_SECONDS = 0.0005
MAX_PAUSE_SECONDS = 0.02
PAUSE_SHARE = 0.03
"""Between two looks at the results, of the time that they have taken so far."""
QUIET_SECONDS = 15.0
"""After which tasks that no worker is computing are given to other workers."""
MAX_RESULT_BYTES = 1 << 26
"""That the client fetches at a time."""
MAX_RETRIES = 20
"""Of tasks that the cluster gave up, within a round."""
KINDS: dict[str, type[Exception]] = {
    "TypeError": TypeError,
    "ValueError": ValueError,
    "ClusterError": ClusterError,
}


class Rounds:
    """Runs tasks on the parts of an objective."""

    def __init__(self, connection: Connection, placement: Placement, spans: Sequence[Span]) -> None:
        self._connection = connection
        self._placement = placement
        self._spans = spans

    def run(
        self, task: Task, parts: Sequence[int] | None = None, *, sums: bool = False
    ) -> Iterator[Any]:
        """Yield the results of a task in part order.

        With ``sums``, more than 64 parts are added in groups on the workers, and the sums of the
        groups are yielded.
        """
        chosen = range(len(self._spans)) if parts is None else parts
        ranges = groups(len(chosen)) if sums else [range(k, k + 1) for k in range(len(chosen))]
        members = [[chosen[k] for k in group] for group in ranges]
        self._placement.balance()
        work = Work(self._connection, self._placement, task, members)
        size = sum(array.nbytes for array in task.shared)
        window = max(1, MAX_RESULT_BYTES // max(1, size))
        for start in range(0, len(members), window):
            wanted = range(start, min(start + window, len(members)))
            yield from self._results(work, wanted)
            work.forget(wanted)
        self._placement.trust_workers()

    def _results(self, work: Work, wanted: range) -> list[Any]:
        """Return the results of some groups, started again as often as it takes."""
        reason: Exception | None = None
        for _ in range(MAX_RETRIES):
            try:
                if reason is None:
                    work.start()
                else:
                    lost = self._placement.replace_lost()
                    work.start_again([*lost, *work.replace_given_up()], is_given_up=True)
                return self._gathered(work, wanted)
            except (GivenUp, CancelledError) as error:
                reason = error
            except ClusterError:
                raise
            except Exception as error:
                self._explain(work, error)
        raise ClusterError(
            f"the cluster gave up an evaluation {MAX_RETRIES} times: {reason}"
        ) from reason

    def _gathered(self, work: Work, wanted: range) -> list[Any]:
        """Return the results of some groups; the tasks of lost parts are started again."""
        patience = QUIET_SECONDS
        while True:
            if self._waits(lambda: work.is_done(wanted), work, patience):
                answer = self._connection.begin(work.gather, wanted)
                try:
                    if self._waits(answer.done, work, patience):
                        return list(answer.result())
                finally:
                    answer.cancel()
            patience *= 2

    def _waits(self, is_done: Callable[[], bool], work: Work, patience: float) -> bool:
        """Wait until it is done; return False if tasks have been started again meanwhile."""
        began = looked = changed = time.monotonic()
        finished = work.count_finished()
        while not is_done():
            raise_interrupt()
            now = time.monotonic()
            time.sleep(min(MAX_PAUSE_SECONDS, MIN_PAUSE_SECONDS + PAUSE_SHARE * (now - began)))
            if now - looked < LOOK_SECONDS:
                continue
            looked = now
            lost = self._placement.replace_lost()
            if lost:
                work.start_again(lost)
                return False
            is_long = now - changed > patience
            if work.count_finished() > finished or (is_long and self._is_computing(work)):
                finished = work.count_finished()
                changed = now
            elif is_long:
                late = work.unfinished_parts()
                self._placement.replace(late, is_late=True)
                work.start_again(late, is_given_up=True)
                return False
        return True

    def _is_computing(self, work: Work) -> bool:
        return self._connection.is_busy(work.unfinished_keys())

    def _explain(self, work: Work, error: Exception) -> NoReturn:
        """Raise what the user is to see of the exception of a task."""
        if isinstance(error, PartError):
            kind, message = error.args
            raise KINDS[kind](message) from error.__cause__
        part = work.failed_part()
        where = "" if part is None else f"{self._spans[part]}: "
        raise ClusterError(f"{where}{type(error).__name__}: {error}") from error

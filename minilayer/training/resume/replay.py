"""Replay: evaluations of an earlier part of the run, given back instead of computed again."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple, Protocol

import numpy as np

from ...errors import ResumeError
from ...utils.types import Array, State

MAX_STORED = 256
"""Evaluations of an unfinished iteration that fit into a checkpoint's JSON."""


class Replay(Protocol):
    """Where a run records its evaluations, and finds those of its earlier part."""

    @property
    def replayed(self) -> int:
        """Number of the last evaluation that was given back."""

    @property
    def has_diverged(self) -> bool:
        """Whether an evaluation was not at the point of the earlier part."""

    def next(self, x: Array) -> tuple[float, Array, float] | None:
        """Return cost, gradient and seconds of the next evaluation; None if it is not known.

        Raises ResumeError if that evaluation was not at x.
        """

    def record(self, x: Array, cost: float, gradient: Array, seconds: float) -> None:
        """Record an evaluation."""


class _Recorded(NamedTuple):
    x: Array
    cost: float
    gradient: Array
    seconds: float


class UnfinishedIteration:
    """The evaluations since the last whole iteration, which a checkpoint stores with the state.

    A method with explicit state resumes at a whole iteration. If the run had ended within the next
    one, for instance in a line search, that iteration begins again, and these evaluations are not
    computed again: the first 256 of them.
    """

    def __init__(self) -> None:
        self.replayed = 0
        self.has_diverged = False
        self._known: deque[_Recorded] = deque()
        self._recorded: list[_Recorded] = []

    def next(self, x: Array) -> tuple[float, Array, float] | None:
        """Return the next known evaluation."""
        if not self._known:
            return None
        if not np.array_equal(self._known[0].x, x, equal_nan=True):
            self.has_diverged = True
            raise ResumeError(
                "checkpoint: expected the next evaluation at the point of the checkpoint, found "
                "another: the machine's arithmetic or the library's version has changed"
            )
        known = self._known.popleft()
        self._recorded.append(known)
        self.replayed += 1
        return known.cost, known.gradient, known.seconds

    def record(self, x: Array, cost: float, gradient: Array, seconds: float) -> None:
        """Record an evaluation, in copies."""
        self._recorded.append(_Recorded(x.copy(), cost, gradient.copy(), seconds))

    def end_iteration(self) -> None:
        """Forget the evaluations of the iteration that has ended."""
        self._recorded.clear()

    def as_state(self) -> State:
        """Return what a checkpoint stores: the first evaluations by number."""
        stored = [*self._recorded, *self._known][:MAX_STORED]
        return {str(number): one._asdict() for number, one in enumerate(stored)}

    def restore(self, state: State) -> None:
        """Continue from what a checkpoint stored."""
        self._known = deque(_Recorded(**state[str(number)]) for number in range(len(state)))

"""How time is taken: processes take turns of a fraction of a second.

On a machine with few cores and other users, two runs a minute apart differ by more than two
frameworks do. Each framework therefore has a process of its own, which prepares its data once. Then
all of them take turns, round after round, in an order that rotates. A pause after each turn lets
the threads of BLAS and OpenMP fall asleep. ``WorkerProcess.idle_share`` measures what the waiting
processes use nevertheless.

The figure of a turn is the median time of its evaluations, after one that is not counted. The
figure of a framework is the median over rounds. A ratio is the median of the rounds' own ratios.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from statistics import median
from typing import Protocol, TypeVar

from .worker_process import PAUSE_SECONDS, WorkerProcess

Key = TypeVar("Key", bound=Hashable)

TURN_SECONDS = 0.25
MIN_ROUNDS = 3


class Evaluates(Protocol):
    """What a worker process must hold to take turns."""

    def evaluate(self) -> object:
        """Do the work that is timed."""


def take_turns(
    processes: Mapping[Key, WorkerProcess],
    seconds: float,
    turn_seconds: float = TURN_SECONDS,
    pause_seconds: float = PAUSE_SECONDS,
) -> dict[Key, list[float]]:
    """Time ``evaluate()`` of the object in each process, in turns.

    Parameters
    ----------
    processes : mapping of key to WorkerProcess
        Who takes part.
    seconds : float
        Seconds for each process over all rounds, pauses included. There are at least 3 rounds.
    turn_seconds : float, default 0.25
        Seconds of one turn. A turn has at least one evaluation that is counted.
    pause_seconds : float, default 0.08
        Seconds after each turn.

    Returns
    -------
    dict of key to list of float
        Seconds of one evaluation, by process and round.
    """
    times: dict[Key, list[float]] = {key: [] for key in processes}
    order = list(processes)
    for process in processes.values():
        process.rest(pause_seconds)
    rounds = 0
    start = time.perf_counter()
    while rounds < MIN_ROUNDS or time.perf_counter() - start < seconds * len(processes):
        for key in order:
            times[key].append(processes[key].call(_take_turn, turn_seconds))
            processes[key].rest(pause_seconds)
        order = order[1:] + order[:1]
        rounds += 1
    return times


def ratio(times: list[float], baseline: list[float]) -> float:
    """Return the median over rounds of time / baseline of the same round."""
    return median(a / b for a, b in zip(times, baseline, strict=True))


def median_seconds(function: Callable[[], object], seconds: float) -> float:
    """Call a function for some seconds and return the median time of a call.

    The first call is not counted. At least one other is.
    """
    function()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return median(times)


def _take_turn(evaluation: Evaluates, seconds: float) -> float:
    return median_seconds(evaluation.evaluate, seconds)

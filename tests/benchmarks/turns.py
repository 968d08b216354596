"""How time is taken: contestants in processes of their own take turns.

On a machine with few cores and other guests, two runs a minute apart differ by more than two contestants do. So every
contestant lives in a process of its own, prepares its data once, and then all take turns of a fraction of a second,
round after round, in an order that rotates. Threads of BLAS and OpenMP spin for some milliseconds after their work;
the pause after each turn lets them fall asleep before the next contestant starts (what the waiting ones use all the
same, once their pause is over, is measured: ``Seat.idle_share``). A turn's figure is the median time of its
evaluations, after one that is not counted. A contestant's figure is the median over rounds; a ratio is the median of
the rounds' own ratios.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

TURN_SECONDS = 0.25
PAUSE_SECONDS = 0.08
FEWEST_ROUNDS = 3


class ContestantFailed(RuntimeError):
    """A contestant could not be made, or raised."""


class Seat:
    """A process with one contestant in it, made there by ``make(*arguments)``; it waits without using the CPU."""

    def __init__(self, make: Callable[..., Any], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make, arguments), daemon=True)
        self._process.start()
        theirs.close()
        self._idle_cpu = self._idle_wall = 0.0
        self._resting = True  # from now until the first rest is over: preparation is no idling
        try:
            self._receive()
        except ContestantFailed:
            self.close()
            raise

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """``function(contestant, *arguments)``, computed in the process."""
        self._connection.send((function, arguments))
        return self._receive()

    def rest(self, seconds: float = PAUSE_SECONDS) -> None:
        """Let its threads fall asleep; what they use on the way there does not count as idle."""
        time.sleep(seconds)
        self._resting = True
        self.call(_nothing)
        self._resting = False

    @property
    def idle_share(self) -> float:
        """CPU seconds that the process used per second of waiting for its turn, pauses left out."""
        return self._idle_cpu / self._idle_wall if self._idle_wall else 0.0

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join(timeout=5)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()

    def _receive(self) -> Any:
        try:
            success, value, cpu, wall = self._connection.recv()
        except EOFError:
            raise ContestantFailed("its process ended") from None
        if not self._resting:
            self._idle_cpu += cpu
            self._idle_wall += wall
        if not success:
            raise ContestantFailed(value)
        return value


def take_turns(
    seats: Mapping[str, Seat],
    seconds: float,
    turn: float = TURN_SECONDS,
    pause: float = PAUSE_SECONDS,
) -> dict[str, list[float]]:
    """Seconds per evaluation of each seat's contestant, by round; ``seconds`` is what each gets in all, about."""
    times: dict[str, list[float]] = {name: [] for name in seats}
    order = list(seats)
    for seat in seats.values():
        seat.rest(pause)
    began, rounds = time.perf_counter(), 0
    while rounds < FEWEST_ROUNDS or time.perf_counter() - began < seconds * len(seats):
        for name in order:
            times[name].append(seats[name].call(_turn, turn))
            seats[name].rest(pause)
        order = order[1:] + order[:1]
        rounds += 1
    return times


def ratio(times: list[float], reference: list[float]) -> float:
    """The median over rounds of time / reference of the same round."""
    return median(a / b for a, b in zip(times, reference, strict=True))


def _nothing(contestant: Any) -> None:
    pass


def _turn(contestant: Any, seconds: float) -> float:
    contestant.evaluate()
    times: list[float] = []
    began = time.perf_counter()
    while not times or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        contestant.evaluate()
        times.append(time.perf_counter() - start)
    return median(times)


def _serve(connection: Connection, make: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """The process: make the contestant, then answer calls until the other end is closed."""
    cpu = wall = 0.0
    contestant: Any = None
    function, arguments = _made_by(make), arguments
    while True:
        try:
            value = function(contestant, *arguments)
            if contestant is None:
                contestant, value = value, None
            reply = (True, value, cpu, wall)
        except Exception as error:
            reply = (False, f"{type(error).__name__}: {error}", cpu, wall)
        connection.send(reply)
        cpu, wall = -time.process_time(), -time.perf_counter()
        try:
            function, arguments = connection.recv()
        except (EOFError, OSError):
            return
        cpu, wall = cpu + time.process_time(), wall + time.perf_counter()


def _made_by(make: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _, *arguments: make(*arguments)

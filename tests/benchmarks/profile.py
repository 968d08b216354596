"""Where the time of one evaluation of minilayer goes, in percent, on one worker.

    python -m tests.benchmarks.profile
    python -m tests.benchmarks.profile --shape 60000,784,100,10 --dtype float32

On two cores of an AMD EPYC with AVX-512 (OpenBLAS, NumPy 2.4), float64:

    (rows, inputs, hidden, outputs)   products   activations   loss   dense, not products   the rest
    (5000, 400, 25, 10)                   84 %           6 %    4 %                   3 %        3 %
    (60000, 784, 100, 10)                 94 %           4 %    1 %                   1 %        0 %
    (5000, 400, 256, 10)                  86 %           7 %    1 %                   3 %        2 %
    (20000, 64, 16, 10)                   65 %          14 %   14 %                   4 %        3 %
    (1000000, 32, 16, 1)                  57 %          28 %    5 %                  10 %        2 %

and with AVX2 only:

    (5000, 400, 25, 10)                   72 %          13 %    7 %                   4 %        4 %
    (60000, 784, 100, 10)                 87 %          11 %    1 %                   1 %        0 %
    (5000, 400, 256, 10)                  78 %          17 %    1 %                   2 %        2 %
    (20000, 64, 16, 10)                   45 %          27 %   21 %                   4 %        3 %
    (1000000, 32, 16, 1)                  36 %          51 %    5 %                   7 %        1 %

Without AVX-512 nearly all of the activations' share and half of the loss's is NumPy's exponential, which is not
vectorized then.

Timers are put around minilayer's methods and NumPy's matrix product from outside; each is charged for its own time
without that of the timers inside it. The timers themselves cost about a microsecond a call, the share of which is shown
by comparing with the time without them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np
from threadpoolctl import threadpool_limits

from minilayer import BinaryCrossEntropy, Dense, Sigmoid

from .contestants.with_minilayer import MinilayerEvaluation
from .evaluation import DTYPES, SHAPES
from .machine import machine_line
from .problem import DType, Problem, Shape

FORWARD, BACKWARD = "forward products", "backward products"
DENSE, ACTIVATIONS, LOSS, REST = "dense, not products", "activations", "loss", "the rest"
SHARES = (FORWARD, BACKWARD, DENSE, ACTIVATIONS, LOSS, REST)
METHODS: tuple[tuple[type, str, str], ...] = (
    (Dense, "forward", DENSE),
    (Dense, "input_gradient", DENSE),
    (Dense, "parameter_gradient", DENSE),
    (Sigmoid, "forward", ACTIVATIONS),
    (Sigmoid, "input_gradient", ACTIVATIONS),
    (BinaryCrossEntropy, "evaluate", LOSS),
)


class Clock:
    """Charges each input_gram to the innermost share that is open."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(SHARES, 0.0)
        self._open = [REST]
        self._since = time.perf_counter()

    def enter(self, share: str) -> None:
        self._charge()
        self._open.append(share)

    def leave(self) -> None:
        self._charge()
        self._open.pop()

    def _charge(self) -> None:
        now = time.perf_counter()
        self.seconds[self._open[-1]] += now - self._since
        self._since = now


def profile(problem: Problem, seconds: float) -> tuple[dict[str, float], float, float]:
    """Shares of an evaluation's time, and the milliseconds of one with the timers and without."""
    with threadpool_limits(1):
        contestant = MinilayerEvaluation(problem, workers=1)
        bare = _repeat(contestant.evaluate, seconds)
        with _timers() as clock:
            clock.seconds = dict.fromkeys(SHARES, 0.0)
            clock.enter(REST)
            timed = _repeat(contestant.evaluate, seconds)
            clock.leave()
    total = sum(clock.seconds.values())
    return {share: spent / total for share, spent in clock.seconds.items()}, timed * 1e3, bare * 1e3


@contextmanager
def _timers() -> Iterator[Clock]:
    clock, forward = Clock(), [False]

    def method(function: Callable[..., Any], name: str, share: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            forward[0] = name == "forward"
            clock.enter(share)
            try:
                return function(*arguments, **options)
            finally:
                clock.leave()

        return timed

    def products(function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            clock.enter(FORWARD if forward[0] else BACKWARD)
            try:
                return function(*arguments, **options)
            finally:
                clock.leave()

        return timed

    with ExitStack() as patches:
        for owner, name, share in METHODS:
            patches.enter_context(
                patch.object(owner, name, method(getattr(owner, name), name, share))
            )
        for name in ("matmul", "dot"):
            patches.enter_context(patch.object(np, name, products(getattr(np, name))))
        yield clock


def _repeat(function: Callable[[], object], seconds: float) -> float:
    function()
    times: list[float] = []
    began = time.perf_counter()
    while not times or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return median(times)


def main(arguments: list[str] | None = None) -> None:
    """Print a line a size."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.profile", description="Where the time goes."
    )
    parser.add_argument(
        "--shape", type=Shape.parse, action="append", help="rows,inputs,hidden,outputs; repeats"
    )
    parser.add_argument("--dtype", choices=DTYPES, default="float64")
    parser.add_argument("--seconds", type=float, default=2.0, help="per size (default 2)")
    options = parser.parse_args(arguments)
    dtype: DType = options.dtype
    print(f"{machine_line()}\n\none evaluation, one worker, {dtype}, percent of the time")
    print(
        f"{'(rows, inputs, hidden, outputs)':<32}"
        + "".join(f"{share:>21}" for share in SHARES)
        + "   ms (untimed)"
    )
    for shape in options.shape or SHAPES:
        shares, timed, bare = profile(Problem(shape, dtype), options.seconds)
        cells = "".join(f"{shares[share]:>21.1%}" for share in SHARES)
        print(f"{shape!s:<32}{cells}   {timed:.3f} ({bare:.3f})", flush=True)


if __name__ == "__main__":
    main()

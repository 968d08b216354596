"""Where the time of one evaluation of minilayer goes, in percent, on one worker.

    python -m tests.benchmarks.profile
    python -m tests.benchmarks.profile --shape 60000,784,100,10 --dtype float32

Timers surround minilayer's methods and NumPy's matrix products. Each is charged for its own time,
without that of the timers inside it. A timer takes about a microsecond a call. The last column
shows the time of an evaluation with the timers and without.

README.md holds the results.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from threadpoolctl import threadpool_limits

import minilayer as ml

from .case import DTYPES, SHAPES, Case, Shape
from .frameworks.with_minilayer import MinilayerEvaluation
from .machine import machine_line
from .turns import median_seconds

FORWARD = "forward products"
BACKWARD = "backward products"
DENSE = "dense, not products"
ACTIVATIONS = "activations"
LOSS = "loss"
REST = "the rest"
SHARES = (FORWARD, BACKWARD, DENSE, ACTIVATIONS, LOSS, REST)
METHODS: tuple[tuple[type, str, str], ...] = (
    (ml.Dense, "forward", DENSE),
    (ml.Dense, "input_gradient", DENSE),
    (ml.Dense, "parameter_gradient", DENSE),
    (ml.Sigmoid, "forward", ACTIVATIONS),
    (ml.Sigmoid, "input_gradient", ACTIVATIONS),
    (ml.BinaryCrossEntropy, "value_and_error_", LOSS),
)
PRODUCTS = ("matmul", "dot")


class Profile(NamedTuple):
    """Where the time goes."""

    shares: dict[str, float]
    """The parts of an evaluation's time; their sum is 1."""
    timed_ms: float
    """One evaluation with the timers."""
    untimed_ms: float
    """One evaluation without them."""


class ShareClock:
    """Charges each moment to the innermost share that is open."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(SHARES, 0.0)
        self.is_forward = False
        self._open = [REST]
        self._since = time.perf_counter()

    def reset(self) -> None:
        """Forget what has been charged until now."""
        self.seconds = dict.fromkeys(SHARES, 0.0)
        self._since = time.perf_counter()

    def around_method(self, owner: type, name: str, share: str) -> Callable[..., Any]:
        """Return the method, charged to a share."""
        method = getattr(owner, name)

        def timed(*arguments: Any, **options: Any) -> Any:
            self.is_forward = name == "forward"
            return self._timed(share, method, *arguments, **options)

        return timed

    def around_product(self, name: str) -> Callable[..., Any]:
        """Return NumPy's function, charged to the products of the pass that calls it."""
        function = getattr(np, name)

        def timed(*arguments: Any, **options: Any) -> Any:
            share = FORWARD if self.is_forward else BACKWARD
            return self._timed(share, function, *arguments, **options)

        return timed

    def charge(self) -> None:
        """Charge the time since the last call to the innermost share that is open."""
        now = time.perf_counter()
        self.seconds[self._open[-1]] += now - self._since
        self._since = now

    def _timed(
        self, share: str, function: Callable[..., Any], *arguments: Any, **options: Any
    ) -> Any:
        self.charge()
        self._open.append(share)
        try:
            return function(*arguments, **options)
        finally:
            self.charge()
            self._open.pop()


def measure(case: Case, seconds: float) -> Profile:
    """Measure one case on one worker and one BLAS thread.

    Parameters
    ----------
    case : Case
        Sizes and precision.
    seconds : float
        Seconds with the timers, and as many without.

    Returns
    -------
    Profile
        The shares and the times.
    """
    with threadpool_limits(1):
        evaluation = MinilayerEvaluation(case, workers=1)
        untimed = median_seconds(evaluation.evaluate, seconds)
        with _timers() as clock:
            evaluation.evaluate()
            clock.reset()
            timed = median_seconds(evaluation.evaluate, seconds)
            clock.charge()
    total = sum(clock.seconds.values())
    shares = {share: spent / total for share, spent in clock.seconds.items()}
    return Profile(shares, timed * 1e3, untimed * 1e3)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line a shape."""
    options = _parser().parse_args(arguments)
    print(f"{machine_line()}\n")
    print(f"one evaluation, one worker, {options.dtype}, percent of the time")
    columns = "".join(f"{share:>21}" for share in SHARES)
    print(f"{'(rows, inputs, hidden, outputs)':<32}{columns}   ms (untimed)")
    for shape in options.shape or SHAPES:
        profile = measure(Case(shape, options.dtype), options.seconds)
        cells = "".join(f"{profile.shares[share]:>21.1%}" for share in SHARES)
        times = f"{profile.timed_ms:.3f} ({profile.untimed_ms:.3f})"
        print(f"{shape!s:<32}{cells}   {times}", flush=True)


@contextmanager
def _timers() -> Iterator[ShareClock]:
    """Put a clock around minilayer's methods and NumPy's products."""
    clock = ShareClock()
    with ExitStack() as patches:
        for owner, name, share in METHODS:
            timed = clock.around_method(owner, name, share)
            patches.enter_context(patch.object(owner, name, timed))
        for name in PRODUCTS:
            patches.enter_context(patch.object(np, name, clock.around_product(name)))
        yield clock


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.profile", description="Where the time goes."
    )
    parser.add_argument(
        "--shape",
        type=Shape.parse,
        action="append",
        help="rows,inputs,hidden,outputs; can be repeated",
    )
    parser.add_argument("--dtype", choices=DTYPES, default="float64")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each shape (default 2)")
    return parser


if __name__ == "__main__":
    main()

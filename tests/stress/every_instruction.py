"""Ctrl-C before every instruction: what random signals find by chance, this finds for certain.

    python -m tests.stress.every_instruction --stride 1

Each piece of work of ``interrupted_work`` is done again and again. SIGINT comes before its first
bytecode instruction, before its second, and so on, in whatever function of minilayer, the standard
library or SciPy. What must hold afterwards is what ``tests.stress.interrupts`` checks.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from .interrupted_work import (
    WORK,
    Problems,
    Surroundings,
    Work,
    interruptible_call,
    on_interrupt,
)


class InterruptAt:
    """Calls a function and sends SIGINT before its n-th instruction in this thread.

    Python looks for signals before some instructions only. So the handler runs here wherever it
    can, and elsewhere too.

    Attributes
    ----------
    instructions : int
        How many were run, up to the signal.
    """

    def __init__(self, instruction: int | None) -> None:
        self.instructions = 0
        self._at = instruction

    def __call__(self, function: Callable[[], Any]) -> Any:
        """Return what the function returns."""
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            return interruptible_call(function)
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_opcodes = frame.f_code is not interruptible_call.__code__
        if event == "opcode":
            self.instructions += 1
            if self.instructions == self._at:
                sys.settrace(None)
                signal.raise_signal(signal.SIGINT)
        return self._trace


def interrupt_everywhere(name: str, stride: int, first: int = 1) -> tuple[int, Problems]:
    """Interrupt before every ``stride``-th instruction; return how often, and what broke."""
    found: Problems = []
    times = 0
    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        with WORK[name]() as work, Surroundings() as surroundings:
            work.repetitions = 1
            counting = InterruptAt(None)
            _attempt(counting, work)
            for instruction in range(first, counting.instructions + 1, stride):
                surroundings.note()
                outcome, problems = _attempt(InterruptAt(instruction), work)
                problems += [*surroundings.problems(), *work.problems(outcome)]
                found += [(kind, f"instruction {instruction}: {what}") for kind, what in problems]
                times += 1
    finally:
        signal.signal(signal.SIGINT, before)
    return times, found


def _attempt(interrupt_at: InterruptAt, work: Work) -> tuple[Any, Problems]:
    """Return what the work returned, or the KeyboardInterrupt; and any other exception."""
    work.prepare()
    try:
        return interrupt_at(work.run), []
    except KeyboardInterrupt as interrupt:
        return interrupt, []
    except Exception as error:
        return None, [("other exceptions", repr(error))]
    finally:
        work.rest()


def main(arguments: list[str] | None = None) -> int:
    """Interrupt each kind of work, print what broke; 1 if anything did."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stride", type=int, default=100, help="instructions from one to the next")
    parser.add_argument("--work", nargs="+", choices=WORK, default=list(WORK))
    options = parser.parse_args(arguments)
    broken = False
    for name in options.work:
        times, problems = interrupt_everywhere(name, options.stride)
        print(f"{name:20} {times:7} signals, {len(problems) or 'no'} problems", flush=True)
        for kind, example in dict(problems).items():
            print(f"{'':20} {kind}: {example}")
        broken = broken or bool(problems)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())

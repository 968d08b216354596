"""Ctrl-C at random moments: counts what it leaves behind.

    python -m tests.stress.interrupts --signals 20000

A child process works: evaluations, products, passes, predictions and trainers. This process sends
it SIGINT at a random moment of each piece of work, sometimes up to three in a row. Afterwards the
child checks what must hold. Nothing but KeyboardInterrupt was raised. BLAS has its threads, NumPy
its error state, SIGINT its handler. The next evaluation has the bits of an undisturbed one. The
model has its parameters or a point of the run. A stored run resumes, and ends where an undisturbed
one does. A child that is silent for ``--watchdog`` seconds hangs.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from .interrupted_work import WORK, Surroundings, Work, interruptible_call, on_interrupt

WATCHDOG_SECONDS = 60.0
TIMING_ROUNDS = 5
"""Undisturbed rounds that tell a child how long its work takes."""
LATEST_SIGNAL = 1.0
"""The last moment of a signal, as a share of that time."""
MAX_SIGNALS_A_ROUND = 3
SHARE_OF_SINGLE_SIGNALS = 0.85
LONGEST_GAP_SECONDS = 5e-4
"""Between two signals of a round."""

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Counts:
    """What the signals to one kind of work led to."""

    signals: int = 0
    rounds: int = 0
    interrupted: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, example: str) -> None:
        """Count a problem; keep the first of its kind."""
        self.problems[kind] += 1
        self.examples.setdefault(kind, example)

    def __str__(self) -> str:
        found = ", ".join(f"{count} {kind}" for kind, count in sorted(self.problems.items()))
        counted = (
            f"{self.signals:6} signals, {self.rounds:6} rounds, {self.interrupted:6} interrupted"
        )
        return f"{counted}, {found or 'no problem'}"


# The child


def serve(name: str) -> None:
    """Work whenever the parent asks, and report what a signal left behind."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    signal.signal(signal.SIGINT, on_interrupt)
    with WORK[name]() as work, Surroundings() as surroundings:
        _say({"seconds": min(_seconds(work) for _ in range(TIMING_ROUNDS))})
        while _hear() == "work":
            work.prepare()
            surroundings.note()
            _say({"began": True})
            outcome, problems = _attempt(work)
            assert _hear() == "all sent"  # later signals would strike the next round
            work.rest()
            problems += [*surroundings.problems(), *work.problems(outcome)]
            interrupted = isinstance(outcome, KeyboardInterrupt) or work.is_interrupted(outcome)
            _say({"interrupted": interrupted, "problems": problems})


def _seconds(work: Work) -> float:
    """Return how long an undisturbed round takes."""
    work.prepare()
    began = time.perf_counter()
    work.run()
    seconds = time.perf_counter() - began
    work.rest()
    return seconds


def _attempt(work: Work) -> tuple[Any, list[tuple[str, str]]]:
    """Return what the work returned, or the KeyboardInterrupt; and any other exception."""
    try:
        return interruptible_call(work.run), []
    except KeyboardInterrupt as interrupt:
        return interrupt, []
    except Exception as error:
        return None, [("other exceptions", repr(error))]


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _hear() -> str:
    return sys.stdin.readline().strip()


# The parent


class Child:
    """A process that works, and is killed if it hangs."""

    def __init__(self, name: str, watchdog: float, verbose: bool) -> None:
        self._watchdog = watchdog
        self._verbose = verbose
        command = [sys.executable, "-m", "tests.stress.interrupts", "--serve", name]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._unread = b""
        self.seconds: float = self.hear()["seconds"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(self._watchdog)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def say(self, text: str) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())

    def hear(self) -> dict[str, Any]:
        """Return the next message; TimeoutError if none comes."""
        assert self._process.stdout is not None
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self._process.stdout], [], [], self._watchdog)
            if not ready:
                self._end()
                raise TimeoutError
            part = self._process.stdout.read(1 << 16)
            if not part:
                raise EOFError
            self._unread += part
        line, self._unread = self._unread.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message

    def interrupt(self) -> None:
        """Send the signal of Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def _end(self) -> None:
        if self._verbose:  # where it hangs, on standard error
            self._process.send_signal(signal.SIGUSR1)
            time.sleep(1)
        self._process.kill()


def attack(name: str, signals: int, rng: random.Random, watchdog: float, verbose: bool) -> Counts:
    """Interrupt one kind of work that many times."""
    counts = Counts()
    while counts.signals < signals:
        with Child(name, watchdog, verbose) as child:
            while counts.signals < signals:
                try:
                    is_sound = _round(child, counts, rng)
                except TimeoutError:
                    counts.add("hangs", name)
                    break
                except (EOFError, BrokenPipeError):
                    counts.add("deaths", name)
                    break
                if not is_sound:  # a new child begins without the damage
                    break
    return counts


def _round(child: Child, counts: Counts, rng: random.Random) -> bool:
    """Interrupt one piece of work; return whether it left everything sound."""
    child.say("work")
    assert child.hear() == {"began": True}
    _wait(rng.uniform(0, LATEST_SIGNAL * child.seconds))
    several = rng.random() > SHARE_OF_SINGLE_SIGNALS
    for _ in range(rng.randint(2, MAX_SIGNALS_A_ROUND) if several else 1):
        child.interrupt()
        counts.signals += 1
        _wait(rng.uniform(0, LONGEST_GAP_SECONDS) if several else 0)
    counts.rounds += 1
    child.say("all sent")
    report = child.hear()
    counts.interrupted += report["interrupted"]
    for kind, example in report["problems"]:
        counts.add(kind, example)
    return not report["problems"]


def _wait(seconds: float) -> None:
    """Wait without the coarse steps of sleep."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def main(arguments: list[str] | None = None) -> int:
    """Attack each kind of work, print the counts; 1 if there was a problem."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--signals", type=int, default=2000, help="in all, shared by the kinds")
    parser.add_argument("--work", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--watchdog", type=float, default=WATCHDOG_SECONDS, help="in seconds")
    parser.add_argument("--verbose", action="store_true", help="show the stacks of a hang")
    parser.add_argument("--serve", choices=WORK, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        serve(options.serve)
        return 0
    total = Counts()
    for name in options.work:
        rng = random.Random(f"{options.seed} {name}")
        share = -(-options.signals // len(options.work))
        counts = attack(name, share, rng, options.watchdog, options.verbose)
        print(f"{name:20} {counts}", flush=True)
        for kind, example in counts.examples.items():
            print(f"{'':20} {kind}, the first: {example}")
        total.signals += counts.signals
        total.rounds += counts.rounds
        total.interrupted += counts.interrupted
        total.problems += counts.problems
    print(f"{'together':20} {total}")
    return 1 if total.problems else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(ROOT))
    sys.exit(main())

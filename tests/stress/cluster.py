"""Workers that die, come and leave at random moments of a training: counts what goes wrong.

    python -m tests.stress.cluster --trials 20

Each trial trains on a LocalCluster of two processes with L-BFGS. At a random evaluation, and a
random moment within it, one worker or both get SIGKILL, one is added, or one retires. The result
must have the bits of the undisturbed run on one machine. The program also measures how long after
the disturbance all parts are in the memory of the workers that are there then, shared out evenly.
A trial that takes more than ``--watchdog`` seconds hangs: the program prints the stacks and ends
with code 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from distributed import Client

import minilayer as ml
from minilayer.utils.types import Array
from tests.helpers.clusters import (
    Disturbed,
    add_worker,
    kill,
    local_cluster,
    on_cluster,
    on_one_machine,
    parts_of_workers,
    retire_worker,
)

WATCHDOG_SECONDS = 60.0
MAX_ITERATIONS = 30
LATEST_DELAY_SECONDS = 0.03
"""Of a disturbance, after its evaluation has begun."""
PAUSE_SECONDS = 0.02
"""Between two looks at where the parts are."""

DISTURBANCES: dict[str, Callable[[Client], None]] = {
    "nothing": lambda client: None,
    "one worker killed": lambda client: kill(client, 1),
    "both workers killed": lambda client: kill(client, 2),
    "a worker added": add_worker,
    "a worker retired": retire_worker,
}


@dataclass
class Counts:
    """What the trials of one kind led to."""

    trials: int = 0
    different: int = 0
    seconds: list[float] = field(default_factory=list)
    balanced_seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.trials:3} trials, {self.different} with other bits, "
            f"longest {max(self.seconds):5.1f} s, balanced after "
            f"{statistics.median(self.balanced_seconds):4.1f} s "
            f"(longest {max(self.balanced_seconds):4.1f} s)"
        )


def trial(name: str, expected: Array, evaluations: int, rng: random.Random, counts: Counts) -> None:
    """Train once, disturbed, on a cluster of its own."""
    began = time.monotonic()
    balanced: list[float] = []
    with local_cluster() as client, on_cluster(client) as objective:

        def disturb() -> None:
            before = set(client.nthreads())
            disturbed_at = time.monotonic()
            DISTURBANCES[name](client)
            while name != "nothing" and set(client.nthreads()) == before:
                time.sleep(PAUSE_SECONDS)
            while not is_balanced(parts_of_workers(objective)):
                time.sleep(PAUSE_SECONDS)
            balanced.append(time.monotonic() - disturbed_at)

        at = rng.randint(1, evaluations)
        disturbed = Disturbed(objective, at, rng.uniform(0, LATEST_DELAY_SECONDS), disturb)
        result = trainer().minimize(disturbed)
        counts.different += not np.array_equal(result.x, expected)
        while disturbed.is_disturbing:
            objective(expected)
        disturbed.rest()
    counts.balanced_seconds += balanced
    counts.trials += 1
    counts.seconds.append(time.monotonic() - began)


def is_balanced(parts: dict[str, int]) -> bool:
    """Return whether all four parts are in memory, and no worker has two more than another."""
    return sum(parts.values()) == 4 and max(parts.values()) - min(parts.values()) <= 1


def trainer() -> ml.LBFGS:
    """Return the same trainer each time."""
    return ml.LBFGS(max_iterations=MAX_ITERATIONS, tolerance=0)


def main(arguments: list[str] | None = None) -> int:
    """Try each kind of disturbance, print the counts; 1 if bits differed or a trial hung."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=5, help="of each kind")
    parser.add_argument("--kinds", nargs="+", choices=DISTURBANCES, default=list(DISTURBANCES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--watchdog", type=float, default=WATCHDOG_SECONDS, help="in seconds")
    options = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # of clients whose workers die
    undisturbed = trainer().minimize(on_one_machine())
    different = 0
    for name in options.kinds:
        rng = random.Random(f"{options.seed} {name}")
        counts = Counts()
        for _ in range(options.trials):
            faulthandler.dump_traceback_later(options.watchdog, exit=True)
            trial(name, undisturbed.x, undisturbed.nfev, rng, counts)
            faulthandler.cancel_dump_traceback_later()
        print(f"{name:20} {counts}", flush=True)
        different += counts.different
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())

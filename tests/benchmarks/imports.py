"""How long ``import minilayer`` takes, against NumPy alone.

    python -m tests.benchmarks.imports

Each import is a process of its own, in turns. ``python -X importtime -c "import minilayer"`` shows
what each module takes.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from statistics import median

from .machine import machine_line

MODULES = ("numpy", "minilayer")
TURNS = 15


def seconds_of(module: str) -> tuple[float, float]:
    """Return wall and CPU seconds of a process that imports one module and ends."""
    environment = {**os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # installed packages are compiled
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True, env=environment)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.imports", description=__doc__)
    parser.add_argument("--turns", type=int, default=TURNS)
    turns = parser.parse_args().turns
    for module in MODULES:  # once from the disk, and compiled
        seconds_of(module)
    rounds = [[seconds_of(module) for module in MODULES] for _ in range(turns)]
    print(machine_line())
    for kind, name in enumerate(("wall clock", "CPU")):
        numpy = [first[kind] for first, _ in rounds]
        own = [second[kind] for _, second in rounds]
        difference = median(b - a for a, b in zip(numpy, own, strict=True))
        print(
            f"{name}: numpy {median(numpy):.3f} s, minilayer {median(own):.3f} s, "
            f"difference {difference:.3f} s (medians of {turns} turns)"
        )


if __name__ == "__main__":
    main()

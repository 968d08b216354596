"""Compare one evaluation of two source trees of minilayer: this one and another checkout.

    python -m tests.benchmarks.versions OLD_TREE
    python -m tests.benchmarks.versions OLD_TREE --shape 5000,400,25,10 --dtype float64 --seconds 5

Each tree is imported in a process of its own. The two processes take turns (turns.py), so work of
other programs slows both. The ratio is new / old: above 1, this tree is the slower one. Where a
process finds its memory can change its speed by some percent. Each case is therefore measured with
several pairs of processes, and the range over the pairs is printed beside the median. To see the
noise of a machine, compare a tree with itself. On a busy machine, threads that wait
for each other are measured rather than the trees.

The other tree needs only ``Dense``, ``Sigmoid``, ``Sequential``, ``Objective`` and
``BinaryCrossEntropy`` at the top level of its package. Neither this module nor what it imports may
import minilayer: the processes do so, each from its own tree.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Sequence
from itertools import product
from operator import methodcaller
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any, NamedTuple

from .case import DTYPES, L2, SHAPES, Array, Case, CostAndNorm, DType, Shape
from .machine import busy_cpus, machine_line
from .report import SETTLING_SECONDS, load_warning
from .turns import ratio, take_turns
from .worker_process import WorkerProcess

THIS_TREE = Path(__file__).parents[2]
PAIRS = 3
"""Pairs of processes in each case."""
TURN_SECONDS = 0.1
PAUSE_SECONDS = 0.04
"""Both shorter than for other frameworks: minilayer has no threads that spin after their work."""


class TreeEvaluation:
    """One cost and gradient by the minilayer of a source tree.

    Parameters
    ----------
    tree : str
        The folder that holds the package ``minilayer``. It is put first in ``sys.path``.
    case : Case
        Sizes and precision.
    """

    def __init__(self, tree: str, case: Case) -> None:
        ml = _import_minilayer(Path(tree))
        shape = case.shape
        layers = [
            ml.Dense(shape.inputs, shape.hidden),
            ml.Sigmoid(),
            ml.Dense(shape.hidden, shape.outputs),
            ml.Sigmoid(),
        ]
        self._objective = ml.Objective(
            ml.Sequential(layers, seed=0),
            *case.data(),
            loss=ml.BinaryCrossEntropy(),
            l2=L2,
            dtype=case.dtype,
        )
        self._start = case.start()

    def evaluate(self) -> tuple[float, Array]:
        """Return cost and gradient at the case's start."""
        cost, gradient = self._objective(self._start)
        return cost, gradient

    def cost_and_norm(self) -> CostAndNorm:
        """Return the cost and the norm of the gradient."""
        return CostAndNorm.of(*self.evaluate())


class Comparison(NamedTuple):
    """The figures of one shape and precision."""

    old_ms: float
    new_ms: float
    pair_ratios: list[float]
    """new / old, one figure a pair of processes: the median over its rounds."""
    round_ratios: list[float]
    """new / old, one figure a round."""


def compare(old_tree: Path, case: Case, seconds: float, pairs: int = PAIRS) -> Comparison:
    """Measure one case.

    Parameters
    ----------
    old_tree : Path
        The other source tree.
    case : Case
        Sizes and precision.
    seconds : float
        Seconds for each tree, over all pairs.
    pairs : int, default 3
        Pairs of processes.

    Returns
    -------
    Comparison
        Milliseconds and ratios.

    Raises
    ------
    SystemExit
        If the trees disagree about the cost or the norm of the gradient.
    """
    old_seconds: list[float] = []
    new_seconds: list[float] = []
    pair_ratios = []
    for _ in range(pairs):
        old, new = _measure_pair(old_tree, case, seconds / pairs)
        pair_ratios.append(ratio(new, old))
        old_seconds += old
        new_seconds += new
    return Comparison(
        old_ms=1e3 * median(old_seconds),
        new_ms=1e3 * median(new_seconds),
        pair_ratios=pair_ratios,
        round_ratios=[b / a for a, b in zip(old_seconds, new_seconds, strict=True)],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line a case."""
    options = _parser().parse_args(arguments)
    _require_tree(options.old_tree)
    dtypes: Sequence[DType] = [options.dtype] if options.dtype else DTYPES
    warnings = load_warning(busy_cpus(), "before")
    print(f"{machine_line()}\n")
    print(f"{'(rows, inputs, hidden, outputs)':<32}{'':<10}", end="")
    print(f"{'old, ms':>10}{'new, ms':>10}{'new / old':>11}   range over pairs   rounds")
    medians = []
    for dtype, shape in product(dtypes, options.shape or SHAPES):
        comparison = compare(options.old_tree, Case(shape, dtype), options.seconds, options.pairs)
        medians.append(median(comparison.round_ratios))
        span = f"{min(comparison.pair_ratios):.3f} to {max(comparison.pair_ratios):.3f}"
        print(
            f"{shape!s:<32}{dtype:<10}{comparison.old_ms:>10.3f}{comparison.new_ms:>10.3f}", end=""
        )
        print(f"{medians[-1]:>11.3f}{span:>19}{len(comparison.round_ratios):>9}", flush=True)
    print(
        f"\ngeometric mean of new / old: {geometric_mean(medians):.3f}; highest {max(medians):.3f}"
    )
    time.sleep(SETTLING_SECONDS)
    for warning in [*warnings, *load_warning(busy_cpus(), "after")]:
        print(warning)


def _measure_pair(old_tree: Path, case: Case, seconds: float) -> tuple[list[float], list[float]]:
    """Return the seconds an evaluation takes, by round, of the old tree and of this one."""
    processes: dict[str, WorkerProcess] = {}
    try:
        for name, tree in (("old", old_tree), ("new", THIS_TREE)):
            processes[name] = WorkerProcess(TreeEvaluation, str(tree.resolve()), case)
        old, new = (process.call(methodcaller("cost_and_norm")) for process in processes.values())
        if not new.agrees_with(old, case.dtype):
            raise SystemExit(f"{case}: cost and gradient norm are {old} (old) and {new} (new)")
        times = take_turns(processes, seconds, TURN_SECONDS, PAUSE_SECONDS)
    finally:
        for process in processes.values():
            process.close()
    return times["old"], times["new"]


def _import_minilayer(tree: Path) -> Any:
    if "minilayer" in sys.modules:
        raise RuntimeError("minilayer: expected not to be imported yet in this process")
    sys.path.insert(0, str(tree))
    package = importlib.import_module("minilayer")
    found = Path(str(package.__file__))
    if not found.is_relative_to(tree):
        raise RuntimeError(f"minilayer: expected it from {tree}, found {found}")
    return package


def _require_tree(tree: Path) -> None:
    if not (tree / "minilayer" / "__init__.py").is_file():
        raise SystemExit(f"OLD_TREE: expected a folder with minilayer/__init__.py, found {tree}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.versions",
        description="Compare one evaluation of two source trees of minilayer.",
    )
    parser.add_argument("old_tree", metavar="OLD_TREE", type=Path, help="the other checkout")
    parser.add_argument(
        "--shape",
        type=Shape.parse,
        action="append",
        help="rows,inputs,hidden,outputs; can be repeated (default: those of the evaluation)",
    )
    parser.add_argument("--dtype", choices=DTYPES, help="one precision only")
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="for each tree and case (default 3)"
    )
    parser.add_argument(
        "--pairs", type=int, default=PAIRS, help=f"pairs of processes a case (default {PAIRS})"
    )
    return parser


if __name__ == "__main__":
    main()

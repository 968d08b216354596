"""Compare minilayer with other libraries on this machine, in one run.

    pip install -e '.[bench]'
    python -m tests.benchmarks.compare evaluation      # one cost and gradient: about 12 minutes
    python -m tests.benchmarks.compare training        # ex4 to cost 0.339: about 2 minutes
    python -m tests.benchmarks.compare growth          # time and memory by rows: about 4 minutes

Run it from the root of the repository. A framework that is not installed is left out, and the table
says so. Run it on a machine that does nothing else. If other processes keep CPUs busy, the report
says NOT A QUIET MACHINE, and its figures should not be quoted: barriers of OpenMP, which PyTorch
uses, become tens of times slower when a thread loses its CPU.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from . import evaluation, growth, training
from .case import DTYPES, SHAPES, Shape
from .report import Report


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one comparison."""
    options = _parser().parse_args(arguments)
    report = _measure(options)
    if options.json:
        report.write_json(options.json)
    if options.chart:
        from .chart import draw  # only here is matplotlib needed

        draw(report, options.chart)


def _measure(options: argparse.Namespace) -> Report:
    if options.comparison == "growth":
        return growth.measure(options.seconds, options.shape or growth.SHAPES)
    only = options.only.split(",") if options.only else []
    if options.comparison == "training":
        return training.measure(only, options.seeds, options.full)
    dtypes = [options.dtype] if options.dtype else DTYPES
    return evaluation.measure(options.seconds, only, options.shape or SHAPES, dtypes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.compare",
        description="Compare minilayer with other libraries.",
    )
    commands = parser.add_subparsers(dest="comparison", required=True)
    one_evaluation = commands.add_parser("evaluation", help="one cost and gradient")
    one_evaluation.add_argument("--dtype", choices=DTYPES, help="one precision only")
    ex4_training = commands.add_parser("training", help="exercise 4 to cost 0.339")
    ex4_training.add_argument(
        "--seeds", type=int, default=5, help="start from seeds 0 to N - 1 (default 5)"
    )
    ex4_training.add_argument(
        "--full", action="store_true", help="run the article's loop to the end"
    )
    rows_growth = commands.add_parser("growth", help="time and memory by rows")
    for command in (one_evaluation, rows_growth):
        command.add_argument(
            "--seconds", type=float, default=3.0, help="for each framework and case (default 3)"
        )
        command.add_argument(
            "--shape",
            type=Shape.parse,
            action="append",
            help="rows,inputs,hidden,outputs; can be repeated",
        )
    for command in (one_evaluation, ex4_training):
        command.add_argument("--only", help="these frameworks, names separated by commas")
    for command in (one_evaluation, ex4_training, rows_growth):
        command.add_argument("--json", type=Path, help="write all figures to this file")
        command.add_argument(
            "--chart", type=Path, help="draw the ratios into this file (.svg or .png)"
        )
    return parser


if __name__ == "__main__":
    main()

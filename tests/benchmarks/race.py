"""The race: minilayer beside the tools that a user might pick instead, on this machine, in one run.

    pip install "minilayer[bench]"
    python -m tests.benchmarks.race evaluation      # (a) one cost and gradient: about 12 minutes
    python -m tests.benchmarks.race training        # (b) ex4 to cost 0.339: about 2 minutes
    python -m tests.benchmarks.race growth          # (c) time and memory by rows: about 4 minutes

from the root of the repository. ``--json FILE`` writes all figures, the machine and the versions; ``--chart FILE``
draws the ratios; ``--seconds N`` is what each contestant gets in each cell; ``--only NAME,...`` picks contestants. A
contestant that is not installed is left out, and the table says so. Run it on a machine that does nothing else: the
race says so where others kept CPUs busy before or after it, for then its figures are not to be quoted (OpenMP's
barriers, PyTorch's among them, become tens of times slower when a thread loses its CPU).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from . import evaluation, growth, training
from .problem import Shape
from .report import Report


def main(arguments: list[str] | None = None) -> None:
    """Run one of the three."""
    options = _parser().parse_args(arguments)
    report = _run(options)
    if options.json:
        report.write_json(options.json)
    if options.chart:
        from .chart import draw  # matplotlib is needed here only

        draw(report, options.chart)


def _run(options: argparse.Namespace) -> Report:
    if options.race == "growth":
        return growth.race(options.seconds, options.shape or growth.SHAPES)
    only = options.only.split(",") if options.only else []
    if options.race == "training":
        return training.race(only, options.seeds, options.full)
    dtypes = [options.dtype] if options.dtype else evaluation.DTYPES
    return evaluation.race(options.seconds, only, options.shape or evaluation.SHAPES, dtypes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.race", description="Benchmarks of minilayer."
    )
    races = parser.add_subparsers(dest="race", required=True)
    for name in ("evaluation", "training", "growth"):
        race = races.add_parser(name)
        race.add_argument("--json", type=Path, help="write all figures to this file")
        race.add_argument(
            "--chart", type=Path, help="draw the ratios into this file (.svg or .png)"
        )
        if name == "training":
            race.add_argument(
                "--seeds", type=int, default=5, help="start from seeds 0 to N - 1 (default 5)"
            )
            race.add_argument(
                "--full",
                action="store_true",
                help="run the article's loop to the end, no extrapolation",
            )
        else:
            race.add_argument(
                "--seconds", type=float, default=3.0, help="per contestant and cell (default 3)"
            )
            race.add_argument(
                "--shape",
                type=Shape.parse,
                action="append",
                help="rows,inputs,hidden,outputs; repeats",
            )
        if name == "evaluation":
            race.add_argument("--dtype", choices=evaluation.DTYPES, help="one precision only")
        if name != "growth":
            race.add_argument("--only", help="these contestants, names separated by commas")
    return parser


if __name__ == "__main__":
    main()

"""What the examples share: the command line, tables, and pictures if matplotlib is installed."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import minilayer as ml

plots: Any = None
try:
    from minilayer import plots
except ImportError as missing:
    WHY_NO_FIGURES = str(missing)

DATA = Path(__file__).resolve().parent.parent / "data" / "ex4data1.mat"
"""The digits of exercise 4."""
INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended."""
MEANING = {
    "data": "the exercise's MATLAB file, or another of its form",
    "evaluations": "budget of evaluations of each run",
    "hidden": "hidden units",
    "l2": "weight of the penalty, the exercise's lambda",
    "only": "some of the optimizers, by the beginnings of their names",
    "patience": "iterations without a better validation accuracy",
    "seed": "of everything random",
}
"""The help of the options."""

Main = Callable[[argparse.Namespace], int | None]


def run(main: Main, doc: str, **defaults: Any) -> None:
    """Run an example with an option for each default, and with ``--figures``."""
    program = Path(sys.argv[0])
    parser = argparse.ArgumentParser(
        usage=f"{program.name} [options]", description=doc.splitlines()[0]
    )
    for name, default in defaults.items():
        parser.add_argument(
            f"--{name}", type=type(default), default=default, help=f"{MEANING[name]} ({default})"
        )
    folder = Path("results") / program.stem
    parser.add_argument("--figures", metavar="DIR", type=Path, default=folder, help="for pictures")
    run_parsed(main, parser.parse_args())


def run_parsed(main: Main, options: argparse.Namespace) -> None:
    """Run an example to its exit code; an error is one line on standard error."""
    name = Path(sys.argv[0]).name
    try:
        if plots is not None:
            check_folder("--figures", options.figures)
        sys.exit(main(options))
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except (OSError, ValueError, TypeError, ml.GradientError) as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        sys.exit(1)


def check_folder(option: str, folder: Path) -> None:
    """Make a folder and write to it, so that what is wrong with it is said before training."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            f"{option}: expected a folder to write to, found {folder}: {error.strerror}"
        ) from None


def article_network(seed: int, hidden: int = 25) -> ml.Sequential:
    """Return the exercise's network at the article's start, ``(rand - 0.5) * 0.25``."""
    start = ml.UniformEpsilon(0.125)
    return ml.mlp(
        400, hidden, 10, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=seed, initializer=start
    )


def check_file(option: str, path: Path) -> None:
    """Check that a file can be written."""
    if path.is_dir():
        raise OSError(f"{option}: expected a file, found the folder {path}")
    check_folder(option, path.parent)


def choose(option: str, beginnings: str, names: Iterable[str]) -> list[str]:
    """Return the names with one of several beginnings, joined by commas; "all" means all."""
    if beginnings == "all":
        return list(names)
    chosen = []
    for beginning in map(str.strip, beginnings.lower().split(",")):
        found = [name for name in names if beginning and name.lower().startswith(beginning)]
        if not found:
            raise ValueError(f"{option}: expected some of {', '.join(names)}, found {beginning!r}")
        chosen += found
    return chosen


def stop_if_interrupted(result: Any) -> None:
    """End the program after a training that Ctrl-C ended."""
    if result.status == ml.Status.INTERRUPTED:
        raise KeyboardInterrupt


def report(result: Any) -> None:
    """Print how a training ended."""
    stop_if_interrupted(result)
    print(f"{result.message}\ncost {result.fun:.4f} after {result.nfev} evaluations\n")


class Table:
    """A table that is printed row by row, its first column to the left, the others to the right."""

    def __init__(self, *titles: str, first_width: int = 22) -> None:
        self.widths = [first_width, *(max(8, len(title) + 2) for title in titles[1:])]
        self.print_row(*titles)

    def print_row(self, first: str, *others: object) -> None:
        """Print a name and its values."""
        cells = zip(others, self.widths[1:], strict=True)
        right = "".join(f"{cell!s:>{width}}" for cell, width in cells)
        print(f"{first:{self.widths[0]}}{right}", flush=True)


def save_figures(folder: Path, drawings: Mapping[str, Callable[[Any], object]]) -> str:
    """Draw each picture into the folder, if matplotlib is there; return what was done."""
    if plots is None:
        return f"\nno figures: {WHY_NO_FIGURES}"
    return f"\nfigures: {', '.join(map(str, plots.save_figures(folder, drawings)))}"

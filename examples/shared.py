"""What the examples share: the command line, tables, and pictures if matplotlib is installed."""

import argparse
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn, TypeVar


def say_interrupted(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Say so in one line if Ctrl-C comes while the libraries below are imported."""
    if kind is KeyboardInterrupt:
        print(f"{Path(sys.argv[0]).name}: interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = say_interrupted

import minilayer as ml  # noqa: E402

plots: Any = None
try:
    from minilayer import plots
except ImportError as missing:
    WHY_NO_FIGURES = str(missing)

DATA = Path(__file__).resolve().parent.parent / "data" / "ex4data1.mat"
"""The digits of exercise 4."""
INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended."""
UNREAD = 141
"""The exit code of a program whose output nobody reads on, as after ``| head``."""

Main = Callable[[argparse.Namespace], int | None]


# The command line


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def new_parser(doc: str) -> Parser:
    """Return a parser that describes the program with the first line of its docstring."""
    return Parser(usage="%(prog)s [options]", description=doc.splitlines()[0])


def count(text: str) -> int:
    """Return a whole number from 1 up."""
    return number_from(1, int, text, "a whole number from 1 up")


def seed(text: str) -> int:
    """Return a whole number from 0 up."""
    return number_from(0, int, text, "a whole number from 0 up")


def number(text: str) -> float:
    """Return a finite number from 0 up."""
    return number_from(0, float, text, "a finite number from 0 up")


Number = TypeVar("Number", int, float)


def number_from(least: int, kind: type[Number], text: str, expected: str) -> Number:
    """Return a number that is finite and large enough."""
    try:
        found = kind(text)
        if math.isfinite(found) and found >= least:
            return found
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"expected {expected}, found {text!r}")


OPTIONS: dict[str, tuple[Callable[[str], object], str, str]] = {
    "data": (Path, "FILE", "the exercise's MATLAB file, or another of its form"),
    "evaluations": (count, "N", "budget of evaluations of each run"),
    "hidden": (count, "N", "hidden units"),
    "l2": (number, "X", "weight of the penalty, the exercise's lambda"),
    "only": (str, "NAMES", "some of the optimizers, by the beginnings of their names"),
    "patience": (count, "N", "iterations without a better validation accuracy"),
    "seed": (seed, "N", "of everything random"),
    "workers": (count, "N", "worker processes"),
}
"""The type of each option, how the help calls its value, and its meaning."""


def run(main: Main, doc: str, **defaults: Any) -> None:
    """Run an example with an option for each default, and with ``--figures``."""
    parser = new_parser(doc)
    for name, default in defaults.items():
        kind, metavar, meaning = OPTIONS[name]
        meaning = f"{meaning} ({default})"
        parser.add_argument(f"--{name}", type=kind, metavar=metavar, default=default, help=meaning)
    add_figures_option(parser, Path("results") / Path(parser.prog).stem)
    run_parsed(main, parser)


def add_figures_option(parser: Parser, folder: Path) -> None:
    """Add ``--figures``."""
    meaning = f"folder for pictures ({folder})"
    parser.add_argument("--figures", metavar="DIR", type=Path, default=folder, help=meaning)


def run_parsed(main: Main, parser: Parser) -> None:
    """Run an example to its exit code; an error is one line on standard error."""
    options = parser.parse_args()
    if sys.stdout is not None:
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # for pipes
    try:
        if plots is not None and "figures" in options:
            check_folder("--figures", options.figures)
        code = main(options) or 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        code = UNREAD
    except (ImportError, OSError, ValueError, TypeError, MemoryError, ml.GradientError) as error:
        parser.error(str(error) or type(error).__name__)
    if code == INTERRUPTED:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
    sys.exit(code)


def check_folder(option: str, folder: Path) -> None:
    """Check before training that a folder can be written to, or made, and its pictures too."""
    tried = folder
    try:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        with TemporaryFile(dir=there):
            pass
        for tried in folder.glob("*.png"):
            tried.open("ab").close()
    except OSError as error:
        raise OSError(
            f"{option}: expected a folder to write to, found {tried}: {error.strerror}"
        ) from None


def check_file(option: str, path: Path) -> None:
    """Check before training that a file can be written; make its folder."""
    if path.is_dir():
        raise OSError(f"{option}: expected a file, found the folder {path}")
    check_folder(option, path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)


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


# Training


def article_network(seed: int, hidden: int = 25) -> ml.Sequential:
    """Return the exercise's network at the article's start, ``(rand - 0.5) * 0.25``."""
    start = ml.UniformEpsilon(0.125)
    return ml.mlp(
        400, hidden, 10, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=seed, initializer=start
    )


def is_interrupted(result: ml.TrainingResult) -> bool:
    """Return whether Ctrl-C ended a training."""
    return result.status == ml.Status.INTERRUPTED


def stop_if_interrupted(result: ml.TrainingResult) -> None:
    """Raise KeyboardInterrupt if Ctrl-C ended a training."""
    if is_interrupted(result):
        raise KeyboardInterrupt


def check_begun(result: ml.TrainingResult) -> None:
    """End the program if Ctrl-C came before the first evaluation: there is nothing to show."""
    if is_interrupted(result) and len(result.history) == 0:
        raise KeyboardInterrupt


def exit_code(result: ml.TrainingResult) -> int:
    """Return the exit code of a program after its last training."""
    return INTERRUPTED if is_interrupted(result) else 0


def report(result: ml.TrainingResult) -> None:
    """Print how a training ended."""
    check_begun(result)
    print(f"{result.message}\ncost {result.fun:.4f} after {result.nfev} evaluations\n")


# Tables and pictures


class Table:
    """A table that is printed as it comes, its first column to the left, the others to the right.

    A terminal that is too narrow gets a line for each value.
    """

    def __init__(self, *titles: str, first_width: int = 22) -> None:
        self.titles = titles
        self.widths = [first_width, *(max(8, len(title) + 2) for title in titles[1:])]
        terminal = shutil.get_terminal_size((sys.maxsize, 1))  # a pipe is wide enough
        self.is_narrow = sum(self.widths) > terminal.columns
        self.column = 0
        if self.is_narrow:
            print(titles[0])
        else:
            self.print_row(*titles)

    def print_row(self, *cells: object) -> None:
        """Print a name and its values, or a part of them: the next call goes on from there."""
        for cell in cells:
            print(self.padded(str(cell)), end="", flush=True)
            self.column = (self.column + 1) % len(self.titles)
            if self.column == 0:
                print()

    def padded(self, cell: str) -> str:
        """Return a cell as it is to be printed in its column."""
        if self.is_narrow:
            title = f"{self.titles[self.column]:{max(map(len, self.titles[1:]))}}"
            return f"\n  {title} {cell}" if self.column else cell
        return f"{cell:{'>' if self.column else '<'}{self.widths[self.column]}}"


def save_figures(folder: Path, drawings: Mapping[str, Callable[[Any], object]]) -> str:
    """Draw each picture into the folder, if matplotlib is there; return what was done."""
    if not drawings:
        return ""
    if plots is None:
        return f"\nno figures: {WHY_NO_FIGURES}"
    names = [file.stem for file in plots.save_figures(folder, drawings)]
    return f"\nfigures in {folder}: {', '.join(names)}"

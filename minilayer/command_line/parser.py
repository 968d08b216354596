"""Arguments, exit codes and messages of the command ``minilayer``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import MinilayerError
from ..utils.version import library_version
from .describe import inspect
from .export import export
from .predict import predict

FAILED = 1
"""The exit code for a file that is not what it should be; argparse's own for wrong usage is 2."""
INTERRUPTED = 130
"""Shells' exit code after Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        0, or 1 after one line on stderr.
    """
    with suppress(AttributeError):  # a stream that tests or notebooks put in its place
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return INTERRUPTED
    except (MinilayerError, OSError, ImportError, ValueError, TypeError) as error:
        print(f"minilayer: {_one_line(error)}", file=sys.stderr)
        return FAILED
    return 0


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="minilayer", description="Networks in files: inspect, predict, export."
    )
    parser.add_argument("--version", action="version", version=f"minilayer {library_version()}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    about = "print layers, shapes, loss, metadata, versions, and whether the checksums are right"
    inspecting = commands.add_parser("inspect", help=about, description=about)
    inspecting.add_argument("file", type=Path, help="a file that minilayer.save wrote")
    inspecting.add_argument("--json", action="store_true", help="print one JSON object")
    inspecting.set_defaults(command=lambda options: inspect(options.file, as_json=options.json))

    about = "write the predictions for the rows of a table"
    predicting = commands.add_parser("predict", help=about, description=about)
    predicting.add_argument("file", type=Path, help="a file that minilayer.save wrote")
    predicting.add_argument("rows", type=Path, help="X.npy, or X.csv with or without a header")
    predicting.add_argument("out", type=Path, help="the file to write: .npy or .csv")
    predicting.set_defaults(
        command=lambda options: predict(options.file, options.rows, options.out)
    )

    about = "write the network for other programs"
    exporting = commands.add_parser("export", help=about, description=about)
    exporting.add_argument("file", type=Path, help="a file that minilayer.save wrote")
    exporting.add_argument("out", type=Path, help="the file to write: .onnx, or .html to draw on")
    exporting.set_defaults(command=lambda options: export(options.file, options.out))
    return parser

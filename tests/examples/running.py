"""Runs an example as its users do: in a process of its own, in a folder of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.helpers.paths import ROOT


def example(name: str) -> Path:
    """The script's path."""
    return ROOT / "examples" / f"{name}.py"


def run(
    folder: Path, name: str, *arguments: str, **options: Any
) -> subprocess.CompletedProcess[str]:
    """What an example did, its output and its exit code."""
    return subprocess.run(
        [sys.executable, example(name), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def interrupt(
    folder: Path, evaluation: int, name: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """What an example did that Ctrl-C reached during an evaluation (0: while it drew)."""
    sender = Path(__file__).with_name("interrupted.py")
    command = [sys.executable, str(sender), str(evaluation), str(example(name)), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def succeed(folder: Path, name: str, *arguments: str) -> str:
    """What the example prints, once it has ended well."""
    done = run(folder, name, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def hide(folder: Path, library: str) -> dict[str, str]:
    """The environment of a process in which a library cannot be imported."""
    (folder / library).mkdir()
    (folder / library / "__init__.py").write_text("raise ImportError('hidden for a test')")
    search = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(search)}


def figures(folder: Path) -> set[str]:
    """The names of the pictures in a folder."""
    return {file.stem for file in folder.iterdir() if file.read_bytes().startswith(b"\x89PNG")}


def numbers(text: str) -> list[float]:
    """All numbers in a text."""
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]

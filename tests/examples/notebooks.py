"""Runs the notebooks of examples/ and stores their outputs, or compares them with the stored ones.

python -m tests.examples.notebooks                            # all notebooks
python -m tests.examples.notebooks examples/exercise4.ipynb   # one of them

Two tags of cells say how outputs are compared. ``varies``: the words, in any order and without
numbers, as figures like seconds differ from run to run. ``weights``: only if EX4_WEIGHTS names the
exercise's weights.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.font_manager  # noqa: F401  # builds its cache here: a kernel would report that
import nbformat

from tests.helpers.kernel import run_notebook
from tests.helpers.paths import ROOT

EXAMPLES = ROOT / "examples"
RELATIVE_PRECISION = 1e-3
NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?(?![\w.]*\w)", re.IGNORECASE
)
BAR = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
"""Without the versions of whoever ran it last."""


def notebooks() -> list[Path]:
    """Return the notebooks of the gallery."""
    return sorted(EXAMPLES.glob("*.ipynb"))


def read(path: Path) -> Any:
    """Return a notebook as it is stored."""
    document: Any = nbformat.read(str(path), as_version=4)  # type: ignore[no-untyped-call]
    return document


def executed(path: Path, **variables: str | None) -> Any:
    """Return a notebook with the outputs of now. Bars are dropped, as stored ones would not move.

    It runs on one thread: a second one waits longer than it helps where other programs run too.
    """
    surroundings: dict[str, str | None] = {"OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": None}
    if weights := os.environ.get("EX4_WEIGHTS"):
        surroundings["EX4_WEIGHTS"] = str(Path(weights).resolve())  # the kernel works elsewhere
    notebook = run_notebook(read(path), path.parent, **{**surroundings, **variables})
    return without_changing_parts(notebook)


def without_changing_parts(notebook: Any) -> Any:
    """Return a notebook without bars, times of execution and versions."""
    notebook.metadata = nbformat.from_dict(METADATA)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if BAR not in output.get("data", {})]
    return notebook


def store(path: Path) -> None:
    """Run a notebook and store it."""
    notebook = executed(path)
    nbformat.write(notebook, str(path))  # type: ignore[no-untyped-call]


def texts_of(cell: Any) -> dict[str, str]:
    """Return what a cell shows, by kind: text as it is, of pages and pictures that they are there.

    The pieces of a stream are one text, however the kernel has cut them.
    """
    found: dict[str, str] = {}
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            found[output.name] = found.get(output.name, "") + output.text
        elif output.output_type == "error":
            found["error"] = f"{output.ename}: {output.evalue}"
        else:
            for kind, content in output.data.items():
                text = content if kind == "text/plain" else kind
                found[kind] = found.get(kind, "") + text
    return found


def is_same_text(found: str, expected: str) -> bool:
    """Return whether the words are equal, and the numbers nearly so."""
    if NUMBER.split(found) != NUMBER.split(expected):
        return False
    pairs = zip(_numbers(found), _numbers(expected), strict=True)
    return all(abs(one - other) <= RELATIVE_PRECISION * abs(other) for one, other in pairs)


def _numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in NUMBER.findall(text)]


def has_same_words(found: str, expected: str) -> bool:
    """Return whether the words are the same, in any order and whatever the numbers are."""
    texts = [NUMBER.sub(" ", text) for text in (found, expected)]
    one, other = (sorted(re.findall(r"[^\W\d_]+", text)) for text in texts)
    return one == other


def differences(stored: Any, found: Any) -> Iterator[str]:
    """Yield what is not up to date in the stored outputs, cell by cell."""
    has_weights = bool(os.environ.get("EX4_WEIGHTS"))
    for number, (old, new) in enumerate(zip(stored.cells, found.cells, strict=True)):
        tags = old.metadata.get("tags", [])
        if "weights" in tags and not has_weights:
            continue
        compare = has_same_words if "varies" in tags else is_same_text
        before, now = texts_of(old), texts_of(new)
        if before.keys() != now.keys():
            yield f"cell {number}: stored are {sorted(before)}, found were {sorted(now)}"
            continue
        for kind, text in now.items():
            if not compare(text, before[kind]):
                yield f"cell {number}, {kind}: stored is {before[kind]!r}, found was {text!r}"


def main(arguments: list[str]) -> int:
    """Store the outputs of all notebooks, or of those that are named."""
    for path in map(Path, arguments) if arguments else notebooks():
        uses_weights = any("weights" in cell.metadata.get("tags", []) for cell in read(path).cells)
        if uses_weights and not os.environ.get("EX4_WEIGHTS"):
            print(f"{path.name}: expected EX4_WEIGHTS to name the exercise's ex4weights.mat")
            return 1
        store(path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

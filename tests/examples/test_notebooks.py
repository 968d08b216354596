"""The notebooks run, and what they store is what they give."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

import minilayer as ml
from minilayer import plots
from tests.examples.notebooks import (
    BAR,
    differences,
    executed,
    has_same_words,
    is_same_text,
    notebooks,
    read,
    texts_of,
    without_changing_parts,
)
from tests.helpers.kernel import run_notebook
from tests.helpers.paths import ROOT

MAX_BYTES = 400_000
PATHS = notebooks()
NAMES = [path.name for path in PATHS]
TAGS = {"varies", "weights"}


def tagged(notebook: Any, tag: str) -> list[int]:
    """Return the numbers of the cells with a tag."""
    cells = enumerate(notebook.cells)
    return [number for number, cell in cells if tag in cell.metadata.get("tags", [])]


def test_the_notebook_of_the_exercise_is_there() -> None:
    assert "exercise4.ipynb" in NAMES


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_the_stored_outputs_are_up_to_date(path: Path) -> None:
    """An error in a cell, such as an assert that does not hold, fails here too."""
    assert list(differences(read(path), executed(path))) == []


def test_the_exercise_runs_without_its_weights_too(tmp_path: Path) -> None:
    """Its cells up to the last that needs the weights run in a clone without the course's file."""
    (tmp_path / "examples").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ex4data1.mat").symlink_to(ROOT / "data" / "ex4data1.mat")
    notebook = read(ROOT / "examples" / "exercise4.ipynb")
    last = max(tagged(notebook, "weights"))
    notebook.cells = notebook.cells[: last + 1]
    run_notebook(notebook, tmp_path / "examples", EX4_WEIGHTS=None)
    first = texts_of(notebook.cells[min(tagged(notebook, "weights"))])["stdout"]
    assert first.startswith("There is no ex4weights.mat: the weights are sines.")
    assert "6.877039" in texts_of(notebook.cells[last])["stdout"]


def test_the_stored_numbers_are_the_published_ones() -> None:
    notebook = read(ROOT / "examples" / "exercise4.ipynb")
    shown = [
        texts_of(notebook.cells[number]).get("stdout", "") for number in tagged(notebook, "weights")
    ]
    assert "by hand    0.287629\npublished  0.287629\n" in shown
    assert "by hand    0.383770\npublished  0.383770\n" in shown


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_what_is_stored_is_small_clean_and_in_order(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert path.stat().st_size < MAX_BYTES
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert notebook == without_changing_parts(read(path))
    for cell in code:
        assert set(cell.metadata) <= {"tags"}
        assert set(cell.metadata.get("tags", [])) <= TAGS
        assert not {"stderr", "error"} & set(texts_of(cell))
        for output in cell.outputs:
            if "text/html" in output.get("data", {}):
                assert "<script" not in output.data["text/html"]


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_no_path_of_a_machine_is_stored(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    folders = {str(ROOT), str(Path.home()), *filter(None, [os.environ.get("EX4_WEIGHTS")])}
    assert not [folder for folder in folders if len(folder) > 1 and folder in text]


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_the_gallery_names_each_notebook(path: Path) -> None:
    gallery = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert f"]({path.name})" in gallery


def test_the_table_of_the_course_has_names_that_exist() -> None:
    gallery = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    table = gallery.split("### The course's functions")[1].split("###")[0]
    course = "displayData nnCostFunction sigmoidGradient randInitializeWeights checkNNGradients"
    assert all(f"| `{name}(" in table for name in [*course.split(), "predict", "fmincg"])
    names = re.findall(r"\b(ml|plots)\.(\w+)", table)
    assert len(names) > 10
    for module, name in names:
        assert hasattr({"ml": ml, "plots": plots}[module], name), name


# The comparison itself


@pytest.mark.parametrize(
    ("found", "is_same"),
    [
        ("cost 0.325, 10,285 weights", True),
        ("cost 0.3251, 10,285 weights", True),
        ("cost 0.33, 10,285 weights", False),
        ("cost -0.325, 10,285 weights", False),
        ("cost 0.325, 10,385 weights", False),
        ("Cost 0.325, 10,285 weights", False),
        ("cost 0.325, 10,285 weights, 3", False),
        ("", False),
    ],
)
def test_words_are_equal_and_numbers_nearly_so(found: str, is_same: bool) -> None:
    assert is_same_text(found, "cost 0.325, 10,285 weights") == is_same


@pytest.mark.parametrize(
    ("found", "is_same"),
    [
        ("seconds: 7.5\n1.1e-09 theta", True),
        ("3.2e-11 theta\nseconds: 0", True),
        ("seconds: 7.5\n1.1e-09 phi", False),
        ("seconds: 7.5", False),
    ],
)
def test_of_what_varies_the_words_are_compared(found: str, is_same: bool) -> None:
    assert has_same_words(found, "seconds: 3.2\n2.7e-12 theta") == is_same


def cell_of(*outputs: dict[str, Any], tags: tuple[str, ...] = ()) -> Any:
    v4: Any = nbformat.v4
    made = [v4.new_output(**output) for output in outputs]
    return v4.new_code_cell("1", outputs=made, metadata={"tags": list(tags)})


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def shown(**data: str) -> dict[str, Any]:
    kinds = {kind.replace("_", "/"): content for kind, content in data.items()}
    return {"output_type": "display_data", "data": kinds}


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        (cell_of(stream("a 1")), cell_of(stream("a 1")), 0),
        (cell_of(stream("a 1\nb")), cell_of(stream("a 1\n"), stream("b")), 0),
        (cell_of(stream("a 1")), cell_of(stream("a 2")), 1),
        (cell_of(stream("a 1"), tags=("varies",)), cell_of(stream("a 2")), 0),
        (cell_of(stream("a 1")), cell_of(), 1),
        (cell_of(), cell_of(stream("a 1")), 1),
        (cell_of(shown(image_png="x")), cell_of(shown(image_png="y")), 0),
        (cell_of(shown(image_png="x")), cell_of(shown(image_png="x"), shown(image_png="x")), 1),
        (cell_of(shown(text_plain="x")), cell_of(shown(text_plain="y")), 1),
    ],
)
def test_differences_are_found_cell_by_cell(old: Any, new: Any, count: int) -> None:
    v4: Any = nbformat.v4
    found = differences(v4.new_notebook(cells=[old]), v4.new_notebook(cells=[new]))
    assert len(list(found)) == count


def test_cells_of_the_weights_are_compared_only_where_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    v4: Any = nbformat.v4
    old = v4.new_notebook(cells=[cell_of(stream("a 1"), tags=("weights",))])
    new = v4.new_notebook(cells=[cell_of(stream("b 1"))])
    monkeypatch.delenv("EX4_WEIGHTS", raising=False)
    assert list(differences(old, new)) == []
    monkeypatch.setenv("EX4_WEIGHTS", "weights.mat")
    assert len(list(differences(old, new))) == 1


def test_bars_are_not_stored() -> None:
    v4: Any = nbformat.v4
    bar = {"output_type": "display_data", "data": {BAR: {"model_id": "1"}, "text/plain": "0/9"}}
    notebook = v4.new_notebook(cells=[cell_of(bar, stream("kept"))])
    (cell,) = without_changing_parts(notebook).cells
    assert texts_of(cell) == {"stdout": "kept"}

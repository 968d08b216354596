"""The bar in a real kernel: shown by default, green at a good end, red after a failure."""

from pathlib import Path
from typing import Any

import pytest

from tests.helpers.kernel import run_cells, stream_of

PREPARE = """
import minilayer as ml
def bowl(x):
    return float(x @ x), 2 * x
def stop(kind):
    def callback(iteration):
        if iteration.iteration == 2:
            raise kind
    return callback
descent = ml.GradientDescent(0.01, max_iterations=7)
without_limit = ml.GradientDescent(0.01)
"""
RUNS = {
    "descent.minimize(bowl, [1.0]).status.name": ("MAX_ITERATIONS", "success"),
    "ml.LBFGS(max_evaluations=99).minimize(bowl, [1.0]).status.name": ("CONVERGED", "success"),
    "ml.LBFGS().minimize(bowl, [1.0]).status.name": ("CONVERGED", "success"),
    "descent.minimize(bowl, [1.0], callback=stop(StopIteration)).status.name": (
        "CALLBACK",
        "success",
    ),
    "descent.minimize(bowl, [1.0], callback=stop(KeyboardInterrupt)).status.name": (
        "INTERRUPTED",
        "danger",
    ),
    "without_limit.minimize(bowl, [1.0], callback=stop(KeyboardInterrupt)).status.name": (
        "INTERRUPTED",
        "danger",
    ),
    "descent.minimize(lambda x: (float('nan'), x), [1.0]).status.name": ("NON_FINITE", "danger"),
}
"""Each run, its status, and tqdm's name of the colour that its bar has in the end."""
RAISES = """
try:
    without_limit.minimize(bowl, [1.0], callback=stop(RuntimeError))
except RuntimeError:
    print("raised")
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Any:
    prints = [f"print({run})" for run in RUNS]
    return run_cells(tmp_path_factory.mktemp("kernel"), PREPARE, *prints, RAISES)


def bars_of(notebook: Any, cell: Any) -> list[tuple[str, str, str]]:
    """Return the colour of each bar in a cell's output, and the texts before and behind it."""
    states = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    found = []
    for output in cell.outputs:
        view = output.get("data", {}).get("application/vnd.jupyter.widget-view+json")
        if view is not None:
            box = states[view["model_id"]]["state"]
            children = [
                states[name.removeprefix("IPY_MODEL_")]["state"] for name in box["children"]
            ]
            left, bar, right = children
            found.append((bar["bar_style"], left["value"], right["value"]))
    return found


@pytest.mark.parametrize("number", range(len(RUNS)), ids=list(RUNS))
def test_each_run_has_one_bar_whose_colour_says_how_it_ended(notebook: Any, number: int) -> None:
    status, colour = list(RUNS.values())[number]
    cell = notebook.cells[1 + number]
    assert stream_of(cell) == f"{status}\n"
    assert stream_of(cell, "stderr") == ""
    ((style, name, figures),) = bars_of(notebook, cell)
    assert style == colour
    assert name.replace("\u2007", " ").strip() in {"gradient descent", "L-BFGS"}
    assert ("cost" in figures) == (status != "NON_FINITE")


def test_an_exception_turns_the_bar_red(notebook: Any) -> None:
    cell = notebook.cells[-1]
    assert stream_of(cell) == "raised\n"
    assert [style for style, *_ in bars_of(notebook, cell)] == ["danger"]


def test_without_ipywidgets_the_bar_is_a_line_of_text(tmp_path: Path) -> None:
    hidden = tmp_path / "ipywidgets.py"
    hidden.write_text("raise ImportError('hidden for a test')")
    run = "ml.LBFGS(max_evaluations=99).minimize(bowl, [1.0]);"
    quiet = "ml.LBFGS(max_evaluations=99).minimize(bowl, [1.0], progress=False);"
    notebook = run_cells(tmp_path, PREPARE, run, quiet, PYTHONPATH=str(tmp_path))
    _, shown, silent = notebook.cells
    line = stream_of(shown, "stderr").split("\r")[-1]
    assert line.startswith("L-BFGS: cost ")
    assert "/99 evaluations" in line or "/99 evals" in line
    assert silent.outputs == []

"""Runs notebooks as Jupyter does: in a kernel, in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient

SECONDS = 600
"""Of one cell, on a slow machine."""


def run_notebook(notebook: Any, folder: Path, **variables: str | None) -> Any:
    """Run the cells of a notebook in place, and return it.

    Parameters
    ----------
    notebook : NotebookNode
        Its outputs are replaced. It gets the state of widgets as ``metadata.widgets``.
    folder : Path
        Where the kernel works, as Jupyter's does in the folder of the notebook.
    **variables : str or None
        Environment variables to set for the kernel; None: unset.

    Returns
    -------
    NotebookNode
        The notebook.
    """
    with TemporaryDirectory() as profile:
        own = {"IPYTHONDIR": profile, "JUPYTER_PREFER_ENV_PATH": "1"}
        environment = _environment({**own, **variables})
        client = NotebookClient(
            notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {}}
        )
        client.execute(env=environment, cwd=str(folder))
    return notebook


def _environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**os.environ, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def run_cells(folder: Path, *sources: str, **variables: str | None) -> Any:
    """Run cells of code, and return the notebook."""
    v4: Any = nbformat.v4  # it has no types
    cells = [v4.new_code_cell(source) for source in sources]
    return run_notebook(v4.new_notebook(cells=cells), folder, **variables)


def stream_of(cell: Any, name: str = "stdout") -> str:
    """Return what a cell has written to a stream."""
    return "".join(
        output.text
        for output in cell.outputs
        if output.output_type == "stream" and output.name == name
    )

"""Rows per second of an evaluation, from memory and from each kind of file.

    python -m tests.benchmarks.scale files
    python -m tests.benchmarks.scale files --rows 128000 --seconds 5

The exercise's network is evaluated on made rows of 400 columns, of which four fifths are zero, as
in the digits. Each kind has a process of its own, and the processes take turns (turns.py). The
ratio is to the same rows in memory with ``copy=False``. Files are read from the system's cache: a
cold disk adds its own time. zarr is left out if it is not installed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import h5py
import numpy as np

import minilayer as ml

from .machine import busy_cpus, machine_line
from .report import SETTLING_SECONDS, load_warning
from .turns import ratio, take_turns
from .worker_process import WorkerProcess

COLUMNS = 400
ROWS = 64_000
ROWS_PER_WRITE = 1000
BASE = "memory, copy=False"
KINDS = (BASE, "memory, copy=True", "hdf5 contiguous", "hdf5 chunked", "hdf5 gzip", "memmap")


def write(kind: str, path: Path, rows: int) -> None:
    """Write rows to a file of some kind; rows in memory are a memory map at first."""
    rng = np.random.default_rng(0)
    shape = (rows, COLUMNS)
    chunks = (ROWS_PER_WRITE, COLUMNS)
    target: Any
    if kind.startswith("hdf5"):
        options: dict[str, Any] = {} if kind.endswith("contiguous") else {"chunks": chunks}
        if kind.endswith("gzip"):
            options["compression"] = "gzip"
        target = h5py.File(path, "w").create_dataset("X", shape, "float64", **options)
    elif kind == "zarr":
        import zarr

        target = zarr.create_array(path, shape=shape, chunks=chunks, dtype="float64")
    else:
        target = np.lib.format.open_memmap(path, "w+", np.float64, shape)
    for start in range(0, rows, ROWS_PER_WRITE):
        block = rng.random((min(ROWS_PER_WRITE, rows - start), COLUMNS)).round(2)
        target[start : start + len(block)] = block * (rng.random(block.shape) < 0.2)
    if isinstance(target, h5py.Dataset):
        target.file.close()


def read(kind: str, path: Path) -> Any:
    """Return the rows of a file."""
    if kind.startswith("hdf5"):
        return h5py.File(path, "r")["X"]
    if kind == "zarr":
        import zarr

        return zarr.open_array(path, mode="r")
    return np.load(path, mmap_mode="r" if kind == "memmap" else None)


class FileEvaluation:
    """One cost and gradient of the exercise's network on the rows of a file."""

    def __init__(self, kind: str, path: str) -> None:
        rows = read(kind, Path(path))
        labels = np.arange(rows.shape[0]) % 10
        model = ml.mlp(COLUMNS, 25, 10, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=0)
        copy = {BASE: False, "memory, copy=True": True}.get(kind)
        loss = ml.BinaryCrossEntropy()
        self._objective = ml.Objective(model, rows, labels, loss, l2=1.0, copy=copy)
        self._start = self._objective.x0

    def evaluate(self) -> float:
        """Return the cost."""
        return self._objective(self._start)[0]


def measure_files(rows: int, seconds: float) -> dict[str, list[float]]:
    """Return the seconds of an evaluation from each kind of file, by round."""
    kinds = [*KINDS, *(["zarr"] if find_spec("zarr") else [])]
    processes: dict[str, WorkerProcess] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number, kind in enumerate(kinds):
                path = Path(folder) / f"{number}.npy"
                write(kind, path, rows)
                processes[kind] = WorkerProcess(FileEvaluation, kind, str(path))
            return take_turns(processes, seconds)
        finally:
            for process in processes.values():
                process.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line a kind of file."""
    options = _parser().parse_args(arguments)
    warnings = load_warning(busy_cpus(), "before")
    print(f"{machine_line()}\n")
    times = measure_files(options.rows, options.seconds)
    print(f"{options.rows} rows of {COLUMNS} columns, float64, {len(times[BASE])} rounds")
    print(f"{'rows in':<20}{'ms':>8}{'rows/s':>14}{'time / memory':>16}")
    for kind, seconds in times.items():
        each = median(seconds)
        figures = f"{1e3 * each:>8.0f}{options.rows / each:>14,.0f}"
        print(f"{kind:<20}{figures}{ratio(seconds, times[BASE]):>16.2f}")
    time.sleep(SETTLING_SECONDS)
    for warning in [*warnings, *load_warning(busy_cpus(), "after")]:
        print(warning)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.scale files",
        description="Rows per second by place.",
    )
    parser.add_argument("--rows", type=int, default=ROWS, help=f"default {ROWS}")
    parser.add_argument("--seconds", type=float, default=4.0, help="for each kind; default 4")
    return parser


if __name__ == "__main__":
    main()

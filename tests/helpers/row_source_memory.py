"""Print the peak memory of a process that does all that training does with a file.

    python -m tests.helpers.row_source_memory KIND FILE SHARDS

The file has ``COLUMNS`` columns and ``ROWS_PER_SHARD`` rows for each shard.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import zarr

import minilayer as ml

COLUMNS = 500
ROWS_PER_SHARD = 2000
WORKERS = 2
SHARD_BYTES = 8 * COLUMNS * ROWS_PER_SHARD
KINDS = ("contiguous", "gzip", "memmap", "zarr")


def write(kind: str, path: Path, shards: int) -> None:
    """Write a file, shard by shard."""
    rng = np.random.default_rng(0)
    shape = (ROWS_PER_SHARD * shards, COLUMNS)
    block = (rng.random((ROWS_PER_SHARD, COLUMNS)) < 0.05).astype(float)
    chunks = (ROWS_PER_SHARD // 8, COLUMNS)
    rows: Any
    if kind == "memmap":
        rows = np.lib.format.open_memmap(path, "w+", np.float64, shape)
    elif kind == "zarr":
        rows = zarr.create_array(path, shape=shape, chunks=chunks, dtype="float64")
    else:
        options: dict[str, Any] = {} if kind == "contiguous" else {"chunks": chunks}
        if kind == "gzip":
            options |= {"compression": "gzip", "compression_opts": 1}
        rows = h5py.File(path, "w").create_dataset("rows", shape, "float64", **options)
    for start in range(0, shape[0], ROWS_PER_SHARD):
        rows[start : start + ROWS_PER_SHARD] = block
    if isinstance(rows, h5py.Dataset):
        rows.file.close()


def read(kind: str, path: Path) -> Any:
    """Return the rows of a file."""
    if kind == "memmap":
        return np.load(path, mmap_mode="r")
    if kind == "zarr":
        # Each of its own threads keeps memory, more or less from run to run.
        zarr.config.set({"async.concurrency": 1, "threading.max_workers": 1})
        return zarr.open_array(path, mode="r")
    return h5py.File(path, "r")["rows"]


def use(rows: Any, shards: int) -> None:
    """Do once what reads the file."""
    model = ml.mlp(COLUMNS, 8, 3, output=ml.Softmax, seed=0)
    labels = np.arange(rows.shape[0]) % 3
    loss = ml.CategoricalCrossEntropy()
    objective = ml.Objective(model, rows, labels, loss, l2=1.0, shards=shards, workers=WORKERS)
    x = objective.x0
    objective(x)
    objective.hessp(x, x)
    objective.preconditioner()
    order = objective.shuffled_rows(np.random.default_rng(0))
    for some in (next(order), next(order)):
        for start in range(0, len(some), 500):
            objective.minibatch(x, some[start : start + 500])
    objective.fingerprint()
    model.predict_class(rows)


if __name__ == "__main__":
    use(read(sys.argv[1], Path(sys.argv[2])), int(sys.argv[3]))
    # Not ru_maxrss, which begins with the peak of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(1024 * int(status.split("VmHWM:")[1].split()[0]))

"""Rows of files and of clusters against rows in memory.

    python -m tests.benchmarks.scale files
    python -m tests.benchmarks.scale dask

``files`` prints the rows per second of an evaluation from each kind of file: see ``scale_files``.
``dask`` prints what a round on a cluster costs, how two workers share the work, and a comparison
with dask-glm, dask-ml and scikit-learn: see ``scale_dask``.
"""

from __future__ import annotations

import argparse
import importlib
import sys

PARTS = {"files": "tests.benchmarks.scale_files", "dask": "tests.benchmarks.scale_dask"}
"""Each part and its module, which is imported only if it is asked for."""


def main(arguments: list[str] | None = None) -> int:
    """Run the part that is named, with the options that follow it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of the part; try --help")
    chosen = parser.parse_args(arguments)
    importlib.import_module(PARTS[chosen.part]).main(chosen.options)
    return 0


if __name__ == "__main__":
    sys.exit(main())

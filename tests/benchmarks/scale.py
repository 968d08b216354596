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
    """Run the parts that are named; all without a name."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=", ".join(PARTS))
    options, rest = parser.parse_known_args(arguments)
    for part in options.parts or PARTS:
        importlib.import_module(PARTS[part]).main(rest)
    return 0


if __name__ == "__main__":
    sys.exit(main())

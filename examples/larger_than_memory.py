"""More rows than memory: L-BFGS on all rows of a file, in a tenth of the file's size.

The program distorts digits into a file of new ones, 2 GB by default. It trains from the file, shard
by shard, and tests on digits as they are. The limit of memory is measured and not enforced: at the
end of training the program compares the peak of its process with it. The system's cache of the file
is not counted, since the system takes it back when other programs need memory.

python examples/larger_than_memory.py                # a file of 2 GB, 200 MB of memory
python examples/larger_than_memory.py --gigabytes 8
python examples/larger_than_memory.py --quick        # 20 MB, to try it out
"""

import math
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import distorted_digits
import h5py
import numpy as np
import shared
from memory_log import MemoryLog, megabytes
from shared import plots

import minilayer as ml

FILE = Path("results/larger_than_memory.h5")
PICTURE = FILE.with_suffix(".png")
LEAST_MEGABYTES = 200.0
"""Of memory: Python and the libraries take more than half of it."""
SHARDS_IN_LIMIT = 200
"""Shards that would fill the limit. Each worker holds one, and its activations."""
MAX_WORKERS = 4
parser = shared.new_parser(__doc__)
option = parser.add_argument
count, number = shared.count, shared.number
option("--gigabytes", metavar="X", type=number, help="size of the file (2)")
option("--memory", metavar="MB", type=number, help="limit (a tenth of the file, at least 200)")
option("--iterations", metavar="N", type=count, help="budget of iterations (40)")
option("--seed", metavar="N", type=shared.seed, default=0, help="of everything random (0)")
option("--quick", action="store_true", help="a file of 0.02 GB and 5 iterations (no)")
option("--data", metavar="FILE", default=shared.DATA, help=f"a MATLAB file ({shared.DATA})")
option("--file", metavar="H5", type=Path, default=FILE, help=f"made, or used again ({FILE})")
option("--output", metavar="PNG", type=Path, default=PICTURE, help=f"picture to draw ({PICTURE})")


def main(options: Any) -> int:
    gigabytes = options.gigabytes
    if gigabytes is None:
        gigabytes = 0.02 if options.quick else 2.0
    rows = round(gigabytes * 1e9 / distorted_digits.ROW_BYTES)
    if rows < 1000:
        raise ValueError(f"--gigabytes: expected at least 0.002, found {gigabytes:g}")
    X, labels = ml.load_ex4(options.data)
    X = X.astype(np.float32)
    train, test = ml.stratified_split(labels, 0.2, options.seed)
    limit = chosen_limit(options.memory, gigabytes)
    shared.check_file("--output", options.output)
    shared.check_file("--file", options.file)

    with MemoryLog() as log:
        log.begin("making the file")
        is_new = distorted_digits.make_file(
            options.file, rows, X[train], labels[train], options.seed
        )
        print(f"{options.file}: {rows} rows, {gigabytes:g} GB, {'new' if is_new else 'used again'}")
        with h5py.File(options.file, "r") as file:
            log.begin("checks")
            model = shared.article_network(options.seed)
            objective = ml.Objective(
                model,
                file["X"],
                file["labels"],
                ml.BinaryCrossEntropy(),
                l2=1.0,
                shards=math.ceil(SHARDS_IN_LIMIT * 1e3 * gigabytes / limit),
                workers=min(MAX_WORKERS, os.cpu_count() or 1),
                dtype="float32",
            )
            print(f"{objective.shards} shards, {objective.workers} workers")
            log.begin("training")
            iterations = options.iterations or (5 if options.quick else 40)
            result = ml.LBFGS(max_iterations=iterations).minimize(objective)
    shared.report(result)

    table = shared.Table("accuracy", "digits", "right", first_width=24)
    for name, digits in (("distorted ones' origins", train), ("others", test)):
        right = ml.accuracy(labels[digits], model.predict_class(X[digits]))
        table.print_row(name, len(digits), f"{right:.2%}")
    right = ml.accuracy(labels, model.predict_class(X))
    table.print_row("all", len(X), f"{right:.2%}")
    is_within = log.peak <= limit
    print(
        f"\npeak memory {log.peak:.0f} MB, {'within' if is_within else 'MORE THAN'} the limit of "
        f"{limit:.0f} MB; the file has {1e3 * gigabytes:.0f} MB"
    )
    if plots is None:
        print(f"\nno figures: {shared.WHY_NO_FIGURES}")
    else:
        draw(options.output, log, result.history, limit, 1e3 * gigabytes)
        print(f"\nfigure in {options.output}")
    return shared.exit_code(result) or (0 if is_within else 1)


def chosen_limit(given: float | None, gigabytes: float) -> float:
    """Return the megabytes of memory that are allowed; ValueError for less than is used already."""
    limit = max(LEAST_MEGABYTES, 100 * gigabytes) if given is None else given
    used = megabytes()[1]
    if used > limit:
        raise ValueError(
            f"--memory: expected more than {used:.0f} MB, which Python and the libraries take, "
            f"found {limit:g}"
        )
    return limit


def draw(path: Path, log: MemoryLog, history: ml.History, limit: float, file_size: float) -> None:
    """Draw memory and cost over the same seconds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    memory, cost = figure.subplots(2, 1, sharex=True)
    memory.axhline(file_size, color="#333333", label=f"the file, {file_size:.0f} MB")
    memory.axhline(limit, color="#d1495b", linestyle="--", label=f"the limit, {limit:.0f} MB")
    memory.fill_between(log.seconds, log.megabytes, color="#3b7dd8", alpha=0.3)
    label = f"the program, peak {log.peak:.0f} MB"
    memory.plot(log.seconds, log.megabytes, color="#3b7dd8", label=label)
    memory.set(ylabel="MB", ylim=(0, 1.1 * max(file_size, limit)), title="Memory")
    memory.legend(loc="center right", frameon=False)
    starts = [*log.parts.values(), log.seconds[-1]]
    for name, (start, stop) in zip(log.parts, pairwise(starts), strict=True):
        for axes in (memory, cost):
            axes.axvline(start, color="#cccccc", linewidth=1, zorder=0)
        if stop - start > 0.05 * starts[-1]:
            memory.text(start, 0.5 * limit + 0.5 * file_size, f" {name}", color="#777777")
    seconds = log.parts["training"] + np.array(history.seconds)
    cost.plot(seconds, history.cost, ".-", color="#333333")
    cost.set(xlabel="seconds", ylabel="cost", ylim=(0, None), title="Cost")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    shared.run_parsed(main, parser)

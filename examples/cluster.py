"""Training on a cluster: one worker is killed in the middle, and the result has the same bits.

python examples/cluster.py              # three worker processes on this machine
python examples/cluster.py --workers 2

It needs Dask: pip install 'minilayer[dask]'
"""

import os
from typing import Any

import dask.array as da
import psutil
import shared
from distributed import Client
from shared import plots

import minilayer as ml
from minilayer.distributed import DaskObjective

PARTS = 8
SILENT = 50
"""The level of logging above which nothing is said of a worker that dies."""


def main(options: Any) -> int:
    X, labels = ml.load_ex4(options.data)
    loss = ml.BinaryCrossEntropy()
    trainer = ml.LBFGS(max_evaluations=options.evaluations, max_iterations=options.evaluations)
    model = shared.article_network(options.seed)
    in_memory = ml.Objective(model, X, labels, loss, options.l2, shards=PARTS, copy=False)
    expected = trainer.minimize(in_memory)
    shared.check_begun(expected)
    rows = len(X) // PARTS
    arrays = da.from_array(X, chunks=(rows, -1)), da.from_array(labels, chunks=rows)
    parts = []  # of each worker, after each iteration
    cluster = {"n_workers": options.workers, "threads_per_worker": 1, "dashboard_address": ":0"}
    with Client(**cluster, silence_logs=SILENT) as client:
        model = shared.article_network(options.seed)
        with DaskObjective(model, *arrays, loss, options.l2, shards=PARTS) as objective:
            print(f"{objective.shards} parts on {len(objective.parts_of_workers)} workers")

            def watch(iteration: ml.Iteration) -> None:
                if iteration.iteration == expected.nit // 5:
                    process = next(iter(client.run(os.getpid).values()))
                    psutil.Process(process).kill()
                    print(f"worker killed after iteration {iteration.iteration}")
                parts.append(objective.parts_of_workers)

            result = trainer.minimize(objective, callback=watch)
    shared.report(result)
    print(f"same bits as on one machine  {bool((result.x == expected.x).all())}")

    def draw_parts(ax: Any) -> None:
        names = list(dict.fromkeys(name for counts in parts for name in counts))
        heights = [[counts.get(name, 0) for counts in parts] for name in names]
        labels = [f"worker {number}" for number in range(1, len(names) + 1)]
        ax.stackplot(range(1, len(parts) + 1), heights, labels=labels, step="post")
        ax.set(xlabel="iteration", ylabel="parts", title="Parts on each worker")
        ax.legend(loc="lower right")

    drawings = {"parts": draw_parts, "cost": lambda ax: plots.cost_curve(result.history, ax=ax)}
    print(shared.save_figures(options.figures, drawings))
    return shared.exit_code(result)


if __name__ == "__main__":
    shared.run(main, __doc__, l2=1.0, evaluations=200, workers=3, seed=0, data=shared.DATA)

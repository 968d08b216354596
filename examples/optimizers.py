"""Optimizers compared: evaluations and seconds from one start to two costs of the digits' network.

0.339 is where the article's run ends, 0.31 is near the minimum. A Hessian product counts as an
evaluation, and an epoch of batches as two: one for its batches, one for the curve.

python examples/optimizers.py                       # all of them, a minute or two
python examples/optimizers.py --only TNC,Newton-CG  # some, by the beginnings of their names
"""

from functools import partial
from typing import Any

import shared
from shared import plots

import minilayer as ml

TARGETS = {"the article": 0.339, "near the minimum": 0.31}
BATCHES: dict[str, Any] = {"batch_size": 128, "schedule": ml.CosineDecay(300), "rule": ml.Adam()}
OPTIMIZERS: dict[str, Any] = {
    "LBFGS": ml.LBFGS,
    "L-BFGS-B (memory 50)": ml.ScipyTrainer,
    **{name: partial(ml.ScipyTrainer, name) for name in ("TNC", "CG", "Newton-CG", "trust-ncg")},
    "gradient descent": partial(ml.GradientDescent, 1.0, momentum=0.9, max_iterations=None),
    "Adam (all rows)": partial(ml.GradientDescent, 0.1, rule=ml.Adam(), max_iterations=None),
    "Adam (batches of 128)": partial(ml.GradientDescent, 0.03, max_iterations=300, **BATCHES),
}


def main(options: Any) -> None:
    names = shared.choose("--only", options.only, OPTIMIZERS)
    X, labels = ml.load_ex4(options.data)
    model = shared.article_network(options.seed)
    objective = ml.Objective(model, X, labels, ml.BinaryCrossEntropy(), l2=1.0)
    x0 = objective.x0
    histories: dict[str, ml.History] = {}

    def draw(column: str, ax: Any) -> None:
        plots.cost_comparison(histories, ax, against=column, targets=TARGETS)

    drawings = {column: partial(draw, column) for column in ("evaluations", "seconds")}
    table = shared.Table("to 0.339, to 0.31", *2 * ["evaluations", "seconds"], "lowest cost")
    try:
        for name in names:
            table.print_row(name)
            for cost in TARGETS.values():
                trainer = OPTIMIZERS[name](max_evaluations=options.evaluations, target_cost=cost)
                result = trainer.minimize(objective, x0, progress=False)
                shared.check_begun(result)
                histories[name] = result.history
                shared.stop_if_interrupted(result)
                used = result.nfev + result.nhev, f"{result.seconds:.1f}"
                table.print_row(*used if result.status == ml.Status.TARGET_COST else ("-", "-"))
            table.print_row(f"{result.fun:.4f}")
    finally:  # after Ctrl-C too
        print(shared.save_figures(options.figures, drawings if histories else {}))


if __name__ == "__main__":
    shared.run(main, __doc__, only="all", evaluations=2000, seed=0, data=shared.DATA)

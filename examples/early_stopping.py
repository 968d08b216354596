"""Early stopping on the digits: validation rows end the run and choose the network that is kept.

Two runs from the same start differ in this alone. Three fifths of the digits are trained on, one
fifth is for validation, and the last fifth, the test rows, judges both networks.

python examples/early_stopping.py         # without a penalty, where it matters
python examples/early_stopping.py --l2 1  # the exercise's penalty, which does most of its work
"""

from typing import Any

import shared
from shared import plots

import minilayer as ml

COLUMNS = ["iterations", "kept", "training cost", "accuracy: training", "validation", "test"]


def main(options: Any) -> None:
    X, labels = ml.load_ex4(options.data)
    train, rest = ml.stratified_split(labels, 0.4, options.seed)
    first, second = ml.stratified_split(labels[rest], 0.5, options.seed)
    valid, test = rest[first], rest[second]
    table = shared.Table(f"lambda {options.l2:g}", *COLUMNS, first_width=14)
    for name, patience in (("to the end", None), ("early stopping", options.patience)):
        model = ml.mlp(400, 25, 10, hidden=ml.Sigmoid, output=ml.Sigmoid, seed=options.seed)
        stops = patience is not None
        rows = X[valid], labels[valid]
        validation = ml.Validation(  # top_k_accuracy with k = 1: the share of right predictions
            *rows, metric=ml.top_k_accuracy, monitor="metric", patience=patience, restore_best=stops
        )
        trainer = ml.ScipyTrainer(max_evaluations=options.evaluations)
        data = X[train], labels[train]
        result = ml.fit(model, *data, options.l2, trainer=trainer, validation=validation)
        shared.stop_if_interrupted(result)
        if not stops:
            history = result.history
        right = model.predict(X).argmax(axis=1) == labels
        shares = [f"{right[rows].mean():.2%}" for rows in (train, valid, test)]
        kept = result.best_iteration if stops else result.nit
        table.print_row(name, result.nit, kept, f"{result.fun:.4f}", *shares)
    print(f"\n{result.message}")

    def draw_cost(ax: Any) -> None:
        plots.cost_curve(history, ax=ax)
        evaluations = history.evaluations[result.best_iteration or 0]
        ax.axvline(evaluations, color="#999999", linestyle="--", label="kept by early stopping")
        ax.legend(frameon=False)

    counts = ml.confusion_matrix(labels[test], model.predict(X[test]).argmax(axis=1), 10)
    drawings = {
        "cost": draw_cost,
        "confusion": lambda ax: plots.confusion_heatmap(counts, ax=ax),
    }
    print(shared.save_figures(options.figures, drawings))


if __name__ == "__main__":
    shared.run(main, __doc__, l2=0.0, patience=30, evaluations=250, seed=0, data=shared.DATA)

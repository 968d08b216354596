"""Early stopping on the digits: validation rows end the run and choose the network that is kept.

Both runs start alike. Three fifths of the digits train, one fifth validates, one fifth tests.

python examples/early_stopping.py         # without a penalty, where it matters
python examples/early_stopping.py --l2 1  # the exercise's penalty, which does most of its work
"""

from typing import Any

import shared
from shared import plots

import minilayer as ml

COLUMNS = ["iterations", "kept", "cost", "training", "validation", "test"]


def main(options: Any) -> int:
    X, labels = ml.load_ex4(options.data)
    train, rest = ml.stratified_split(labels, 0.4, options.seed)
    valid, test = (rest[part] for part in ml.stratified_split(labels[rest], 0.5, options.seed))
    runs = {}
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
        runs[name] = model, result
        if shared.is_interrupted(result):
            break
    whole = runs["to the end"][1]
    shared.check_begun(whole)
    table = shared.Table(f"accuracy, lambda {options.l2:g}", *COLUMNS, first_width=20)
    for name, (network, run) in runs.items():
        right = network.predict(X).argmax(axis=1) == labels
        shares = [f"{right[rows].mean():.2%}" for rows in (train, valid, test)]
        kept = run.best_iteration if name == "early stopping" else run.nit
        table.print_row(name, run.nit, kept, f"{run.fun:.4f}", *shares)
    print(f"\n{result.message}")

    def draw_cost(ax: Any) -> None:
        plots.cost_curve(whole.history, ax=ax)
        evaluations = whole.history.evaluations[result.best_iteration or 0]
        ax.axvline(evaluations, color="#999999", linestyle="--", label="best validation accuracy")
        ax.legend(frameon=False)

    counts = ml.confusion_matrix(labels[test], model.predict(X[test]).argmax(axis=1), 10)
    drawings = {"cost": draw_cost, "confusion": lambda ax: plots.confusion_heatmap(counts, ax=ax)}
    print(shared.save_figures(options.figures, drawings))
    return shared.exit_code(result)


if __name__ == "__main__":
    shared.run(main, __doc__, l2=0.0, patience=30, evaluations=250, seed=0, data=shared.DATA)

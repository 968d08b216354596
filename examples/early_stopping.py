"""Early stopping on the digits: a fifth is held out, and the best network for these is kept.

python examples/early_stopping.py          # without a penalty, where it matters
python examples/early_stopping.py --l2 1   # with the exercise's penalty, which does most of its work
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import minilayer as ml

DATA = Path(__file__).resolve().parent.parent / "data" / "ex4data1.mat"
parser = argparse.ArgumentParser(
    usage="early_stopping.py [options]", description=__doc__.splitlines()[0]
)
option = parser.add_argument
option("--l2", type=float, default=0.0, help="the exercise's lambda (0)")
option(
    "--patience", type=int, default=30, help="iterations without a better held-out accuracy (30)"
)
option("--evaluations", type=int, default=250, help="budget of evaluations (250)")
option("--seed", type=int, default=0, help="of the start and of the held-out part (0)")
option("--data", default=DATA, help="the course's MATLAB file, or another of its form")
option(
    "--figures",
    metavar="DIR",
    type=Path,
    default=Path("results/early_stopping"),
    help="folder for the figures",
)


def main(args: argparse.Namespace) -> int:
    X, labels = ml.load_ex4(args.data)
    train, held = ml.stratified_split(labels, 0.2, args.seed)
    # top_k_accuracy(labels, scores), k = 1: the share of the held-out digits whose highest output is the right one.
    watched: dict[str, Any] = {"metric": ml.top_k_accuracy, "monitor": "metric"}
    validations = {
        "to the end": ml.Validation(X[held], labels[held], **watched, restore_best=False),
        "early stopping": ml.Validation(X[held], labels[held], **watched, patience=args.patience),
    }
    results: dict[str, Any] = {}
    models: dict[str, ml.Sequential] = {}
    print(
        f"lambda {args.l2:g}         iterations  kept  training cost  training accuracy  held-out accuracy"
    )
    for name, validation in validations.items():
        start = ml.UniformEpsilon(0.125)
        layers = [ml.Dense(400, 25, start), ml.Sigmoid(), ml.Dense(25, 10, start), ml.Sigmoid()]
        models[name] = model = ml.Sequential(layers, seed=args.seed)
        trainer = ml.ScipyTrainer(max_evaluations=args.evaluations)
        results[name] = result = ml.fit(
            model, X[train], labels[train], args.l2, trainer=trainer, validation=validation
        )
        kept = result.best_iteration if validation.restore_best else result.nit
        digits = model.predict(X).argmax(axis=1)
        shares = (ml.accuracy(labels[rows], digits[rows]) for rows in (train, held))
        print(
            f"{name:15}{result.nit:12}{kept:6}{result.fun:15.4f}{next(shares):19.2%}{next(shares):19.2%}"
        )
        if result.status == ml.Status.INTERRUPTED:
            return 130
    print(
        f"\n{results['early stopping'].message}\n\n"
        + draw(args.figures, results, models, X[held], labels[held])
    )
    return 0


def draw(
    folder: Path, results: dict[str, Any], models: dict[str, ml.Sequential], X: Any, labels: Any
) -> str:
    try:
        from minilayer import plots
    except ImportError as missing:
        return f"no figures: {missing}"
    digits = models["early stopping"].predict(X).argmax(axis=1)

    def course(ax: Any) -> None:
        history = results["to the end"].history
        plots.cost_curve(history, ax=ax)
        best = results["early stopping"].best_iteration
        ax.axvline(
            history.evaluations[best],
            color="#999999",
            linestyle="--",
            label="kept by early stopping",
        )
        ax.legend(frameon=False)

    drawings = {
        "cost": course,
        "confusion": lambda ax: plots.confusion_heatmap(
            ml.confusion_matrix(labels, digits, 10), ax=ax
        ),
    }
    return f"figures: {', '.join(map(str, plots.save_figures(folder, drawings)))}"


if __name__ == "__main__":
    try:
        sys.exit(main(parser.parse_args()))
    except KeyboardInterrupt:
        print("early_stopping.py: interrupted", file=sys.stderr)
        sys.exit(130)
    except (OSError, ValueError, TypeError) as error:
        print(f"early_stopping.py: error: {error}", file=sys.stderr)
        sys.exit(1)

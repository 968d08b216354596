"""Several labels at once: one network says of each handwritten digit which of four properties it has.

python examples/multilabel.py           # trained on four fifths of the digits, judged by the fifth held out
python examples/multilabel.py --seed 1  # another start, another fifth
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

import minilayer as ml

DATA = Path(__file__).resolve().parent.parent / "data" / "ex4data1.mat"
PROPERTIES = {
    "even": [0, 2, 4, 6, 8],
    "prime": [2, 3, 5, 7],
    "above 4": [5, 6, 7, 8, 9],
    "loop": [0, 6, 8, 9],
}
parser = argparse.ArgumentParser(
    usage="multilabel.py [options]", description=__doc__.splitlines()[0]
)
option = parser.add_argument
option("--data", default=DATA, help="the course's MATLAB file, or another of its form")
option("--seed", type=int, default=0, help="of the start and of the held-out part (0)")
option(
    "--figures",
    metavar="DIR",
    type=Path,
    default=Path("results/multilabel"),
    help="folder for the figures",
)


def main(args: argparse.Namespace) -> int:
    X, digits = ml.load_ex4(args.data)
    # A sigmoid for each property: unlike softmax's, their outputs need not sum to 1, any number of them may be true.
    layers = [ml.Dense(400, 25), ml.Sigmoid(), ml.Dense(25, len(PROPERTIES)), ml.Sigmoid()]
    model = ml.Sequential(layers, seed=args.seed)
    targets = np.stack([np.isin(digits, which) for which in PROPERTIES.values()], axis=1).astype(
        int
    )
    train, held = ml.stratified_split(digits, 0.2, args.seed)
    objective = ml.Objective(model, X[train], targets[train], ml.BinaryCrossEntropy(), l2=1.0)

    result = ml.LBFGS(max_evaluations=150).minimize(objective)

    guess = (model.predict(X) > 0.5).astype(int)
    print(f"{result.message}\ncost {result.fun:.4f} after {result.nfev} evaluations\n")
    print(f"{len(held)} held out  accuracy  precision  recall")
    for name, truth, said in zip(PROPERTIES, targets[held].T, guess[held].T, strict=True):
        precision, recall = (share[1] for share in ml.precision_recall(truth, said, 2))
        print(f"{name:13} {ml.accuracy(truth, said):9.1%} {precision:10.1%} {recall:7.1%}")
    for name, rows in (("held out", held), ("training", train)):
        print(
            f"all {len(PROPERTIES)} right, {name}: {np.mean((guess == targets)[rows].all(axis=1)):.1%}"
        )
    print("\n" + draw(args.figures, model, result.history, digits[held], guess[held]))
    return 130 if result.status == ml.Status.INTERRUPTED else 0


def draw(folder: Path, model: ml.Sequential, history: ml.History, digits: Any, guess: Any) -> str:
    try:
        from minilayer import plots
    except ImportError as missing:
        return f"no figures: {missing}"

    def answers(ax: Any) -> None:
        share = np.stack([guess[digits == digit].mean(axis=0) for digit in range(10)], axis=1)
        ax.imshow(share, cmap="Blues", vmin=0, vmax=1.6, aspect="auto")
        for row, which in enumerate(PROPERTIES.values()):
            for digit in range(10):
                weight = "bold" if digit in which else "normal"
                ax.text(
                    digit,
                    row,
                    f"{share[row, digit]:.0%}",
                    ha="center",
                    va="center",
                    size=8,
                    weight=weight,
                )
        ax.set(
            xlabel="digit", xticks=range(10), yticks=range(len(PROPERTIES)), yticklabels=PROPERTIES
        )
        ax.set_title("share of the held-out digits said to be so\n(bold: it is so)")

    drawings = {
        "answers": answers,
        "network": lambda ax: plots.network_diagram(model, ax=ax),
        "cost": lambda ax: plots.cost_curve(history, ax=ax),
    }
    return f"figures: {', '.join(map(str, plots.save_figures(folder, drawings)))}"


if __name__ == "__main__":
    try:
        sys.exit(main(parser.parse_args()))
    except KeyboardInterrupt:
        print("multilabel.py: interrupted", file=sys.stderr)
        sys.exit(130)
    except (OSError, ValueError, TypeError) as error:
        print(f"multilabel.py: error: {error}", file=sys.stderr)
        sys.exit(1)

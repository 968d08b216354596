"""Several labels at once: one network says of each digit which of four properties it has.

Each property has a sigmoid output of its own, so that any number of them can be true. A fifth of
the digits is not trained on and judges the network.

python examples/multilabel.py           # four properties of the 5000 digits
python examples/multilabel.py --seed 1  # another start, another fifth
"""

from typing import Any

import numpy as np
import shared
from shared import plots

import minilayer as ml

PROPERTIES = {"even": "02468", "prime": "2357", "above 4": "56789", "loop": "0689"}


def main(options: Any) -> int:
    X, digits = ml.load_ex4(options.data)
    has = [np.isin(digits, list(map(int, those))) for those in PROPERTIES.values()]
    Y = np.stack(has, axis=1).astype(int)
    model = ml.mlp(400, 25, len(Y[0]), hidden=ml.Sigmoid, output=ml.Sigmoid, seed=options.seed)
    train, test = ml.stratified_split(digits, 0.2, options.seed)
    result = ml.fit(model, X[train], Y[train], l2=1.0, trainer=ml.LBFGS(max_evaluations=150))
    shared.report(result)

    said = (model.predict(X) > 0.5).astype(int)
    table = shared.Table(f"{len(test)} test digits", "accuracy", "precision", "recall")
    for name, true, guess in zip(PROPERTIES, Y[test].T, said[test].T, strict=True):
        precision, recall = ml.precision_recall(true, guess, classes=2)
        shares = ml.accuracy(true, guess), precision[1], recall[1]
        table.print_row(name, *(f"{share:.1%}" for share in shares))
    right = (said == Y).all(axis=1)
    print(f"all 4 right, test: {right[test].mean():.1%}")
    print(f"all 4 right, training: {right[train].mean():.1%}")

    def draw_answers(ax: Any) -> None:
        yes = np.stack([said[test][digits[test] == digit].mean(axis=0) for digit in range(10)], 1)
        ax.imshow(yes, cmap="Blues", vmin=0, vmax=1.6, aspect="auto")
        for (row, digit), share in np.ndenumerate(yes):
            weight = "bold" if str(digit) in list(PROPERTIES.values())[row] else "normal"
            ax.text(digit, row, f"{100 * share:.0f}", ha="center", va="center", weight=weight)
        ax.set(xlabel="digit", xticks=range(10), title='percent with "yes" (bold: "yes" is right)')
        ax.set_yticks(range(len(yes)), PROPERTIES)

    drawings = {
        "answers": draw_answers,
        "network": lambda ax: plots.network_diagram(model, ax=ax),
        "cost": lambda ax: plots.cost_curve(result.history, ax=ax),
    }
    print(shared.save_figures(options.figures, drawings))
    return shared.exit_code(result)


if __name__ == "__main__":
    shared.run(main, __doc__, seed=0, data=shared.DATA)

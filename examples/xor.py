"""XOR: is exactly one of two inputs 1? No straight line separates yes from no.

So a network needs hidden units. This one has four, learns the four rows in a fraction of a second,
and draws what it predicts for each point of the plane.

python examples/xor.py                      # 2-4-1: four predictions and the decision surface
python examples/xor.py --hidden 2 --seed 4  # two hidden units can do it, but not from each start
"""

from typing import Any

import numpy as np
import shared
from shared import plots

import minilayer as ml

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
LABELS = np.array([0, 1, 1, 0])


def main(options: Any) -> int:
    model = ml.mlp(2, options.hidden, 1, hidden=ml.Tanh, output=ml.Sigmoid, seed=options.seed)
    # Without the penalty l2 the cost has no minimum: it falls while the weights grow for ever.
    result = ml.fit(model, X, LABELS, l2=1e-3, trainer=ml.LBFGS(max_evaluations=500))
    shared.report(result)

    prediction = model.predict(X)[:, 0]
    table = shared.Table("inputs", "target", "prediction", first_width=6)
    for (a, b), target, value in zip(X, LABELS, prediction, strict=True):
        table.print_row(f"{a} {b}", target, f"{value:.3f}")
    is_learned = bool(((prediction > 0.5) == LABELS).all())
    if not is_learned:
        print(f"\nnot learned: {reason(result.success, options.hidden)}")

    drawings = {
        "surface": lambda ax: plots.decision_surface(
            model, X, LABELS, ax=ax, class_names=["no", "yes"]
        ),
        "network": lambda ax: plots.network_diagram(model, ax=ax),
    }
    print(shared.save_figures(options.figures, drawings))
    return shared.exit_code(result) or (0 if is_learned else 1)


def reason(is_minimum: bool, hidden: int) -> str:
    if not is_minimum:
        return "the run ended before it reached a minimum"
    if hidden == 1:
        return "one hidden unit is too few, it draws a single line"
    return "this start leads to a local minimum, try another --seed"


if __name__ == "__main__":
    shared.run(main, __doc__, hidden=4, seed=0)

"""Regression: a network learns a known function from noisy points.

The points are 0.2 off on average. The network ends closer to the function than they are, and the
picture shows points, function and network.

python examples/regression.py           # 200 points
python examples/regression.py --seed 1  # other points, another start
"""

from typing import Any

import numpy as np
import shared
from shared import plots

import minilayer as ml

ROWS = 200
NOISE = 0.2
RANGE = (-3.0, 3.0)


def truth(x: Any) -> Any:
    return np.sin(2 * x) + x / 2


def rmse(predicted: Any, expected: Any) -> str:
    return f"{np.sqrt(np.mean((predicted - expected) ** 2)):.4f}"


def main(options: Any) -> int:
    model = ml.mlp(1, 12, 1, seed=options.seed)  # tanh in the middle, any number at the end
    rng = np.random.default_rng(options.seed)
    X = rng.uniform(*RANGE, (ROWS, 1))
    Y = truth(X) + NOISE * rng.standard_normal((ROWS, 1))
    objective = ml.Objective(model, X, Y, ml.SquaredError(), l2=0.01)
    result = ml.LBFGS(max_evaluations=500).minimize(objective)
    shared.report(result)

    new = rng.uniform(*RANGE, (1000, 1))
    table = shared.Table("root mean squared error", "value", first_width=24)
    table.print_row("noise of the data", f"{NOISE:.4f}")
    table.print_row("training RMSE", rmse(model.predict(X), Y))  # if far below: it overfits
    table.print_row("RMSE from the truth", rmse(model.predict(new), truth(new)))

    def draw_fit(ax: Any) -> None:
        x = np.linspace(*RANGE, 400)[:, None]
        ax.plot(X, Y, ".", color="#aaaaaa", label=f"data, noise {NOISE}")
        ax.plot(x, truth(x), "--", color="#333333", label="truth")
        ax.plot(x, model.predict(x), color="#d1495b", linewidth=2, label="network")
        ax.set(xlabel="x", ylabel="y", title="sin(2x) + x/2 from noisy points")
        ax.legend(frameon=False)

    drawings = {"fit": draw_fit, "cost": lambda ax: plots.cost_curve(result.history, ax=ax)}
    print(shared.save_figures(options.figures, drawings))
    return shared.exit_code(result)


if __name__ == "__main__":
    shared.run(main, __doc__, seed=0)
